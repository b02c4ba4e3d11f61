"""The sandbox's API over HTTP, with a control room under `/_sandbox` for scripting from outside."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as WebResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from sandbox.core import Fault, Request, Response, Sandbox
from sandbox.core import validation as v
from sandbox.core.api import check_bearer
from sandbox.core.http import ApiFault, answer_fault
from sandbox.repositories import GitFailed, move_branch

LONGEST_SILENCE = 600.0
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
FAULT_FIELDS = {
    "path": v.string(),
    "method": v.string(),
    "skip": v.integer(0),
    "times": v.nullable(v.integer(1)),
    "after": v.boolean,
    "latency": v.number,
    "status": v.integer(400),
    "retry_after": v.number,
    "broken": v.string("reset|timeout"),
    "garbage": v.string("html|truncated|empty-list|empty|unknown-state|not-json"),
}
BRANCH_FIELDS = {"url": v.string(), "branch": v.string(), "commit": v.string("[0-9a-f]{40}")}


def make_app(sandbox: Sandbox, repositories: Path) -> Starlette:
    """The application. Bare repositories below `repositories` are served under `/git`."""
    control = ControlRoom(sandbox)
    repositories.mkdir(parents=True, exist_ok=True)
    return Starlette(
        routes=[
            Route("/_sandbox/faults", control.faults, methods=["POST", "DELETE"]),
            Route("/_sandbox/branch", control.branch, methods=["POST"]),
            Route("/_sandbox/state", control.state, methods=["GET"]),
            Mount("/api", ApiEndpoint(sandbox)),
            Mount("/git", StaticFiles(directory=repositories)),
        ]
    )


class ApiEndpoint:
    """Hands every call below `/api` to the core, and plays out what goes wrong on the wire."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        web = WebRequest(scope, receive)
        raw = scope["raw_path"].decode("ascii").partition("?")[0].removeprefix("/api") or "/"
        body = await web.body()
        request = Request(web.method, raw, dict(web.query_params), dict(web.headers), body)
        response = await run_in_threadpool(self._sandbox.handle, request)
        await asyncio.sleep(response.delay)
        if response.fault is None:
            await _as_web(response)(scope, receive, send)
        elif response.fault.kind == "open":
            await _leave_open(response, receive, send)
        elif response.fault.kind == "timeout":
            await _stay_silent(receive)
            await _break_off(send)
        else:
            await _break_off(send)


async def _stay_silent(receive: Receive) -> None:
    """Wait until the caller has gone away."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SILENCE):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _leave_open(response: Response, receive: Receive, send: Send) -> None:
    headers = [(k.encode(), value.encode()) for k, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await _stay_silent(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _break_off(send: Send) -> None:
    """Promise a body and end without it, so that the server closes the connection."""
    length = (b"content-length", b"1000")
    await send({"type": "http.response.start", "status": 200, "headers": [length]})


def _as_web(response: Response) -> WebResponse:
    headers = {k: value for k, value in response.headers.items() if k != "content-length"}
    return WebResponse(response.body, response.status, headers)


class ControlRoom:
    """Scripting from outside; every call carries the API's token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def faults(self, web: WebRequest) -> WebResponse:
        """POST puts a fault in force (the fields of `Fault`), DELETE lifts them all."""

        def add(body: Mapping[str, object]) -> object:
            v.record({}, FAULT_FIELDS)(body, "")
            self._sandbox.faults.add(Fault(**body))  # type: ignore[arg-type] # checked above
            return {"faults": 1}

        def clear(_: Mapping[str, object]) -> object:
            self._sandbox.faults.clear()
            return {"faults": 0}

        return await self._answer(web, add if web.method == "POST" else clear)

    async def branch(self, web: WebRequest) -> WebResponse:
        """POST moves a branch of a local repository to another commit, forced if need be."""

        def move(body: Mapping[str, object]) -> object:
            v.record(BRANCH_FIELDS, {})(body, "")
            try:
                move_branch(str(body["url"]), str(body["branch"]), str(body["commit"]))
            except GitFailed as error:
                raise ApiFault(400, "Git error", str(error)) from error
            return dict(body)

        return await self._answer(web, move)

    async def state(self, web: WebRequest) -> WebResponse:
        """GET shows the domains, the workspaces and the latest calls."""

        def show(_: Mapping[str, object]) -> object:
            with self._sandbox.lock:
                platform = self._sandbox.platform
                calls = [dataclasses.asdict(call) for call in list(self._sandbox.calls)[-200:]]
                return {
                    "domains": [d.as_json() for d in platform.domains.values()],
                    "workspaces": [w.as_json() for w in platform.workspaces.values()],
                    "calls": [{k: c[k] for k in c if k != "body"} for c in calls],
                }

        return await self._answer(web, show)

    async def _answer(self, web: WebRequest, act: Callable[[Mapping[str, object]], object]) -> WebResponse:
        body = await web.body()
        request = Request(web.method, web.url.path, headers=dict(web.headers))
        try:
            check_bearer(request, self._sandbox.token)
            parsed = json.loads(body) if body else {}
            return JSONResponse(await run_in_threadpool(act, parsed))
        except ApiFault as fault:
            return _as_web(answer_fault(fault))
        except ValueError:
            return _as_web(answer_fault(ApiFault(400, "Bad Request", "The body is not JSON.")))
