"""checks and approval: what stands between a proven version and the switch."""

from __future__ import annotations

from dataclasses import dataclass

from config.projects import ProjectSettings
from workers.flow.outcomes import Outcome, Settled, Skip
from workers.flow.steps.base import timed_out
from workers.flow.turn import Turn
from workers.releases.model import Cause


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that a project may configure; one that it did not configure is skipped."""

    name: str
    what: str

    def timeout(self, project: ProjectSettings) -> float:
        """Return the time that an unconfigured gate may take: it never waits."""
        return 60.0

    def look(self, turn: Turn) -> Outcome:
        """Skip."""
        return Skip(f"no {self.what} configured")

    def settle(self, turn: Turn) -> Outcome:
        """There is nothing to settle."""
        return Settled()

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Fail."""
        return timed_out(turn, self.timeout(turn.project), last, cause)
