"""Looking at repositories for pushes that no webhook told us of: sweeps (`catch-up`) and polls.

A look notes what it finds, and a later one writes it down, so that a webhook that is merely on its way comes
first. What is written down is checked once more against the host and against what came meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from config.settings import Settings
from workers.errors import PlatformError, StoreAway, TryAgain
from workers.flow.looking.found import Admission, Admitting, Ids
from workers.flow.looking.look import Look, LookStore
from workers.flow.looking.places import Place, places_of
from workers.flow.looking.resending import Resender
from workers.flow.ports import GitHost
from workers.releases.looks import Taken

LEASE_SECONDS = 60.0
"""A look that its worker did not finish is made again after so long."""
MOST_PLACES = 20
"""So many repositories are looked at in one run at the most; the others wait for the next run."""

log = logging.getLogger(__name__)

HostOf = Callable[[str], GitHost | None]


class SweepStore(LookStore, Protocol):
    """Where it stands whose turn a look is (`workers.store.sweeps.SweepStore`)."""

    def take(self, names: Sequence[str], *, lease: float) -> Taken | None:
        """Take the look that has been due for the longest."""
        ...

    def done(self, taken: Taken, seconds: float) -> None:
        """Have the next look come in so many seconds."""
        ...

    def nudge(self) -> bool:
        """Have every repository swept now; False when that was asked for just before."""
        ...


class Sweeper:
    """Looks at every repository in its turn. `hosts` gives what asks a host, None where nothing can."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        hosts: HostOf,
        store: SweepStore,
        intake: Admitting,
        now: Callable[[], float],
        ids: Ids,
    ) -> None:
        self._settings = settings
        self._hosts = hosts
        self._store = store
        self._admission = Admission(settings, intake, ids)
        self._now = now
        self._resender = Resender(store)
        self._was_away = False
        self._told: dict[str, str] = {}

    def run(self) -> int:
        """Look at what is due, at most `MOST_PLACES`; returns at how many. `StoreAway` when it cannot be.

        A host that does not answer is left alone for the rest of the run, and the others are looked at.
        """
        try:
            return self._run()
        except StoreAway:
            # Deliveries were lost meanwhile: nobody should wait for the usual turn.
            self._was_away = True
            raise

    def _run(self) -> int:
        if self._was_away and self._store.nudge():
            self._was_away = False
        places = {place.name: place for place in places_of(self._settings(), self._can_ask)}
        for looked in range(MOST_PLACES):
            taken = self._store.take(list(places), lease=LEASE_SECONDS) if places else None
            if taken is None:
                return looked
            place = places[taken.name]
            away = self._look(place, taken)
            if away:
                places = {name: each for name, each in places.items() if each.host != place.host}
        return MOST_PLACES

    def _can_ask(self, host: str) -> bool:
        return self._client(host) is not None

    def _client(self, host: str) -> GitHost | None:
        try:
            return self._hosts(host)
        except ValueError as error:
            self._say(host, f"host {host} cannot be asked: {error}")
            return None

    def _look(self, place: Place, taken: Taken) -> bool:
        """Look at one place and put the next look off; tells whether its host should be left alone."""
        host = self._client(place.host)
        if host is None:
            return True
        try:
            next_in = Look(self._store, self._admission, self._resender, host, place, self._now()).run(
                self._settings().server.public_url
            )
        except PlatformError as error:
            wait = error.wait if isinstance(error, TryAgain) else None
            self._store.done(taken, max(place.every, wait or 0.0))
            self._say(place.name, f"{place.repository} at {place.host} was not looked at: {error}")
            return isinstance(error, TryAgain)
        self._store.done(taken, next_in)
        if self._told.pop(place.name, None) is not None:
            log.info("%s at %s is looked at again", place.repository, place.host)
        return False

    def _say(self, about: str, what: str) -> None:
        """Log a trouble once for as long as it stands."""
        if self._told.get(about) != what:
            self._told[about] = what
            log.warning("%s", what)
