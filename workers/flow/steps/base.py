"""What every step has in common."""

from __future__ import annotations

from typing import Protocol

from config.projects import ProjectSettings
from workers.flow.outcomes import Fail, Outcome
from workers.flow.turn import Turn
from workers.releases.model import Cause


class Step(Protocol):
    """One step. `look` reads and decides; `settle` finds out what became of an open intent.

    Both may raise `TryAgain` (the engine backs off), `Refused` and `Gone` (the release fails).
    """

    @property
    def name(self) -> str:
        """The step's name in the contract."""
        ...

    def timeout(self, project: ProjectSettings) -> float:
        """Return how many seconds the step may take, errors included."""
        ...

    def look(self, turn: Turn) -> Outcome:
        """Look once and say what follows."""
        ...

    def settle(self, turn: Turn) -> Outcome:
        """Find out what became of the call of the open intent."""
        ...

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Say what follows when the time is over; `last` is what was seen last."""
        ...


def timed_out(turn: Turn, seconds: float, last: str, cause: Cause) -> Fail:
    """Return the failure of a step whose time is over."""
    return Fail(cause, f"{turn.release.step} did not end within {in_words(seconds)}; last seen: {last}")


def in_words(seconds: float) -> str:
    """Return a duration as the configuration writes it."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"
