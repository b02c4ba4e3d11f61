"""Releases that take too long are told of once, and a platform that was away gets another attempt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour
from tests.flow.house import House, settings
from workers.releases.model import Cause
from workers.releases.status import Status
from workers.store.keyspace import key


@pytest.fixture
def told_house(store_url: str) -> Iterator[House]:
    made = House(store_url, settings(notify=["team"], stages={"prepare": {"timeout": 600.0}}))
    yield made
    made.close()


def notices(house: House) -> list[Any]:
    return [json.loads(text) for text in house.client.lrange(key("outbox", "team"), 0, -1)]


def test_a_stage_that_never_ends_is_told_of_once_with_what_it_waits_for(told_house: House) -> None:
    told_house.push(told_house.commit(behaviour=Behaviour(stuck=("prepare",))))

    release = told_house.settled()

    assert release.status is Status.FAILED
    stuck = [notice for notice in notices(told_house) if notice["kind"] == "stuck"]
    assert len(stuck) == 1
    assert stuck[0]["step"] == "prepare"
    assert "waiting for" in stuck[0]["reason"]


def test_the_watchdog_learns_how_long_a_step_usually_takes(told_house: House) -> None:
    before = None
    for number in range(1, 4):
        commit = told_house.commit(str(number))
        told_house.push(commit, before=before)
        told_house.live(number)
        before = commit
    slow = told_house.commit("slow", behaviour=Behaviour(seconds={"prepare": 200.0}))
    told_house.push(slow, before=before)

    told_house.live(4)

    stuck = [notice for notice in notices(told_house) if notice["kind"] == "stuck"]
    assert [notice["number"] for notice in stuck] == [4]


def test_a_platform_that_was_away_for_a_whole_step_gets_three_attempts_and_no_more(
    told_house: House,
) -> None:
    told_house.sandbox.faults.add(Fault(".*/pipeline/prepare", method="GET", status=503, times=None))
    told_house.push(told_house.commit())

    release = told_house.settled()

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert release.failure.cause is Cause.TRANSIENT
    assert release.attempt == 3
    assert release.finished_at is not None
    assert release.finished_at - release.created_at < 3 * 600 + 120


def test_a_platform_that_comes_back_within_an_attempt_costs_only_time(told_house: House) -> None:
    commit = told_house.commit()
    fault = told_house.sandbox.faults.add(Fault(".*/pipeline/prepare", method="GET", status=503, times=None))
    told_house.push(commit)
    told_house.run(lambda: told_house.release().attempt == 2)
    fault.times = 0

    release = told_house.live()

    assert told_house.visit().json()["commit"] == commit
    assert release.record("prepare").attempt == 2
