"""Which secret of a host verified a delivery last: written down now and then, beside the deliveries' way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from workers.errors import StoreAway

log = structlog.get_logger("switchover.receiver")

WRITE_EVERY_SECONDS: Final = 60.0
"""A secret's use is written at most so often by one process."""


class Notes(Protocol):
    """Where it is written down (`workers.store.intake.AsyncIntakeStore`)."""

    async def used(self, host: str, fingerprint: str) -> None:
        """Note that a delivery of the host was verified with a secret just now; `StoreAway`."""
        ...


class SecretUses:
    """Notes the use of secrets by their fingerprints. Belongs to one event loop."""

    def __init__(self, notes: Notes, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._notes = notes
        self._clock = clock
        self._written: dict[tuple[str, str], float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, host: str, fingerprint: str) -> None:
        """Note that this secret verified a delivery; returns at once."""
        now, use = self._clock(), (host, fingerprint)
        if now - self._written.get(use, float("-inf")) < WRITE_EVERY_SECONDS:
            return
        self._written[use] = now
        # The loop itself holds tasks only weakly.
        task = asyncio.get_running_loop().create_task(self._write(use))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, use: tuple[str, str]) -> None:
        try:
            await self._notes.used(*use)
        except StoreAway as error:
            self._written.pop(use, None)
            log.debug("the use of a secret was not noted; the next delivery tries again", reason=str(error))
