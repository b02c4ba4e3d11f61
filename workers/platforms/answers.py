"""What an API's answer means for the caller: again, never, asleep or gone. Pure.

The statuses and bodies are those of the Codesphere API: errors are `{status, title, detail?, traceId?}`
as JSON, but unknown routes answer in text, gateways in HTML, and parts may be missing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from workers.errors import Asleep, Effect, Gone, PlatformError, Refused, TryAgain
from workers.platforms.calls import JSON, Call

_LONGEST_WAIT = 3600.0
_CONFLICT_WAIT = 3.0
_LONGEST_TEXT = 300
_SHORTEST_SECRET = 4
_NOT_RUNNING = re.compile(r"\bnot (?:in a )?running\b", re.IGNORECASE)
_TAGS = re.compile(r"<[^>]*>")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+|\s+")

_REFUSALS = {
    401: "the token was refused or its user is no member there; `switchover doctor` asks GET /teams, which"
    " tells a dead token from a missing membership",
    402: "billing information is missing; add it in the platform's team settings",
    403: "the token's user may not do that; use a key of a member of the team",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error answer says of itself."""

    text: str
    trace_id: str | None = None
    is_api: bool = False
    """True where the API itself answered, and not a router or gateway in front of it."""


def decipher(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime | None = None
) -> JSON:
    """Return the JSON of a good answer (None for actions), or raise what the answer means.

    `headers` are looked up in lower case. `now` is what a Retry-After date is measured from when the
    answer has no Date of its own.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return _parsed(call, body) if call.wants_json else None
    fault = read_fault(body, call.secrets)
    what = f"could not {call.purpose}: {call.method} {call.path} answered {status}"
    if fault.text:
        what = f"{what} {fault.text}"
    raise _meaning(call, status, what, fault, retry_after(headers, now or datetime.now(UTC)))


def effect_of(call: Call) -> Effect:
    """Tell what a call whose outcome is not known may have done."""
    return Effect.UNKNOWN if call.changes else Effect.NONE


def unusable(call: Call, why: str) -> TryAgain:
    """Build the error for an answer that says "done" but cannot be used."""
    return TryAgain(
        f"could not {call.purpose}: {call.method} {call.path} answered, but {why}", effect=effect_of(call)
    )


def read_fault(body: bytes, secrets: tuple[str, ...] = ()) -> Fault:
    """Read title, detail and trace id of an error body, whatever it is made of."""
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return Fault(printable(_TAGS.sub(" ", text), secrets))
    if not isinstance(content, dict):
        return Fault(printable(text, secrets))
    said = [content.get(key) for key in ("title", "detail")]
    words = [word for word in said if isinstance(word, str) and word]
    trace = content.get("traceId")
    return Fault(
        printable(": ".join(words), secrets),
        printable(trace, secrets) if isinstance(trace, str) and trace else None,
        is_api=bool(words) or "status" in content,
    )


def printable(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Cut foreign text to one printable line without our secrets."""
    return _UNPRINTABLE.sub(" ", masked(text, secrets)).strip()[:_LONGEST_TEXT]


def masked(text: str, secrets: tuple[str, ...]) -> str:
    """Replace every secret by `***`; values too short to be one are left."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After as seconds from now, at most an hour; None when there is none that makes sense."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = _date(value)
        since = _date(headers.get("date", "")) or now
        seconds = (until - since).total_seconds() if until else math.nan
    return min(max(seconds, 0.0), _LONGEST_WAIT) if math.isfinite(seconds) else None


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _parsed(call: Call, body: bytes) -> JSON:
    try:
        content: JSON = json.loads(body)
    except (ValueError, RecursionError):
        raise unusable(call, "the body is no JSON (cut off, or a page of a gateway)") from None
    return content


def _meaning(call: Call, status: int, what: str, fault: Fault, wait: float | None) -> PlatformError:
    """Build the error that a failing status stands for."""
    trace = fault.trace_id
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # Gateways answer 502 to 504; only a 500 is the word of the platform itself.
        doubtful = bool(call.hint) and status == HTTPStatus.INTERNAL_SERVER_ERROR
        what = _hinted(what, call.hint) if doubtful else what
        return TryAgain(what, wait=wait, effect=effect_of(call), doubtful=doubtful, trace_id=trace)
    match status:
        case 400 if _NOT_RUNNING.search(fault.text):
            return Asleep(what, trace_id=trace)
        case 404:
            return _missing(call, what, fault)
        case 408:
            return TryAgain(what, wait=wait, effect=effect_of(call), trace_id=trace)
        case 409:
            wait = max(_CONFLICT_WAIT, wait or 0.0)
            return TryAgain(what, wait=wait, effect=Effect.NONE, trace_id=trace)
        case 425 | 429:
            return TryAgain(what, wait=wait, effect=Effect.NONE, trace_id=trace)
        case _:
            hint = call.hint if status == HTTPStatus.BAD_REQUEST else _REFUSALS.get(status, "")
            return Refused(_hinted(what, hint), trace_id=trace)


def _missing(call: Call, what: str, fault: Fault) -> PlatformError:
    # A 404 of a router or gateway says nothing about the thing we asked for. Taken as "gone" it would
    # count an undeleted workspace as deleted.
    if f"Cannot {call.method} /" in fault.text:
        return Refused(f"{what}: the API has no such route; check the platform's api_url")
    if fault.is_api or not fault.text:
        return Gone(what, trace_id=fault.trace_id)
    return TryAgain(
        f"{what}: that is not the API's own answer; check the platform's api_url", effect=Effect.NONE
    )


def _hinted(what: str, hint: str) -> str:
    return f"{what} ({hint})" if hint else what
