from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from celery import Celery

from workers.errors import StoreAway
from workers.pump import Pump
from workers.queue import ADVANCE, INQUIRE, SEND_NOTICES, make_celery
from workers.store.connection import connect
from workers.store.keyspace import BROKER_PREFIX, QUEUE


@dataclass
class Due:
    """Releases and receivers that are due, and a store that may be away."""

    releases: list[str] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    inquiries: list[str] = field(default_factory=list)
    late: float = 0.0
    away: bool = False
    claims: int = 0
    beats: list[str] = field(default_factory=list)

    def claim(
        self, most: int, cap: int, put_off_seconds: float
    ) -> tuple[Sequence[str], Sequence[str], Sequence[str], float]:
        assert most <= cap
        assert put_off_seconds > 0
        self.claims += 1
        if self.away:
            raise StoreAway("gone for a moment")
        claimed = (self.releases, self.receivers, self.inquiries, self.late)
        self.releases, self.receivers, self.inquiries = [], [], []
        return claimed

    def seen(self, worker: str) -> None:
        self.beats.append(worker)


def soon(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def app(store_url: str) -> Celery:
    return make_celery(store_url, key_prefix=BROKER_PREFIX, queue=QUEUE)


def test_what_is_due_is_handed_to_celery(store_url: str, app: Celery) -> None:
    due = Due(["r-1", "r-2"], ["team"], ["d-1/shop"], late=0.25)
    pump = Pump(due, app, worker="worker-1", concurrency=4)
    pump.start()
    with connect(store_url) as client:
        soon(lambda: client.llen(BROKER_PREFIX + QUEUE) == 4)
        tasks = list(client.lrange(BROKER_PREFIX + QUEUE, 0, -1))
    pump.stop()
    app.close()

    assert sum(ADVANCE in text for text in tasks) == 2
    assert sum(SEND_NOTICES in text for text in tasks) == 1
    assert sum(INQUIRE in text for text in tasks) == 1
    assert pump.lateness == 0.25
    assert due.beats[0] == "worker-1"


def test_an_outage_is_waited_out_without_haste_and_told_once(
    app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    due = Due(away=True)
    pump = Pump(due, app, worker="worker-1", concurrency=4)
    pump.start()
    began_at = time.monotonic()
    soon(lambda: due.claims >= 4)
    took = time.monotonic() - began_at
    due.away = False
    soon(lambda: due.claims >= 6)
    pump.stop()
    app.close()

    assert took > 0.9  # 0.2 s, 0.4 s and 0.8 s between the four
    assert caplog.text.count("nothing is claimed until the store is back") == 1


def test_a_pump_stops_within_a_second(app: Celery) -> None:
    pump = Pump(Due(away=True), app, worker="worker-1", concurrency=4)
    pump.start()
    began_at = time.monotonic()

    pump.stop()

    app.close()
    assert time.monotonic() - began_at < 1.2
