"""What the store answers when a move is applied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """The move was written, at this time of the store (seconds)."""

    now: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing was written: somebody asked the release to end, and this move must not pass that."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing was written: a lock, a freeze, a pin, a hold or the order forbids the move for now."""

    why: str


Applied = Moved | Stopped | Blocked
