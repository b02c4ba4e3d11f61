"""Probes production on a fixed clock, for the releases whose switch is near."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import httpx

from workers.errors import StoreAway
from workers.releases.probing import ProbeSpec, Tally
from workers.store.probes import Watch

LOOK_SECONDS = 0.25
REPORT_SECONDS = 1.0
GOOD_BEFORE_SWITCH = 5
"""So many good probes in a row let a switch begin."""
MOST_UNDER_WAY = 256
MOST_WATCHES = 64
LARGEST_BODY = 64 * 1024
STOP_SECONDS = 3.0

Made = TypeVar("Made")

log = logging.getLogger(__name__)


class Probing(Protocol):
    """Where it stands who probes what."""

    def take(self, owner: str) -> Watch | None:
        """Take the probing of one release that nobody probes now."""
        ...

    def report(self, watch: Watch, tally: Tally, *, nudge: bool = False) -> bool:
        """Write a tally and keep the lease; False when the probing has passed on or was ended."""
        ...

    def let_go(self, watch: Watch, tally: Tally) -> bool:
        """Write a tally for the last time."""
        ...


class Prober:
    """One per worker process: a thread with a loop of its own."""

    def __init__(
        self,
        store: Probing,
        *,
        owner: str,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        self._store = store
        self._owner = owner
        self._transport = transport
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._wait_until = 0.0
        self._calls = ThreadPoolExecutor(2, thread_name_prefix="prober-store")

    def start(self) -> None:
        """Begin looking for releases to probe."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Report what was counted and let every watch go, so that another prober takes it at once."""
        if self._loop is not None and self._ending is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(timeout=STOP_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._watch_all())
        self._calls.shutdown()

    async def _watch_all(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        watching: set[asyncio.Task[None]] = set()
        async with self._client() as client:
            while not self._ending.is_set():
                watching = still_running(watching)
                may_take = len(watching) < MOST_WATCHES and time.monotonic() >= self._wait_until
                watch = await self._take() if may_take else None
                if watch is None:
                    await passed(self._ending, LOOK_SECONDS)
                else:
                    watched = _Watched(watch, client, self._store_call, self._store, self._ending)
                    watching.add(asyncio.create_task(watched.run(), name=watch.release))
                    log.debug("probing %s for release %s", watch.spec.url, watch.release)
            if watching:
                await asyncio.wait(watching)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=None if self._transport is None else self._transport(),
            # Every probe is a visitor who comes anew: a kept connection would hide a dead listener.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"User-Agent": "Switchover-probe", "Cache-Control": "no-cache"},
            timeout=None,  # noqa: S113 - each probe has a time-out of its own
            follow_redirects=False,
            trust_env=False,
        )

    async def _take(self) -> Watch | None:
        try:
            return await self._store_call(lambda: self._store.take(self._owner))
        except StoreAway:
            # Those who went on probing meanwhile report first, or what they counted would be lost.
            self._wait_until = time.monotonic() + REPORT_SECONDS
            return None
        except Exception:  # the thread's edge: one bad entry must not end all probing
            log.exception("no probing could be taken")
            return None

    async def _store_call(self, call: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._calls, call)


class StoreCall(Protocol):
    """Runs a blocking call of the store beside the loop."""

    async def __call__(self, call: Callable[[], Made]) -> Made:
        """Return what the call returned."""
        ...


class _Watched:
    """One release being probed."""

    def __init__(
        self,
        watch: Watch,
        client: httpx.AsyncClient,
        store_call: StoreCall,
        store: Probing,
        ending: asyncio.Event,
    ) -> None:
        self._watch = watch
        self._tally = watch.tally
        self._client = client
        self._store_call = store_call
        self._store = store
        self._ending = ending
        # The store's clock, carried on by our monotonic one.
        self._ahead = watch.now - time.monotonic()
        self._news = asyncio.Event()
        self._over = False
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Probe until the store says that it is over, or this process ends."""
        reporting = asyncio.create_task(self._report_all())
        reporting.add_done_callback(self._end)
        try:
            await self._send_all()
            await reporting
        finally:
            reporting.cancel()
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(reporting, *self._under_way, return_exceptions=True)

    def _end(self, _reporting: asyncio.Task[None]) -> None:
        self._over = True

    async def _send_all(self) -> None:
        every = self._watch.spec.every
        due = time.monotonic()
        while not self._over and not self._ending.is_set():
            if len(self._under_way) < MOST_UNDER_WAY:
                task = asyncio.create_task(self._probe())
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            due += every
            late = time.monotonic() - due
            if late > every:
                # What a stopped or starved process missed stays missed: no burst of probes makes it good.
                due += every * int(late / every)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _probe(self) -> None:
        sent = time.monotonic()
        why = await probe(self._client, self._watch.spec)
        before = self._tally
        self._tally = before.record(
            sent + self._ahead, time.monotonic() + self._ahead, ok=why is None, why=why
        )
        if is_news(before, self._tally, self._watch.spec.failures):
            self._news.set()

    async def _report_all(self) -> None:
        wait = REPORT_SECONDS
        while not self._over and not self._ending.is_set():
            await first_of(self._news, self._ending, wait)
            nudge = self._news.is_set()
            self._news.clear()
            try:
                kept = await self._report(nudge=nudge)
            except StoreAway:
                # Keep counting: what happens while the store is away is told afterwards.
                await passed(self._ending, LOOK_SECONDS)
                wait = 0.0
                if nudge:
                    self._news.set()
            else:
                wait = REPORT_SECONDS
                self._over = not kept
        if not self._over:
            await self._let_go()

    async def _report(self, *, nudge: bool) -> bool:
        tally = self._tally
        return await self._store_call(lambda: self._store.report(self._watch, tally, nudge=nudge))

    async def _let_go(self) -> None:
        tally = self._tally
        try:
            await self._store_call(lambda: self._store.let_go(self._watch, tally))
        except StoreAway as error:
            log.warning("the last probes of release %s are not reported: %s", self._watch.release, error)


def still_running(tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Return the tasks that are not done, and log those that failed."""
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            log.error("probing for release %s failed", task.get_name(), exc_info=task.exception())
    return {task for task in tasks if not task.done()}


def is_news(before: Tally, after: Tally, failures: int) -> bool:
    """Tell whether the flow should look at once.

    It should when a switch may begin for the first time, and whenever so many `failures` more came in a
    row: the flow counts only those sent after the switch, and we do not know when that was.
    """
    good = before.good_in_a_row < GOOD_BEFORE_SWITCH <= after.good_in_a_row
    failed = after.failed_in_a_row
    return good or (failed > before.failed_in_a_row and failed % failures == 0)


async def probe(client: httpx.AsyncClient, spec: ProbeSpec) -> str | None:
    """Ask once, as a visitor would; returns None when the answer was good, else what was wrong with it."""
    try:
        async with asyncio.timeout(spec.timeout), client.stream("GET", spec.url) as answer:
            size = 0
            async for piece in answer.aiter_raw():
                size += len(piece)
                if size > LARGEST_BODY:
                    break
    except TimeoutError:
        return f"no answer within {spec.timeout:g} s"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"no answer: {error or type(error).__name__}"
    return None if answer.status_code == spec.status else f"answered {answer.status_code}, not {spec.status}"


async def passed(event: asyncio.Event, seconds: float) -> bool:
    """Wait so long for an event; tell whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def first_of(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Wait so long for the first of two events."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
