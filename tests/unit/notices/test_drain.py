from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from workers.notices.channels import NotSent
from workers.notices.drain import Drain
from workers.notices.wording import Wording
from workers.store.connection import connect
from workers.store.keyspace import key
from workers.store.outbox import OutboxStore


@dataclass
class Receiver:
    """A chat in memory that may refuse."""

    refuses: bool = False
    why: NotSent = field(default_factory=lambda: NotSent("it refuses"))
    titles: list[str] = field(default_factory=list)
    tried: int = 0

    def send(self, wording: Wording) -> None:
        self.tried += 1
        if self.refuses:
            raise self.why
        self.titles.append(wording.title)


@dataclass
class Clock:
    """The store's clock, which may jump ahead (ms)."""

    ahead: int = 0

    def __call__(self) -> int:
        return self.ahead


@pytest.fixture
def client(store_url: str) -> Iterator[redis.Redis]:
    with connect(store_url) as connected:
        yield connected


def put(client: redis.Redis, receiver: str, *numbers: int, **more: object) -> None:
    """Write notices as the script does that moves a release."""
    for number in numbers:
        body = {"kind": "live", "project": "shop", "number": number} | more
        client.rpush(key("outbox", receiver), json.dumps(body))
        client.zadd(key("outbox_due"), {receiver: 0})


def test_notices_are_sent_in_order_and_leave_the_outbox(client: redis.Redis) -> None:
    put(client, "team", 1, 2, 3)
    team = Receiver()

    Drain(OutboxStore(client), {"team": team}.get).drain("team")

    assert team.titles == ["shop #1 is live", "shop #2 is live", "shop #3 is live"]
    assert client.llen(key("outbox", "team")) == 0
    assert client.zscore(key("outbox_due"), "team") is None


def test_a_refused_notice_keeps_its_place_and_is_sent_later(client: redis.Redis) -> None:
    clock = Clock()
    put(client, "team", 1, 2)
    team = Receiver(refuses=True)
    drain = Drain(OutboxStore(client, offset=clock), {"team": team}.get)
    drain.drain("team")
    team.refuses = False
    clock.ahead += 1100

    drain.drain("team")

    assert team.titles == ["shop #1 is live", "shop #2 is live"]


def test_one_receiver_that_fails_does_not_keep_another_waiting(client: redis.Redis) -> None:
    put(client, "broken", 1)
    put(client, "team", 1)
    broken, team = Receiver(refuses=True), Receiver()
    drain = Drain(OutboxStore(client), {"broken": broken, "team": team}.get)

    drain.drain("broken")
    drain.drain("team")

    assert team.titles == ["shop #1 is live"]
    assert client.llen(key("outbox", "broken")) == 1


def test_the_pause_between_two_tries_grows_to_five_minutes(client: redis.Redis) -> None:
    clock = Clock()
    put(client, "team", 1)
    outbox = OutboxStore(client, offset=clock)
    drain = Drain(outbox, {"team": Receiver(refuses=True)}.get)
    pauses = []
    for _ in range(11):
        drain.drain("team")
        due = client.zscore(key("outbox_due"), "team")
        assert due is not None
        pauses.append(round(float(due) / 1000 - outbox.now()))
        clock.ahead += 300_000

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_notice_is_given_up_after_fifty_tries_with_a_log_line(
    client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    put(client, "team", 7)
    team = Receiver(refuses=True)
    drain = Drain(OutboxStore(client, offset=clock), {"team": team}.get)
    for _ in range(60):
        drain.drain("team")
        clock.ahead += 300_000

    assert team.tried == 50
    assert client.llen(key("outbox", "team")) == 0
    assert "given up after 50 tries: it refuses" in caplog.text
    assert "'number': 7" in caplog.text


def test_a_notice_that_is_a_day_old_is_given_up_and_the_next_one_follows(client: redis.Redis) -> None:
    outbox = OutboxStore(client)
    put(client, "team", 1, at=outbox.now() - 24 * 3600 - 1)
    put(client, "team", 2, at=outbox.now())
    team = Receiver(refuses=True)

    Drain(outbox, {"team": team}.get).drain("team")

    assert team.tried == 2
    assert client.llen(key("outbox", "team")) == 1


def test_a_receiver_may_ask_for_a_longer_pause(client: redis.Redis) -> None:
    put(client, "team", 1)
    outbox = OutboxStore(client)
    team = Receiver(refuses=True, why=NotSent("it is busy", wait=900.0))

    Drain(outbox, {"team": team}.get).drain("team")

    due = client.zscore(key("outbox_due"), "team")
    assert due is not None
    assert round(float(due) / 1000 - outbox.now()) == 900


def test_what_is_not_worth_trying_for_long_is_given_up_early(client: redis.Redis) -> None:
    clock = Clock()
    outbox = OutboxStore(client, offset=clock)
    put(client, "team", 1, at=outbox.now())
    team = Receiver(refuses=True, why=NotSent("it knows nothing of it", within=60.0))
    drain = Drain(outbox, {"team": team}.get)
    drain.drain("team")
    clock.ahead += 59_000
    drain.drain("team")
    assert client.llen(key("outbox", "team")) == 1
    clock.ahead += 2_000
    drain.drain("team")
    clock.ahead += 2_000
    drain.drain("team")

    assert client.llen(key("outbox", "team")) == 0


def test_reports_to_git_hosts_go_to_whoever_tells_them(client: redis.Redis) -> None:
    told: list[object] = []

    class Reports:
        def send(self, body: Mapping[str, Any]) -> None:
            told.append(body["releases"])

    client.rpush(key("outbox", "report:shop"), json.dumps({"releases": ["r-1"]}))

    Drain(OutboxStore(client), lambda _receiver: None, Reports()).drain("report:shop")

    assert told == [["r-1"]]
    assert client.llen(key("outbox", "report:shop")) == 0


def test_what_is_being_sent_is_not_sent_by_another_worker_meanwhile(client: redis.Redis) -> None:
    clock = Clock()
    put(client, "team", 1)
    outbox = OutboxStore(client, offset=clock)
    entry = outbox.take("team")

    assert entry is not None
    assert entry.body["number"] == 1
    assert outbox.take("team") is None
    clock.ahead += 61_000
    assert outbox.take("team") == entry


def test_notices_to_a_receiver_that_is_not_configured_any_more_are_given_up(
    client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    put(client, "former", 1, 2)

    Drain(OutboxStore(client), lambda _receiver: None).drain("former")

    assert client.llen(key("outbox", "former")) == 0
    assert "no notices.former any more" in caplog.text
