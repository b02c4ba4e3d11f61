"""After a time in which deliveries could not be taken, the workers are asked to look for what was missed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool

from workers.errors import StoreAway

EVERY_SECONDS: Final = 1.0
MOST_TRIES: Final = 86_400
"""A store that is away for longer than a day is found by the usual sweeps, after its return."""

log = logging.getLogger(__name__)


class Reminder:
    """Asks the workers to sweep as soon as the store takes it.

    `nudge` returns False when that was asked just before.
    """

    def __init__(self, nudge: Callable[[], bool], *, every: float = EVERY_SECONDS) -> None:
        self._nudge = nudge
        self._every = every
        self._task: asyncio.Task[None] | None = None

    def missed(self) -> None:
        """Note that a delivery was not taken, or that nobody listened; call it in the event loop."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._remind())

    async def idle(self) -> None:
        """Return when what was missed has been told; at once where nothing was."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()

    async def _remind(self) -> None:
        for _ in range(MOST_TRIES):
            try:
                if await run_in_threadpool(self._nudge):
                    return
            except StoreAway as error:
                log.debug("the workers will be asked to look for lost pushes: %s", error)
            await asyncio.sleep(self._every)  # the store is away, or was asked just before
