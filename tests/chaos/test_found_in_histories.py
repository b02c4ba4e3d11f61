"""What random histories found once, each as a case of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.house import House, settings
from workers.releases.status import Status

BROKEN = Behaviour(failures=(Failure("test"),))


@pytest.fixture
def house(store_url: str) -> Iterator[House]:
    made = House(store_url, settings(observe={"for": 0.4}))
    yield made
    made.close()


def test_the_first_push_of_a_branch_sent_again_after_it_failed_makes_no_second_release(house: House) -> None:
    commit = house.commit("first", BROKEN)
    house.push(commit, before=None, at=1000.0)
    assert house.settled().status is Status.FAILED

    again = house.push(commit, before=None, at=1000.0)

    assert again.verdict == "duplicate"
    assert again.releases == (house.release(1).id,)


def test_an_event_sent_again_after_the_branch_came_back_to_its_commit_makes_no_release(house: House) -> None:
    first, second = house.commit("first", BROKEN), house.commit("second")
    house.push(first, before=None, at=1000.0)
    house.push(second, before=first, at=1001.0)
    house.push(first, before=second, at=1002.0, forced=True)
    assert house.settled(3).status is Status.FAILED

    again = house.push(first, before=None, at=1000.0)

    assert again.verdict == "duplicate"


@pytest.mark.parametrize("told", [True, False])
def test_a_commit_that_the_branch_was_moved_back_from_is_late_once_the_return_is_known(
    told: bool, house: House
) -> None:
    first, second = house.commit("first"), house.commit("second")
    house.push(first, before=None, at=1000.0)
    if told:
        house.push(second, before=first, at=1001.0)
    third = house.commit("third")
    house.push(first, before=third, at=1004.0, forced=True)

    late = house.push(third, before=first, at=1003.0)

    assert late.verdict == "ignored"
    house.rest()
    assert house.served() == first


def test_a_commit_is_late_where_the_return_from_it_was_heard_first(house: House) -> None:
    first, second = house.commit("first"), house.commit("second")
    house.push(first, before=second, at=1002.0, forced=True)

    late = house.push(second, before=first, at=1001.0)

    assert late.verdict == "ignored"


def test_a_rollback_that_a_newer_release_overtakes_ends_and_says_so(house: House) -> None:
    for number in (1, 2):
        house.publish(str(number))
        house.live(number)
    house.publish("three")
    house.until_step("observe", 3)
    house.operations.rollback(house.release(2).id, actor="ann")

    house.live(3)
    house.rest()

    overtaken = house.release(2)
    assert (overtaken.status, overtaken.operation) == (Status.REPLACED, None)
    assert "the rollback was not done: release #3 took over meanwhile" in house.said(2)
