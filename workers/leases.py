"""Keeping the leases of one worker process while its tasks work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from workers.errors import StoreAway
from workers.releases.model import Lease

RENEW_SECONDS = 1.0
MARGIN_SECONDS = 0.2
"""We stop believing in a lease so much earlier than the store does."""

log = logging.getLogger(__name__)


class Renewing(Protocol):
    """Where leases are kept."""

    def renew(self, lease: Lease) -> bool:
        """Keep a lease for another term; False when it has passed on."""
        ...


class HeldLease:
    """A lease that is being renewed, judged by our own monotonic clock as well as by the store."""

    def __init__(self, lease: Lease, term: float, since: float, clock: Callable[[], float]) -> None:
        self.lease = lease
        self._term = term
        self._until = since + term - MARGIN_SECONDS
        self._clock = clock
        self._refused = False

    @property
    def lost(self) -> bool:
        """Tell whether the lease has passed on, or was not renewed within its term. Never turns back."""
        if not self._refused and self._clock() >= self._until:
            self._refused = True
        return self._refused

    @property
    def seconds_left(self) -> float:
        """Return how long the lease lasts by our clock if nobody renews it; 0 when it is lost."""
        return 0.0 if self.lost else self._until - self._clock()

    def renewed(self, asked_at: float) -> None:
        """Note that the store kept the lease; `asked_at` is the monotonic time just before it was asked."""
        if not self.lost:
            self._until = max(self._until, asked_at + self._term - MARGIN_SECONDS)

    def refuse(self) -> None:
        """Note that the lease has passed on."""
        self._refused = True


class Renewer:
    """One thread per process that renews every lease held in it, each second."""

    def __init__(
        self, store: Renewing, *, lease_seconds: float = 3.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._term = lease_seconds
        self._clock = clock
        self._held: set[HeldLease] = set()
        self._guard = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def hold(self, lease: Lease, *, since: float | None = None) -> Iterator[HeldLease]:
        """Renew a lease for as long as the block lasts.

        `since` is the monotonic time just before the lease was asked for; without it, now.
        """
        held = HeldLease(lease, self._term, self._clock() if since is None else since, self._clock)
        with self._guard:
            self._held.add(held)
        try:
            yield held
        finally:
            with self._guard:
                self._held.discard(held)

    def start(self) -> None:
        """Begin renewing."""
        self._thread = threading.Thread(target=self._run, name="renewer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End renewing, within a second of the store's answer."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def renew_all(self) -> None:
        """Renew every lease that is held now."""
        with self._guard:
            held_now = list(self._held)
        for held in held_now:
            asked_at = self._clock()
            if held.lost:
                continue
            if self._store.renew(held.lease):
                held.renewed(asked_at)
            else:
                held.refuse()

    def _run(self) -> None:
        while not self._ending.wait(RENEW_SECONDS * min(1.0, self._term / 3.0)):
            try:
                self.renew_all()
            except StoreAway as error:
                # The leases run out by our own clock; the tasks see that and stop.
                log.warning("leases could not be renewed: %s", error)
