"""The Git host as a real server on the loopback interface, whose webhooks really go out.

GitHub's API stands under `/api/v3`, as on GitHub Enterprise, GitLab's under `/api/v4`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

import httpx
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse
from starlette.types import Receive, Scope, Send

from sandbox.core.http import Request, Response
from sandbox.githost.delivering import Outgoing
from sandbox.githost.host import GitHost
from sandbox.githost.model import Dialect
from sandbox.githost.service import GitService

LOOPBACK = "127.0.0.1"
PREFIXES: Mapping[str, Dialect] = {"/api/v3": "github", "/api/v4": "gitlab"}
TICK = 0.02
DELIVERY_PATIENCE = 10.0
"""Seconds that a host waits for a receiver's answer."""

LONGEST_SILENCE = 600.0
log = logging.getLogger(__name__)


class GitHostApp:
    """The two APIs as an ASGI application; plays out what goes wrong on the wire."""

    def __init__(self, service: GitService) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            return
        web = WebRequest(scope, receive)
        response = await run_in_threadpool(self._answer, web, await web.body())
        await asyncio.sleep(response.delay)
        if response.fault is None:
            headers = {key: value for key, value in response.headers.items() if key != "content-length"}
            await WebResponse(response.body, response.status, headers)(scope, receive, send)
            return
        if response.fault.kind in ("timeout", "open"):
            await _stay_silent(receive)
        await _break_off(send)

    def _answer(self, web: WebRequest, body: bytes) -> Response:
        raw = web.scope["raw_path"].decode("ascii").partition("?")[0]
        query = web.scope["query_string"].decode("ascii")
        for prefix, dialect in PREFIXES.items():
            if f"{raw}/".startswith(f"{prefix}/"):
                path = raw.removeprefix(prefix)
                request = Request(web.method, path, dict(web.query_params), dict(web.headers), body)
                base_url = f"{web.url.scheme}://{web.url.netloc}{prefix}"
                return self._service.handle(dialect, request, query, base_url)
        return Response(404, {"content-type": "text/plain"}, b"GitHub is at /api/v3, GitLab at /api/v4.\n")


async def _stay_silent(receive: Receive) -> None:
    """Wait until the caller has gone away."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_SILENCE):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _break_off(send: Send) -> None:
    """Promise a body and end without it, so that the server closes the connection."""
    length = (b"content-length", b"1000")
    await send({"type": "http.response.start", "status": 200, "headers": [length]})


class LocalGitHost:
    """A running Git host; use it as a context manager. `host` is what a test scripts.

    Webhooks go out in a thread of their own, in order and one at a time. A port of 0 takes a free one.
    """

    def __init__(self, *, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        self._client = httpx.Client(timeout=DELIVERY_PATIENCE, trust_env=False)
        self.host = GitHost(clock, self._send, send_at_once=False)
        self.service = GitService(self.host)
        self._port = port
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._ended = threading.Event()

    @property
    def github_url(self) -> str:
        """Base address of the GitHub API: the `api_url` of a GitHub Enterprise."""
        return f"{self._origin}/api/v3"

    @property
    def gitlab_url(self) -> str:
        """Base address of the GitLab API."""
        return f"{self._origin}/api/v4"

    @property
    def _origin(self) -> str:
        return f"http://{LOOPBACK}:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Return when the APIs answer; raises TimeoutError when they do not within 20 seconds."""
        self._socket.bind((LOOPBACK, self._port))
        config = uvicorn.Config(
            GitHostApp(self.service),
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._web = threading.Thread(
            target=self._server.run, args=([self._socket],), name="githost-web", daemon=True
        )
        self._web.start()
        self._poster = threading.Thread(target=self._deliver, name="githost-post", daemon=True)
        self._poster.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            if not self._web.is_alive() or time.monotonic() > deadline:
                self.close()
                raise TimeoutError("the Git host did not come up within 20 s")
            time.sleep(0.01)

    def close(self) -> None:
        """End the server and the sending of webhooks."""
        self._ended.set()
        self._server.should_exit = True
        self._poster.join(DELIVERY_PATIENCE + 1)
        self._web.join(5)
        self._client.close()
        self._socket.close()

    def __enter__(self) -> LocalGitHost:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _deliver(self) -> None:
        while not self._ended.wait(TICK):
            self.host.post.deliver()

    def _send(self, outgoing: Outgoing) -> int:
        try:
            answer = self._client.post(outgoing.url, content=outgoing.body, headers=dict(outgoing.headers))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("A webhook did not reach its receiver: %s", error)
            return 0
        return answer.status_code
