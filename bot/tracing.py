"""The outermost layer of every request: its id, its line in the log, and the net for our own faults."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.envelope import REQUEST_ID, envelope, problem_of

log = structlog.get_logger("switchover.web")

_SANE: Final = re.compile(rb"[A-Za-z0-9._-]{8,128}")
HEADER: Final = b"x-request-id"
_QUIET: Final = ("/livez", "/readyz", "/metrics")


class Tracing:
    """Gives each request an id (the caller's own, when it is sane) and answers what nobody caught.

    The query is never logged: it may hold a temporary token.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._id_of = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; see the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope[REQUEST_ID] = self._id_of(scope)
        tail = (HEADER, request_id.encode())
        begun = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), tail]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            log.exception("request failed", request_id=request_id, path=scope["path"])
            if status:
                raise
            await envelope(problem_of(error), request_id)(scope, receive, send_with_id)
        _tell(scope, request_id, status, time.perf_counter() - begun)


class RequestIds:
    """Tells the id of a request: its X-Request-Id when that is 8 to 128 plain characters, else a new one."""

    def __init__(self) -> None:
        # An id must tell requests apart, not be hard to guess: chance once, then counting.
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def __call__(self, scope: Scope) -> str:
        """Return the id of a request."""
        for name, value in scope["headers"]:
            if name == HEADER and _SANE.fullmatch(value):
                return str(value.decode("ascii"))
        return f"{self._prefix}{next(self._numbers):08x}"


def _tell(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    path: str = scope["path"]
    write = log.debug if path in _QUIET else log.info
    write(
        "request",
        method=scope["method"],
        path=path,
        status=status,
        ms=round(seconds * 1000, 1),
        request_id=request_id,
    )
