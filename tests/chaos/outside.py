"""Around a town: projects, the pushes of their host, and a scripted platform behind a real socket."""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import Response as WebResponse
from starlette.types import Receive, Scope, Send

from sandbox.core.platform import Timing
from sandbox.core.sandbox import Sandbox
from sandbox.scripted.world import ScriptedWorld
from sandbox.server import ApiEndpoint

TOKEN = "a-platform-token-for-chaos"
VISIT = "/visit/"
"""`/visit/{host}/{path}` asks the gateway for that host: names need no DNS here."""


@dataclass(frozen=True)
class Project:
    """One project of a town."""

    name: str
    domain: str
    path: str = "/"

    @property
    def git_url(self) -> str:
        """Return its repository."""
        return f"https://git.sandbox/acme/{self.name}.git"

    @property
    def lane(self) -> str:
        """Return the name of its lane."""
        return f"{self.name}@{self.domain}"


class PlatformServer:
    """The scripted platform behind a real socket, in a thread of the test."""

    def __init__(self, projects: Sequence[Project], path: Path) -> None:
        self.world = ScriptedWorld()
        self.sandbox = Sandbox(self.world, time.time, token=TOKEN, timing=Timing())
        for project in projects:
            self.world.repository(project.git_url)
            if project.domain not in self.sandbox.platform.domains:
                self.sandbox.add_domain(project.domain)
        self._api = ApiEndpoint(self.sandbox)
        self.path = path
        """A socket that leads here, too, from wherever loopback does not."""
        self._listeners = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        self._listeners[1].bind(str(path))
        self.port = int(self._listeners[0].getsockname()[1])
        self._server = uvicorn.Server(
            uvicorn.Config(self, log_config=None, access_log=False, timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, args=(self._listeners,), daemon=True)
        self._thread.start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call of the API, or a visit."""
        if scope["type"] != "http":
            return
        if not scope["path"].startswith(VISIT):
            await self._api(scope, receive, send)
            return
        request = Request(scope, receive)
        host, _, rest = scope["path"].removeprefix(VISIT).partition("/")
        answer = self.sandbox.serve(host, f"/{rest}", dict(request.headers))
        await WebResponse(answer.body, answer.status, dict(answer.headers))(scope, receive, send)

    def stop(self) -> None:
        """End the server."""
        self._server.should_exit = True
        self._thread.join(10)
        for listener in self._listeners:
            listener.close()


def push_event(project: Project, commit: str, before: str | None) -> dict[str, Any]:
    """Return the fields of a push that are read."""
    return {
        "ref": "refs/heads/main",
        "before": before or "0" * 40,
        "after": commit,
        "created": before is None,
        "deleted": False,
        "forced": False,
        "head_commit": {"id": commit, "message": "Change", "timestamp": "2026-01-01T00:00:00Z"},
        "commits": [],
        "repository": {
            "id": zlib.crc32(project.name.encode()),
            "full_name": f"acme/{project.name}",
            "default_branch": "main",
            "clone_url": project.git_url,
        },
        "pusher": {"name": "tester"},
        "sender": {"login": "tester", "type": "User"},
    }


def some_projects(count: int) -> list[Project]:
    """Return so many projects, each with a domain of its own."""
    return [Project(f"p{number}", f"p{number}.example.com") for number in range(count)]
