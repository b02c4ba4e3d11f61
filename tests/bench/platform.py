"""The sandbox's core over scripted repositories, served by one process: a platform that costs little."""

from __future__ import annotations

import sys
import time

import uvicorn
from starlette.requests import Request
from starlette.responses import Response as WebResponse
from starlette.types import Receive, Scope, Send

from sandbox.core import Request as Call
from sandbox.core import Sandbox
from sandbox.core.platform import Timing
from sandbox.scripted.behaviour import Behaviour
from sandbox.scripted.world import ScriptedWorld

TOKEN = "a-platform-token-for-benchmarks"
VISIT = "/visit/"
"""`/visit/{host}/{path}` asks the gateway for that host: names need no DNS here."""


def repository_url(number: int) -> str:
    """Return the repository of a project."""
    return f"https://git.sandbox/acme/p{number}.git"


def domain_of(number: int) -> str:
    """Return the domain of a project."""
    return f"p{number}.example.com"


def make_sandbox(projects: int, stage_seconds: float) -> Sandbox:
    """Return a platform with one repository and one domain for each project."""
    world = ScriptedWorld()
    sandbox = Sandbox(world, time.time, token=TOKEN, timing=Timing(workspace_start=2.0))
    for number in range(projects):
        repository = world.repository(repository_url(number))
        repository.commit(behaviour=Behaviour(step_seconds=stage_seconds))
        sandbox.add_domain(domain_of(number))
    return sandbox


class App:
    """The platform as an ASGI app."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call of the API, or a visit."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope["path"]
        if path.startswith(VISIT):
            host, _, rest = path.removeprefix(VISIT).partition("/")
            answer = self._sandbox.serve(host, f"/{rest}", dict(request.headers))
        else:
            answer = self._sandbox.handle(
                Call(
                    request.method,
                    path.removeprefix("/api"),
                    query=dict(request.query_params),
                    headers=dict(request.headers),
                    body=await request.body(),
                )
            )
        await WebResponse(answer.body, answer.status, dict(answer.headers))(scope, receive, send)


if __name__ == "__main__":
    port, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    uvicorn.run(
        App(make_sandbox(count, seconds)),
        host="127.0.0.1",
        port=port,
        log_level="critical",
        access_log=False,
    )
