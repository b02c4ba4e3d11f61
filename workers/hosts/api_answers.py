"""What a Git host's answer means for the caller: use it, be quiet, again, never, or gone. Pure.

Sources: docs.github.com, "Rate limits for the REST API"; docs.gitlab.com, "Rate limits" and "REST API".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from workers.errors import Effect, Gone, PlatformError, Refused, TryAgain
from workers.hosts.api_calls import Answer, Call

LONGEST_QUIET: Final = 3600.0
"""No host is left alone for longer than this (seconds), whatever it asks for."""

_UNSAID_QUIET: Final = 60.0
_LONGEST_TEXT: Final = 300
_SHORTEST_SECRET: Final = 4
_TAGS: Final = re.compile(r"<[^<>]{0,2000}>")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]+|\s+")
_REMAINING: Final = ("x-ratelimit-remaining", "ratelimit-remaining")
_RESET: Final = ("x-ratelimit-reset", "ratelimit-reset")
_LIMITING: Final = frozenset({403, 429, 503})

T = TypeVar("T")


def quiet_asked(answer: Answer, now: float) -> float | None:
    """Return for how many seconds the host wants no call; None where it does not ask for quiet.

    A used-up budget counts from a good answer on, so that the next call is not spent on hearing "no".
    `now` is seconds since 1970, for answers without a Date.
    """
    since = _moment(answer.headers.get("date", ""))
    since = now if since is None else since
    limiting = answer.status in _LIMITING
    wait = _retry_after(answer.headers.get("retry-after", ""), since) if limiting else None
    if wait is None and _first(answer.headers, _REMAINING) == "0":
        reset = _number(_first(answer.headers, _RESET))
        wait = _UNSAID_QUIET if reset is None else reset - since
        if not limiting and reset is None:
            return None
    if wait is None and (answer.status == HTTPStatus.TOO_MANY_REQUESTS or _is_secondary(answer)):
        wait = _UNSAID_QUIET
    if wait is None:
        return None
    return min(max(wait, 0.0), LONGEST_QUIET)


def meaning(call: Call, answer: Answer, host: str, secrets: tuple[str, ...], now: float) -> PlatformError:
    """Build the error that a failing answer stands for."""
    text = _fault(answer.body, secrets)
    what = f"could not {call.purpose}: {call.method} {call.path} at {host} answered {answer.status}"
    what = f"{what} {text}" if text else what
    status, quiet = answer.status, quiet_asked(answer, now)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TryAgain(what, wait=quiet, effect=effect_of(call))
    if status in {408, 425, 429} or (status == HTTPStatus.FORBIDDEN and quiet is not None):
        return TryAgain(what, wait=quiet, effect=Effect.NONE)
    if not is_from_api(answer):
        return TryAgain(f"{what}: that is not the API's own answer; check api_url", effect=Effect.NONE)
    match status:
        case 401:
            return Refused(f"{what} (the token was refused; it may have expired or been revoked)")
        case 403:
            return Refused(f"{what} ({call.hint or 'the token may not do that'})")
        case 404 | 410:
            return Gone(f"{what} (it is not there, or the token may not see it)")
        case _:
            return Refused(what)


def is_from_api(answer: Answer) -> bool:
    """Tell whether the API itself answered: in JSON, and not a router, gateway or login page before it.

    A 404 of a gateway taken for the API's would make an existing branch look deleted.
    """
    try:
        return isinstance(json.loads(answer.body), dict | list)
    except (ValueError, RecursionError):
        return False


def parsed(call: Call, answer: Answer, shape: type[T], host: str) -> T:
    """Read a good answer into the shape; `TryAgain` names what is wrong with it, never its values."""
    try:
        found: T = _adapter(cast("Hashable", shape)).validate_json(answer.body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            why = "the body is no JSON (cut off, or a page of a gateway); if it stays so, check api_url"
        else:
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            why = f"not as its API is described: {place}: {first['msg']}"
        raise unusable(call, host, why) from None
    return found


def unusable(call: Call, host: str, why: str) -> TryAgain:
    """Build the error for an answer that says "done" but cannot be used."""
    return TryAgain(
        f"could not {call.purpose}: {call.method} {call.path} at {host} answered, but {why}",
        effect=effect_of(call),
    )


def effect_of(call: Call) -> Effect:
    """Tell what a call whose outcome is not known may have done."""
    return Effect.UNKNOWN if call.changes else Effect.NONE


def printable(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Cut foreign text to one printable line without our secrets."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return _UNPRINTABLE.sub(" ", text).strip()[:_LONGEST_TEXT]


@cache
def _adapter(shape: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast("Any", shape))


def _fault(body: bytes, secrets: tuple[str, ...]) -> str:
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return printable(_TAGS.sub(" ", text), secrets)
    if not isinstance(content, dict):
        return ""
    said = content.get("message") or content.get("error_description") or content.get("error")
    if isinstance(said, dict) and isinstance(said.get("message"), str):
        said = said["message"]
    return printable(said if isinstance(said, str) else json.dumps(said) if said else "", secrets)


def _is_secondary(answer: Answer) -> bool:
    return answer.status == HTTPStatus.FORBIDDEN and b"rate limit" in answer.body[:4096].lower()


def _retry_after(value: str, since: float) -> float | None:
    seconds = _number(value)
    if seconds is not None:
        return seconds
    until = _moment(value)
    return None if until is None else until - since


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((headers[name].strip() for name in names if name in headers), "")


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moment(value: str) -> float | None:
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def seconds_since_1970(moment: str | None) -> float | None:
    """Read an RFC 3339 or HTTP date; None where there is none that makes sense."""
    if not moment:
        return None
    try:
        date = datetime.fromisoformat(moment)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return _moment(moment)
