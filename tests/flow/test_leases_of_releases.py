"""Leases and fences: one worker at a time moves a release, and a late one can write nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.scripted.behaviour import Behaviour
from tests.flow.conftest import MakeHouse
from tests.flow.house import House
from workers.errors import IllegalMove, LeaseLost
from workers.releases.model import Move
from workers.releases.moves import Moved
from workers.releases.status import Status
from workers.store.keyspace import key
from workers.store.releases import LEASE_SECONDS

MORE_THAN_A_LEASE = LEASE_SECONDS + 0.1


def queued(house: House) -> str:
    """Return the id of a release that waits to be taken."""
    house.publish()
    return house.release().id


def test_a_release_that_a_worker_holds_cannot_be_taken_by_another(house: House) -> None:
    release_id = queued(house)
    store = house.services.store

    first = store.take(release_id, "one", only_called=False)
    second = store.take(release_id, "two", only_called=False)

    assert first is not None
    assert second is None


def test_a_worker_that_was_fenced_off_writes_nothing(house: House) -> None:
    release_id = queued(house)
    store = house.services.store
    late = store.take(release_id, "late", only_called=False)
    assert late is not None
    house.jump(MORE_THAN_A_LEASE)
    store.take(release_id, "next", only_called=False)
    before = house.client.hgetall(key("release", release_id))

    with pytest.raises(LeaseLost):
        store.apply(
            Move(replace(late.release, status=Status.FAILED, reason="late"), late.release.status), late.lease
        )

    assert house.client.hgetall(key("release", release_id)) == before
    assert not store.renew(late.lease)


def test_a_worker_whose_lease_ran_out_writes_nothing_although_nobody_took_it(house: House) -> None:
    release_id = queued(house)
    taken = house.services.store.take(release_id, "late", only_called=False)
    assert taken is not None
    house.jump(MORE_THAN_A_LEASE)

    with pytest.raises(LeaseLost):
        house.services.store.apply(Move(taken.release, taken.release.status), taken.lease)


def test_a_renewed_lease_goes_on(house: House) -> None:
    release_id = queued(house)
    store = house.services.store
    taken = store.take(release_id, "one", only_called=False)
    assert taken is not None
    for _ in range(4):
        house.jump(LEASE_SECONDS / 2)
        assert store.renew(taken.lease)

    assert isinstance(store.apply(Move(taken.release, taken.release.status), taken.lease), Moved)


def test_every_fence_is_higher_than_the_last(house: House) -> None:
    release_id = queued(house)
    fences = []
    for name in "abc":
        taken = house.services.store.take(release_id, name, only_called=False)
        assert taken is not None
        fences.append(taken.lease.fence)
        house.jump(MORE_THAN_A_LEASE)

    assert fences == sorted(set(fences))


def test_a_move_from_a_status_that_does_not_allow_it_is_refused_whole(house: House) -> None:
    release_id = queued(house)
    taken = house.services.store.take(release_id, "one", only_called=False)
    assert taken is not None

    with pytest.raises(IllegalMove, match="is queued and cannot become live"):
        house.services.store.apply(
            Move(replace(taken.release, status=Status.LIVE), taken.release.status, effects={"live": "1"}),
            taken.lease,
        )

    assert house.release().status is Status.QUEUED
    assert house.reading.lane(house.release().lane).lane.live is None


def test_a_release_whose_worker_died_is_taken_over(house: House) -> None:
    commit = house.publish()
    house.until_step("prepare")
    house.services.store.take(house.release().id, "dies at once", only_called=False)

    house.live()

    assert house.served() == commit


def test_a_release_that_kills_its_workers_fails_after_five(house: House) -> None:
    house.publish()
    house.until_step("prepare")
    release_id = house.release().id
    for number in range(6):
        assert house.services.store.take(release_id, f"victim {number}", only_called=False) or number == 0
        house.jump(MORE_THAN_A_LEASE)

    release = house.settled()
    house.rest()

    assert release.status is Status.FAILED
    assert "workers in a row died or froze" in release.reason
    assert house.workspaces() == []


def test_workers_that_die_now_and_then_cost_nothing(house: House) -> None:
    commit = house.publish("slow", Behaviour(step_seconds=5.0))
    house.until_step("prepare")
    for _ in range(12):
        if house.services.store.take(house.release().id, "dies", only_called=False):
            house.jump(MORE_THAN_A_LEASE)
        house.run(seconds=1.0)

    house.live()

    assert house.served() == commit


def test_waking_a_release_twice_does_nothing_more(house: House) -> None:
    house.publish()
    (release_id, *_), _, _, _ = house.services.store.claim(10, 100, 5.0)
    house.services.engine.advance(release_id)
    calls, lines = len(house.sandbox.calls), len(house.reading.history(release_id))

    house.services.engine.advance(release_id)
    house.services.engine.advance("0" * 16)

    assert len(house.sandbox.calls) == calls
    assert len(house.reading.history(release_id)) == lines


def test_a_claimed_release_that_nobody_carries_out_is_due_again(house: House) -> None:
    release_id = queued(house)
    first, _, _, _ = house.services.store.claim(10, 100, 5.0)
    at_once, _, _, _ = house.services.store.claim(10, 100, 5.0)
    house.jump(5.1)

    again, _, _, late = house.services.store.claim(10, 100, 5.0)

    assert (first, at_once, again) == ([release_id], [], [release_id])
    assert 0.0 <= late < 1.0


def test_no_more_is_claimed_than_the_queue_may_hold(house: House) -> None:
    queued(house)
    house.client.rpush("switchover:celery:advance", *["task"] * 7)

    full, _, _, _ = house.services.store.claim(10, 7, 5.0)
    room, _, _, _ = house.services.store.claim(10, 8, 5.0)

    assert (len(full), len(room)) == (0, 1)


def test_a_store_of_a_newer_version_is_left_alone(house: House) -> None:
    release_id = queued(house)
    house.client.set(key("schema"), 99)

    house.run(seconds=30)

    assert house.release().status is Status.QUEUED
    assert house.release().id == release_id


def test_a_second_worker_goes_on_where_the_first_one_stopped(make_house: MakeHouse) -> None:
    house = make_house()
    commit = house.publish()
    house.until_step("run")

    house.begin()
    house.live()

    assert house.served() == commit
    assert len([call for call in house.sandbox.calls if call.path == "/workspaces"]) == 1
