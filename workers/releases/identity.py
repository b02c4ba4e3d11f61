"""Names that must never meet twice: release ids, workspace names and marks."""

from __future__ import annotations

import random
import re
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_NOT_IN_NAMES = re.compile(r"[^a-z0-9-]+")
MARK = "switchover:"
"""What an ownership mark begins with; the release's id follows."""


def new_release_id() -> str:
    """Return a URL-safe id that sorts by time: ten characters of milliseconds, six of chance."""
    chance = random.getrandbits(30)  # ids must differ, not be hard to guess; Python reseeds it in forks
    return _base32(time.time_ns() // 1_000_000, 10) + _base32(chance, 6)


def mark_of(release_id: str) -> str:
    """Return the ownership mark that a release's workspace carries."""
    return MARK + release_id


def is_ours(mark: str | None) -> bool:
    """Tell whether a workspace carries an ownership mark of Switchover."""
    return mark is not None and mark.startswith(MARK)


def workspace_name(project: str, number: int, release_id: str, commit: str, try_number: int) -> str:
    """Return a name of at most 50 characters of `[a-z0-9-]`, unique by the release's id.

    Platforms promise neither unique names nor a limit, so we keep both ourselves.
    """
    tail = f"-r{number}-{release_id}-{commit[:7]}" + (f"-{try_number}" if try_number > 1 else "")
    head = _NOT_IN_NAMES.sub("-", project.lower()).strip("-") or "release"
    return head[: 50 - len(tail)].rstrip("-") + tail


def _base32(number: int, length: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(5 * length - 10, -1, -10)])
