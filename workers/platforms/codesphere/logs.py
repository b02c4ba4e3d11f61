"""Reads the end of a log stream (server-sent events).

An event `data` holds a JSON array of `{timestamp, kind, data}`; an event `problem` is an error, under
HTTP 200. Nothing says that a stream ends, so reading is bounded in time, in silence and in bytes.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator

import httpx
from httpx_sse import EventSource, ServerSentEvent

from workers.platforms.answers import decipher
from workers.platforms.calls import Call
from workers.platforms.client import ApiClient
from workers.platforms.transport import while_time_is_left, within

LAST_LINES = 50
MOST_BYTES = 16 * 1024 * 1024
_PATIENCE = 8.0
_IDLE = 3.0
_LONGEST_LINE = 500
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Problem(Exception):
    """The stream carried an error; `body` is its JSON as text."""

    def __init__(self, body: str) -> None:
        super().__init__(body)
        self.body = body


class Tail:
    """The last lines of what was logged, as far as it was read."""

    def __init__(self, most: int = LAST_LINES) -> None:
        self._lines: deque[str] = deque(maxlen=most)
        self._open = ""

    def add(self, text: str) -> None:
        """Take in text, which may hold several lines or a part of one."""
        *whole, self._open = (self._open + text).split("\n")
        self._open = self._open[-_LONGEST_LINE * 2 :]
        self._lines.extend(filter(None, map(_readable, whole)))

    def lines(self) -> tuple[str, ...]:
        """Return the lines, oldest first, without escape codes and empty ones."""
        last = _readable(self._open)
        return (*self._lines, last)[-(self._lines.maxlen or LAST_LINES) :] if last else tuple(self._lines)


def read_into(tail: Tail, chunks: Iterable[bytes], *, most_bytes: int = MOST_BYTES) -> None:
    """Read the stream to its end or bound. Errors of `chunks` pass through; `Problem` for an event of it."""
    for event in _events(_bounded(chunks, most_bytes)):
        if event.event == "problem":
            raise Problem(event.data)
        if event.event in {"data", "message"}:
            for text in _texts(event.data):
                # Entries are lines of their own, whether or not they end like one.
                tail.add(text if text.endswith("\n") else f"{text}\n")


def read_tail(api: ApiClient, call: Call) -> tuple[str, ...]:
    """Read the end of the log that `call` asks for, in 8 s at most; errors are those of the API."""
    tail = Tail()
    with within(_PATIENCE), api.open(call, accept="text/event-stream", idle=_IDLE) as response:
        if not response.is_success:
            body = api.read_body(call, response)
            decipher(call, response.status_code, response.headers, body)
        try:
            read_into(tail, while_time_is_left(response.iter_bytes()))
        except Problem as problem:
            decipher(call, problem_status(problem.body), {}, problem.body.encode())
        except httpx.HTTPError:
            pass  # a stream that stays open, or breaks, leaves what was read
    return tail.lines()


def problem_status(body: str) -> int:
    """Read the status of an error inside a log stream; 500 where it tells none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return 500
    status = content.get("status") if isinstance(content, dict) else None
    return status if isinstance(status, int) and 400 <= status <= 599 else 500


def _events(chunks: Iterator[bytes]) -> Iterator[ServerSentEvent]:
    stream = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=chunks)
    return EventSource(stream).iter_sse()


def _bounded(chunks: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        yield chunk
        if size >= most_bytes:
            return


def _texts(data: str) -> list[str]:
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        return []
    if not isinstance(entries, list):
        entries = [entries]
    texts = [entry.get("data") for entry in entries if isinstance(entry, dict)]
    return [text for text in texts if isinstance(text, str)]


def _readable(line: str) -> str:
    # A progress bar rewrites its line; what it showed last is what a person would have seen.
    last = line.rstrip("\r").rpartition("\r")[2]
    return _UNPRINTABLE.sub("", _ESCAPES.sub("", last)).rstrip()[:_LONGEST_LINE]
