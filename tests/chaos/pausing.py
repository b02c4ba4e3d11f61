"""For random histories: pushes as a Git host tells of them, and moments in which more happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.crossings import Crossings
from workers.releases.intake import Verdict


@dataclass
class Told:
    """A push on the Git host, as its deliveries tell of it."""

    commit: str
    before: str | None
    branch: str
    at: float
    forced: bool = False
    ids: list[str] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)


class PausingCrossings(Crossings):
    """Crossings at which something else may happen, once, before it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._act: Callable[[], None] | None = None
        self._where: int | str = 0
        self.interludes = 0
        """How many happened."""

    def kill_at(self, number: int) -> None:
        """Kill at a crossing, counted from now."""
        self._act = None
        self.start((number,))

    def pause_at(self, where: int | str, act: Callable[[], None]) -> None:
        """Carry out `act` at a crossing, counted from now or named by the beginning of its point."""
        self._act, self._where = act, where
        self.start()

    def _point(self, what: str) -> None:
        here = len(self.seen) == self._where if isinstance(self._where, int) else what.startswith(self._where)
        if self._counting and not self._dead and self._act is not None and here:
            act, self._act = self._act, None
            self.interludes += 1
            self._counting = False
            try:
                act()
            finally:
                self._counting = True
        super()._point(what)
