"""Requests and answers as plain values, and the error bodies of the platform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

JsonValue = object
"""Whatever `json.loads` gives."""

BrokenKind = Literal["reset", "timeout", "refused", "open"]
"""`open` is an answer whose body comes but never ends."""

TRACE_ID = "5a0d0b0c0ffee000000000000000cafe"


@dataclass(frozen=True)
class Request:
    """One call of the API. `path` is still percent-encoded and starts after the API's base."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The header of that name, whatever its case; empty when it is not there."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True)
class Broken:
    """An answer that does not arrive whole: a broken connection, or one that stays silent."""

    kind: BrokenKind


@dataclass(frozen=True)
class Response:
    """One answer. `delay` is the seconds that a transport waits before it hands the answer over."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0
    fault: Broken | None = None

    @classmethod
    def broken(cls, kind: BrokenKind, *, delay: float = 0) -> Response:
        """An answer that the caller never gets to see."""
        return cls(0, delay=delay, fault=Broken(kind))

    def json(self) -> object:
        """The body as JSON; raises ValueError where it is none."""
        return json.loads(self.body)


class ApiFault(Exception):
    """A refusal in the platform's own words; becomes the error body of the answer."""

    def __init__(self, status: int, title: str, detail: str | None = None) -> None:
        super().__init__(f"{status} {title}")
        self.status = status
        self.title = title
        self.detail = detail


def answer_json(value: object, status: int = 200) -> Response:
    """An answer that carries JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status, {"content-type": "application/json; charset=utf-8"}, body)


def answer_empty() -> Response:
    """What every action answers: 200 without a body."""
    return Response(200, {"content-length": "0"})


def answer_text(status: int, text: str, content_type: str = "text/plain") -> Response:
    """An answer in plain text or HTML."""
    return Response(status, {"content-type": f"{content_type}; charset=utf-8"}, text.encode())


def answer_fault(fault: ApiFault) -> Response:
    """The error body; a 500 comes bare, without detail and trace id, as it was seen."""
    return answer_json(problem(fault), fault.status)


def problem(fault: ApiFault) -> dict[str, object]:
    """The keys of an error body."""
    body: dict[str, object] = {"status": fault.status, "title": fault.title}
    if fault.status >= 500:
        return body
    if fault.detail is not None:
        body["detail"] = fault.detail
    return body | {"traceId": TRACE_ID}
