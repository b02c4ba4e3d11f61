"""A switch call that takes effect late, in the middle of a release or of a rollback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.core.faults import Fault
from tests.chaos.lateness import FAILS_IN_PRODUCTION, ONE_LOOK, LateCall, LateHouse, led_to
from tests.flow.house import DOMAIN, settings
from workers.flow.steps.switch import SETTLE_SECONDS
from workers.releases.status import Status


@pytest.fixture
def house(store_url: str) -> Iterator[LateHouse]:
    made = LateHouse(store_url, settings(observe={"for": 4.0}))
    yield made
    made.close()


@pytest.mark.parametrize("after", [0.0, 1.0, 3.0])
def test_a_call_that_comes_while_the_next_release_is_observed_is_put_right_within_a_look(
    house: LateHouse, after: float
) -> None:
    fault = house.lose_a_switch()
    house.publish("one")
    late = house.lost(fault)
    house.live(1)
    commit = house.publish("two")
    house.until_step("observe", 2)
    house.run(seconds=after)
    house.notices()

    late.arrive()
    came = house.clock()
    house.run(lambda: house.connections() == led_to(house, 2), seconds=60)
    took = house.clock() - came
    release = house.live(2)

    assert took <= 1.5
    assert house.served() == commit
    assert release.downtime is not None
    assert release.downtime.failed == 0
    assert ("put_right", 2) in house.notices()


def arriving_once_there_is_trouble(house: LateHouse, late: LateCall) -> None:
    """Let a late call take effect as the domain is read before the former connections are put back."""

    def arrive() -> None:
        if house.release(3).memory.get("scratch", {}).get("trouble") and not came:
            came.append(True)
            late.arrive()

    came: list[bool] = []
    domain = house.sandbox.domain_path(DOMAIN)
    house.sandbox.faults.add(Fault(method="GET", path=domain, times=None, do=arrive))


def arriving_at_the_read_after_the_next_put(house: LateHouse, late: LateCall) -> Fault:
    """Let a late call take effect between the next PUT and the read that confirms it."""
    domain = house.sandbox.domain_path(DOMAIN)
    read = Fault(method="GET", path=domain, do=late.arrive)

    def then_read() -> None:
        house.sandbox.faults.add(read)

    house.sandbox.faults.add(Fault(method="PUT", path=f"{domain}/.*", do=then_read))
    return read


def test_a_call_that_comes_between_the_next_switch_and_its_confirmation_is_switched_over(
    house: LateHouse,
) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    read = arriving_at_the_read_after_the_next_put(house, late)
    commit = house.publish("three")

    release = house.live(3)

    assert read.met == 1
    assert release.record("switch").detail == f"{DOMAIN} leads / to {release.workspace_id}"
    assert release.memory["former"] == led_to(house, 2)
    assert house.served() == commit
    assert any("was put right" in line for line in house.said(3)), house.said(3)


def test_a_call_that_comes_before_the_next_switch_is_switched_over(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    commit = house.publish("three")
    house.until_step("verify", 3)

    late.arrive()
    house.live(3)

    assert house.served() == commit
    assert house.release(3).memory["former"] == led_to(house, 2), "what stood there before, not the late map"


def test_a_release_that_begins_over_a_late_call_begins_from_what_should_stand(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()

    late.arrive()
    house.publish("three")
    house.until_step("prepare", 3)

    assert house.release(3).memory["snapshot"] == led_to(house, 2)
    house.live(3)
    assert house.connections() == led_to(house, 3)


@pytest.mark.parametrize("confirming", [False, True], ids=["before its call", "before it is confirmed"])
def test_a_call_that_comes_during_a_rollback_is_rolled_back_over(house: LateHouse, confirming: bool) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    house.publish("three")
    house.live(3)
    read = Fault(method="GET", path=house.sandbox.domain_path(DOMAIN), do=late.arrive)
    if confirming:
        read = arriving_at_the_read_after_the_next_put(house, late)
    else:
        house.sandbox.faults.add(read)
    house.operations.rollback(house.release(3).id, actor="ann")

    house.run(lambda: house.release(3).status is not Status.LIVE)

    assert read.met == 1
    assert house.release(3).status is Status.ROLLED_BACK
    assert house.connections() == led_to(house, 2)
    assert house.release(2).status is Status.LIVE
    assert any("was put right" in line for line in house.said(3)), house.said(3)


@pytest.mark.parametrize("confirming", [False, True], ids=["before its call", "before it is confirmed"])
def test_a_call_that_comes_during_an_automatic_return_is_returned_over(
    house: LateHouse, confirming: bool
) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    house.publish("three", FAILS_IN_PRODUCTION)
    house.run(lambda: bool(house.release(3).memory.get("switched_at")))
    if confirming:
        arriving_at_the_read_after_the_next_put(house, late)
    else:
        arriving_once_there_is_trouble(house, late)

    assert house.settled(3).status is Status.ROLLED_BACK

    assert house.connections() == led_to(house, 2)
    assert house.release(2).status is Status.LIVE
    assert any("was put right" in line for line in house.said(3)), house.said(3)


def test_a_repair_whose_call_goes_unanswered_is_settled_by_reading(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    late.arrive()
    house.lose_a_switch()

    house.watch(SETTLE_SECONDS + ONE_LOOK + 4)

    assert house.connections() == led_to(house, 2)
    assert house.release(2).operation is None


def test_a_rollback_asked_while_a_late_call_is_put_right_is_refused_for_a_moment(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    late.arrive()
    house.services.sentry.look()

    with pytest.raises(Exception, match="is being put right"):
        house.operations.rollback(house.release(2).id, actor="ann")
    house.rest(ONE_LOOK)
    house.operations.rollback(house.release(2).id, actor="ann")
    house.run(lambda: house.release(1).status is Status.LIVE)

    assert house.connections() == led_to(house, 1)
