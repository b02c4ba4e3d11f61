"""What is done now and then: by whichever process comes first, or by each of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from workers.errors import StoreAway

LOOK_SECONDS = 5.0
START_SECONDS = 60.0
"""Processes that start within so much of each other do a chore of the start once."""

log = logging.getLogger(__name__)


class Turns(Protocol):
    """Where it stands whose turn a chore is (`workers.store.releases.ReleaseStore`)."""

    def turn(self, chore: str, seconds: float) -> bool:
        """Take a chore's turn; False while somebody's turn of the last `seconds` stands."""
        ...


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds, by one process; with `everywhere` at every look, by each.

    `at_start`: also when processes start, whoever's turn stands.
    """

    name: str
    every: float
    do: Callable[[], None]
    at_start: bool = False
    everywhere: bool = False


class Housekeeper:
    """A thread of a process. What may take long gets one of its own."""

    def __init__(self, turns: Turns, chores: Sequence[Chore]) -> None:
        self._turns = turns
        self._chores = chores
        self._begun: set[str] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Do no further chore; returns within a second."""
        self._ending.set()
        self._thread.join(timeout=1.0)

    def look(self) -> None:
        """Do every chore whose turn it is."""
        for chore in self._chores:
            if not self._ending.is_set() and self._is_due(chore):
                chore.do()

    def _is_due(self, chore: Chore) -> bool:
        if chore.everywhere:
            return True
        usual = self._turns.turn(chore.name, chore.every)
        if not chore.at_start or chore.name in self._begun:
            return usual
        first = self._turns.turn(f"start:{chore.name}", START_SECONDS)
        self._begun.add(chore.name)
        return usual or first

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self.look()
            except StoreAway as error:
                log.debug("chores wait for the store: %s", error)
            except Exception:  # the thread's edge: a chore that fails must not end the others
                # At the end the connections of a chore under way are closed beneath it.
                log.log(
                    logging.DEBUG if self._ending.is_set() else logging.ERROR, "a chore failed", exc_info=True
                )
            self._ending.wait(LOOK_SECONDS)


class ReloadWatch:
    """Reads the configuration again when somebody asked another process to.

    `generation` counts how often that was asked; `reload` deals with a faulty file by itself.
    """

    def __init__(self, generation: Callable[[], int], reload: Callable[[], None]) -> None:
        self._generation = generation
        self._reload = reload
        self._seen: int | None = None

    def look(self) -> None:
        """Read again if that was asked since the last look; the first look only counts. `StoreAway`."""
        asked, seen = self._generation(), self._seen
        self._seen = asked
        if seen is not None and asked != seen:
            self._reload()
