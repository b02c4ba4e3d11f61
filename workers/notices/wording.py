"""What a notice says. Pure: from the body that the flow wrote to a title and a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SHORT_COMMIT = 10
LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Wording:
    """A notice in words."""

    title: str
    text: str


def worded(body: Mapping[str, Any]) -> Wording:
    """Return a notice in words.

    `body` has `kind` (live, failed, rolled_back, waiting, stuck, put_right), `project` and `number`, and
    may have `commit`, `ref`, `reason`, `step`, `url` (where production answers) and `release`; what is
    missing is left out.
    """
    title, lines = WORDS.get(str(body.get("kind", "")), _other)(body)
    return Wording(title, "\n".join(lines))


Worded = tuple[str, list[str]]


def _live(body: Mapping[str, Any]) -> Worded:
    return f"{_name(body)} is live", [
        f"{_what(body)} serves {body.get('url') or 'production'} now.",
        *_reason(body),
    ]


def _failed(body: Mapping[str, Any]) -> Worded:
    step = body.get("step")
    where = f" at the step {step}" if step else ""
    return f"{_name(body)} failed", [
        f"{_what(body)} failed{where}.",
        *_reason(body),
        f"Next: fix the cause and push again, or try the same commit once more: "
        f"{_command('releases retry', body)}",
    ]


def _rolled_back(body: Mapping[str, Any]) -> Worded:
    return f"{_name(body)} was rolled back", [
        f"{_what(body)} was taken back; what served {body.get('url') or 'production'} before serves again.",
        *_reason(body),
        "Next: find out what went wrong, then push a fix. This commit is not released again by itself.",
    ]


def _waiting(body: Mapping[str, Any]) -> Worded:
    if body.get("step") == "checks":
        after = "Next: nothing, if the outside checks pass. Otherwise: "
        return f"{_name(body)} waits for outside checks", [
            f"{_what(body)} is built and healthy, and waits for outside checks before it goes live.",
            *_reason(body),
            f"{after}{_command('releases cancel', body)}",
        ]
    return f"{_name(body)} waits for approval", [
        f"{_what(body)} is built and healthy, and waits for a person's approval before it goes live.",
        *_reason(body),
        f"Next: {_command('releases approve', body)}, or {_command('releases reject', body)}",
    ]


def _stuck(body: Mapping[str, Any]) -> Worded:
    step = body.get("step")
    where = f" at the step {step}" if step else ""
    return f"{_name(body)} needs a person", [
        f"{_what(body)} cannot go on{where} by itself.",
        *_reason(body),
        f"Next: look at it: {_command('releases show', body)}",
    ]


def _put_right(body: Mapping[str, Any]) -> Worded:
    return f"{_name(body)} was put right", [
        f"{_what(body)}: {body.get('url') or 'production'} led elsewhere for a moment.",
        *_reason(body),
        "Next: nothing. What stands there now is what was released last, or what you rolled back to.",
    ]


def _other(body: Mapping[str, Any]) -> Worded:
    kind = str(body.get("kind") or "something new").replace("_", " ")
    return f"{_name(body)}: {kind}", [f"{_what(body)}: {kind}.", *_reason(body)]


WORDS: Mapping[str, Callable[[Mapping[str, Any]], Worded]] = {
    "live": _live,
    "failed": _failed,
    "rolled_back": _rolled_back,
    "waiting": _waiting,
    "stuck": _stuck,
    "put_right": _put_right,
}


def _name(body: Mapping[str, Any]) -> str:
    return f"{body.get('project', 'a project')} #{body.get('number', '?')}"


def _what(body: Mapping[str, Any]) -> str:
    details = []
    if body.get("commit"):
        details.append(f"commit {str(body['commit'])[:SHORT_COMMIT]}")
    if body.get("ref"):
        details.append(str(body["ref"]).removeprefix("refs/heads/").removeprefix("refs/tags/"))
    suffix = f" ({', '.join(details)})" if details else ""
    return f"Release #{body.get('number', '?')} of {body.get('project', 'a project')}{suffix}"


def _reason(body: Mapping[str, Any]) -> list[str]:
    reason = str(body.get("reason") or "").strip()
    if len(reason) > LONGEST_REASON:
        reason = f"{reason[:LONGEST_REASON]}..."
    return [f"Reason: {reason}"] if reason else []


def _command(words: str, body: Mapping[str, Any]) -> str:
    return f"switchover {words} {body.get('release') or '<id>'}"
