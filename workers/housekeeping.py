"""What is done now and then by whichever worker process comes first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from workers.errors import StoreAway

LOOK_SECONDS = 5.0

log = logging.getLogger(__name__)


class Turns(Protocol):
    """Where it stands whose turn a chore is (`workers.store.releases.ReleaseStore`)."""

    def turn(self, chore: str, seconds: float) -> bool:
        """Take a chore's turn; False while somebody's turn of the last `seconds` stands."""
        ...


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so many seconds, by one process."""

    name: str
    every: float
    do: Callable[[], None]


class Housekeeper:
    """One thread per worker process."""

    def __init__(self, turns: Turns, chores: Sequence[Chore]) -> None:
        self._turns = turns
        self._chores = chores
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
            if self._ending.is_set() or not self._turns.turn(chore.name, chore.every):
                continue
            chore.do()

    def _run(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            try:
                self.look()
            except StoreAway as error:
                log.debug("chores wait for the store: %s", error)
            except Exception:  # the thread's edge: a chore that fails must not end the others
                log.exception("a chore failed")
