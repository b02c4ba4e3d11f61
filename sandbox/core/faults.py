"""Faults that a test scripts: which calls they meet, and what goes wrong with them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from sandbox.core.http import (
    ApiFault,
    BrokenKind,
    Request,
    Response,
    answer_fault,
    answer_json,
    answer_text,
)

Garbage = Literal["html", "truncated", "empty-list", "empty", "unknown-state", "not-json"]


@dataclass
class Fault:
    """One rule. It lets `skip` matching calls pass, then meets `times` of them (None: all).

    `path` is a regular expression that must match the whole path, after the API's base and, for
    `where="gateway"`, `host/path`. With `after` the call takes effect first and only its answer is
    lost or spoilt; without, it never happens. `do` runs just before the call whatever else is set:
    somebody edits the domain, the branch moves on. `latency` is in seconds.
    """

    path: str = ".*"
    method: str = "*"
    skip: int = 0
    times: int | None = 1
    where: Literal["api", "gateway"] = "api"
    after: bool = False
    latency: float = 0
    status: int | None = None
    retry_after: float | None = None
    broken: BrokenKind | None = None
    garbage: Garbage | None = None
    do: Callable[[], None] | None = None
    met: int = field(default=0, init=False)
    seen: int = field(default=0, init=False)

    def claims(self, method: str, path: str, where: str) -> bool:
        """Count the call, and say whether this fault meets it."""
        if where != self.where or self.method not in ("*", method):
            return False
        if not re.fullmatch(self.path, path):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.met >= self.times):
            return False
        self.met += 1
        return True

    @property
    def spoils_before(self) -> bool:
        """The call never reaches the platform."""
        return not self.after and (self.status is not None or self.broken is not None)

    def spoil(self, response: Response) -> Response:
        """What the caller gets in place of the true answer."""
        delayed = replace(response, delay=response.delay + self.latency)
        if self.broken is not None:
            return Response.broken(self.broken, delay=delayed.delay)
        if self.status is not None:
            return replace(_refusal(self.status, self.retry_after), delay=delayed.delay)
        if self.garbage is not None:
            return replace(_garbled(self.garbage, response), delay=delayed.delay)
        return delayed


class Faults:
    """The rules in force; each that claims a call meets it, in the order they were added."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """Put a rule in force and give it back, so that a test can look at `met`."""
        self._rules.append(fault)
        return fault

    def clear(self) -> None:
        """Lift every rule."""
        self._rules.clear()

    def carry_out(self, request: Request, where: str, act: Callable[[Request], Response]) -> Response:
        """Let the call happen, or not, with whatever goes wrong with it."""
        method, path = request.method, request.path
        with self._lock:
            claimed = [rule for rule in self._rules if rule.claims(method, path, where)]
        for rule in claimed:
            if rule.do is not None:
                rule.do()
        kept_away = any(rule.spoils_before for rule in claimed)
        response = Response(200) if kept_away else act(request)
        for rule in claimed:
            response = rule.spoil(response)
        return response


def _refusal(status: int, retry_after: float | None) -> Response:
    response = answer_fault(ApiFault(status, "An internal error occurred"))
    if status in (502, 503, 504):
        response = answer_text(status, f"<html><h1>{status} Bad Gateway</h1></html>", "text/html")
    if retry_after is None:
        return response
    return replace(response, headers={**response.headers, "retry-after": f"{retry_after:g}"})


def _garbled(kind: Garbage, response: Response) -> Response:
    match kind:
        case "html":
            return answer_text(200, "<!doctype html><title>Sign in</title>", "text/html")
        case "truncated":
            return replace(response, body=response.body[: len(response.body) // 2])
        case "empty-list":
            return answer_json([])
        case "empty":
            return Response(200, {"content-length": "0"})
        case "not-json":
            return replace(response, body=b"\xff\xfe{")
        case "unknown-state":
            return answer_json(_with_unknown_state(json.loads(response.body or b"null")))


def _with_unknown_state(value: object) -> object:
    if isinstance(value, list):
        return [_with_unknown_state(element) for element in value]
    if isinstance(value, dict):
        return {
            key: "pondering" if key == "state" else _with_unknown_state(element)
            for key, element in value.items()
        }
    return value
