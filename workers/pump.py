"""Claims what is due and hands it to Celery."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from celery import Celery
from kombu.exceptions import OperationalError

from workers.errors import Outdated, StoreAway
from workers.queue import ADVANCE, INQUIRE, SEND_NOTICES

TICK_SECONDS = 0.03
HEARTBEAT_SECONDS = 1.0
PUT_OFF_SECONDS = 3.0
"""A claim that no worker carried out is due again after this."""
MOST_AT_ONCE = 32
BACK_OFF_SECONDS = (0.2, 1.0)
LATENESS_WINDOW_SECONDS = 10.0

log = logging.getLogger(__name__)


class Claiming(Protocol):
    """Where releases become due."""

    def claim(
        self, most: int, cap: int, put_off_seconds: float
    ) -> tuple[Sequence[str], Sequence[str], Sequence[str], float]:
        """Claim releases, receivers and inquiries; also how late (seconds) the latest release was."""
        ...

    def seen(self, worker: str) -> None:
        """Note that a worker process is alive; raises `Outdated`."""
        ...


class Pump:
    """One thread per worker process; survives any outage of the store.

    Ends itself and calls `outdated` once a newer version of Switchover has raised the store.
    """

    def __init__(
        self,
        store: Claiming,
        app: Celery,
        *,
        worker: str,
        concurrency: int,
        outdated: Callable[[Outdated], None] | None = None,
    ) -> None:
        self._store = store
        self._app = app
        self._worker = worker
        self._outdated = outdated
        self._cap = 2 * concurrency
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._beat_at = 0.0
        self._latest = (0.0, 0.0)
        self._away_since: float | None = None

    @property
    def lateness(self) -> float:
        """Return how late (seconds) the latest of the releases claimed in the last ten seconds was."""
        at, late = self._latest
        return late if time.monotonic() - at < LATENESS_WINDOW_SECONDS else 0.0

    def start(self) -> None:
        """Begin claiming."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """Claim nothing more after the tick under way."""
        self._ending.set()

    def stop(self) -> None:
        """Claim nothing more; returns within a second."""
        self._ending.set()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        wait = TICK_SECONDS
        shortest, longest = BACK_OFF_SECONDS
        while not self._ending.wait(wait):
            try:
                self._tick()
            except (StoreAway, OperationalError) as error:
                wait = shortest if self._away_since is None else min(longest, wait * 2)
                self._note_away(error)
            except Outdated as error:
                self._ending.set()
                if self._outdated is not None:
                    self._outdated(error)
            except Exception:  # the thread's edge: without its pump the process is useless
                wait = longest
                log.exception("claiming failed")
            else:
                wait = TICK_SECONDS
                self._note_back()

    def _tick(self) -> None:
        if time.monotonic() - self._beat_at >= HEARTBEAT_SECONDS:
            self._store.seen(self._worker)
            self._beat_at = time.monotonic()
        releases, receivers, inquiries, late = self._store.claim(
            min(MOST_AT_ONCE, self._cap), self._cap, PUT_OFF_SECONDS
        )
        if releases:
            self._note_lateness(late)
        for release in releases:
            self._send(ADVANCE, release)
        for receiver in receivers:
            self._send(SEND_NOTICES, receiver)
        for inquiry in inquiries:
            self._send(INQUIRE, inquiry)

    def _send(self, task: str, about: str) -> None:
        self._app.send_task(task, args=(about,), retry=False, ignore_result=True)

    def _note_lateness(self, late: float) -> None:
        at, worst = self._latest
        now = time.monotonic()
        if late >= worst or now - at >= LATENESS_WINDOW_SECONDS:
            self._latest = (now, late)

    def _note_away(self, error: Exception) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning("nothing is claimed until the store is back: %s", error)

    def _note_back(self) -> None:
        if self._away_since is not None:
            log.info("the store is back after %.1f s", time.monotonic() - self._away_since)
            self._away_since = None
