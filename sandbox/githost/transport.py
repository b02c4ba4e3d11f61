"""The Git host behind an httpx client: no sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import httpx

from sandbox.core.http import Request, Response
from sandbox.githost.model import Dialect
from sandbox.githost.service import GitService
from sandbox.transport import as_httpx, waiting_time

GITHUB_URL = "http://api.github.sandbox"
GITLAB_URL = "http://gitlab.sandbox/api/v4"
BASES: Mapping[str, Dialect] = {GITHUB_URL: "github", GITLAB_URL: "gitlab"}


class GitHostTransport(httpx.BaseTransport):
    """Sends a call to the API whose base address it begins with; any other address refuses connections.

    `bases` gives the dialect that is spoken at each base address, so that GitHub Enterprise may stand
    under `/api/v3`. `sleep` waits out a scripted latency.
    """

    def __init__(
        self,
        service: GitService,
        *,
        bases: Mapping[str, Dialect] = BASES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.service = service
        self.bases = dict(bases)
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or raise what httpx would raise."""
        response = ask(self.service, self.bases, request, request.read())
        self._sleep(waiting_time(request, response))
        return as_httpx(request, response)


class AsyncGitHostTransport(httpx.AsyncBaseTransport):
    """The same for httpx.AsyncClient."""

    def __init__(self, service: GitService, *, bases: Mapping[str, Dialect] = BASES) -> None:
        self.service = service
        self.bases = dict(bases)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or raise what httpx would raise."""
        response = ask(self.service, self.bases, request, await request.aread())
        await asyncio.sleep(waiting_time(request, response))
        return as_httpx(request, response)


def ask(service: GitService, bases: Mapping[str, Dialect], request: httpx.Request, body: bytes) -> Response:
    """The host's answer to an httpx request."""
    origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    raw, _, query = request.url.raw_path.decode("ascii").partition("?")
    for base, dialect in bases.items():
        prefix = base.rstrip("/")
        if f"{origin}{raw}/".startswith(f"{prefix}/"):
            path = f"{origin}{raw}".removeprefix(prefix)
            asked = Request(request.method, path, dict(request.url.params), dict(request.headers), body)
            return service.handle(dialect, asked, query, prefix)
    return Response.broken("refused")
