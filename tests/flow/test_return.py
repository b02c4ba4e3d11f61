"""Trouble after the switch: the former connections stand again, verified, or the lane waits for a person."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour
from tests.flow.conftest import MakeHouse
from tests.flow.house import DOMAIN, House, settings
from workers.releases.status import Status

BAD_IN_PRODUCTION = Behaviour(production=Answer(500, "down"))
PUT = ".*/workspace-connections"


def hold(house: House) -> str | None:
    """Return why the lane of the project is held, or None."""
    found = house.reading.lane(house.release().lane).lane.hold
    return None if found is None else str(found["reason"])


def test_a_version_that_fails_in_production_is_taken_back_and_the_old_one_serves_again(house: House) -> None:
    good = house.publish()
    first = house.live()
    house.publish("bad", BAD_IN_PRODUCTION)

    release = house.settled(2)
    house.rest()

    assert release.status is Status.ROLLED_BACK
    assert "3 probes of production failed in a row after the switch (answered 500)" in release.reason
    assert house.served() == good
    assert house.connections() == {"/": [first.workspace_id]}
    assert house.workspaces() == [first.workspace_id]
    assert house.release(1).status is Status.LIVE
    assert release.downtime is not None
    assert release.downtime.failed >= 3
    assert house.failed_queue() == [2]
    assert hold(house) is None


def test_other_paths_stay_as_they_are_when_ours_are_put_back(house: House) -> None:
    other = house.foreign()
    house.connect({"/docs": [other]})
    house.publish()
    first = house.live()
    house.publish("bad", BAD_IN_PRODUCTION)

    house.settled(2)

    assert house.connections() == {"/docs": [other], "/": [first.workspace_id]}


def test_what_somebody_else_had_connected_is_put_back_as_it_was_found(house: House) -> None:
    one, two = house.foreign(), house.foreign()
    house.connect({"/": [two, one]})
    house.publish("bad", BAD_IN_PRODUCTION)

    release = house.settled()
    house.rest()

    assert release.status is Status.ROLLED_BACK
    assert house.connections() == {"/": [two, one]}
    assert house.workspaces() == [one, two]


def test_a_commit_that_was_taken_back_is_not_released_again_by_itself(house: House) -> None:
    good = house.publish()
    house.live()
    bad = house.publish("bad", BAD_IN_PRODUCTION)
    house.settled(2)

    house.push(bad)
    house.rest(3600)

    again = house.release(3)
    assert again.status is Status.QUEUED
    assert again.blocked_by == "this commit was taken back after it failed in production"
    assert house.served() == good


def test_a_person_may_retry_a_commit_that_was_taken_back(house: House) -> None:
    house.publish()
    house.live()
    bad = house.publish("bad", BAD_IN_PRODUCTION)
    failed = house.settled(2)
    mended = house.repository.commits[bad]
    object.__setattr__(mended, "behaviour", Behaviour())

    house.operations.retry(failed.id, actor="ann")

    house.live(3)
    assert house.served() == bad
    assert house.release(3).retry_of == failed.id


def test_a_newer_commit_goes_live_after_one_was_taken_back(house: House) -> None:
    house.publish()
    house.live()
    house.publish("bad", BAD_IN_PRODUCTION)
    house.settled(2)
    fixed = house.publish("fixed", Behaviour())

    house.live(3)

    assert house.served() == fixed


def test_the_first_version_of_all_that_fails_in_production_holds_the_lane(house: House) -> None:
    house.publish("bad", BAD_IN_PRODUCTION)

    release = house.settled()
    house.publish("next", Behaviour())
    house.rest(600)

    assert release.status is Status.FAILED
    assert "nothing stood there before" in release.reason
    assert house.release(2).status is Status.QUEUED
    assert (house.release(2).blocked_by or "").startswith("held: release #1 failed in production")


@pytest.mark.parametrize("queued_first", [True, False], ids=["pushed before", "pushed after"])
def test_releasing_the_hold_lets_the_next_one_go_on(house: House, queued_first: bool) -> None:
    house.publish("bad", BAD_IN_PRODUCTION)
    house.settled()
    if queued_first:
        fixed = house.publish("fixed", Behaviour())
        house.rest(60)
    released = house.standing.release_hold("shop")
    if not queued_first:
        fixed = house.publish("fixed", Behaviour())

    house.live(2)

    assert released
    assert house.served() == fixed
    assert hold(house) is None


def test_a_domain_that_led_nowhere_may_take_a_while_to_answer_for_the_first_time(house: House) -> None:
    house.sandbox.faults.add(Fault(where="gateway", path=f"{DOMAIN}.*", times=40, status=404))
    commit = house.publish()

    house.live()

    assert house.served() == commit


def test_nothing_is_put_back_when_the_former_version_is_dead_too(house: House) -> None:
    house.publish()
    first = house.live()
    house.publish("bad", BAD_IN_PRODUCTION)
    house.until_step("observe", 2)
    del house.sandbox.platform.workspaces[first.workspace_id or 0]

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert "the former version does not answer either" in release.reason
    assert house.connections() == {"/": [release.workspace_id]}
    assert "was not taken back" in (hold(house) or "")
    house.rest()
    assert house.workspaces() == [release.workspace_id]


def test_nothing_is_put_back_where_the_project_says_so(make_house: MakeHouse) -> None:
    house = make_house(settings(observe={"rollback": False}))
    house.publish()
    house.live()
    house.publish("bad", BAD_IN_PRODUCTION)

    release = house.settled(2)
    house.rest()

    assert release.status is Status.FAILED
    assert house.connections() == {"/": [release.workspace_id]}
    assert release.workspace_id in house.workspaces()
    assert "observe.rollback is off" in (hold(house) or "")


def test_nothing_is_put_back_over_somebodys_change(make_house: MakeHouse) -> None:
    house = make_house(settings(observe={"for": 30.0}))
    house.publish()
    house.live()
    other = house.foreign(Behaviour(answer=Answer(503, "down as well")))
    house.publish("two")
    house.until_step("observe", 2)
    house.connect({"/": [other]})

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert "somebody changed the domain since" in release.reason
    assert house.connections() == {"/": [other]}


def test_production_that_was_down_before_the_switch_gets_its_cure(house: House) -> None:
    other = house.foreign(Behaviour(answer=Answer(503, "down")))
    house.connect({"/": [other]})
    commit = house.publish()

    release = house.live()

    assert house.served() == commit
    assert release.downtime is not None
    assert release.downtime.failed > 0


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
def test_an_unanswered_return_is_settled_by_a_read(house: House, after: bool) -> None:
    good = house.publish()
    house.live()
    house.publish("bad", BAD_IN_PRODUCTION)
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, skip=1, broken="reset", after=after))

    release = house.settled(2)

    assert release.status is Status.ROLLED_BACK
    assert house.served() == good


def test_a_return_that_the_platform_refuses_holds_the_lane(house: House) -> None:
    house.publish()
    house.live()
    house.publish("bad", BAD_IN_PRODUCTION)
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, skip=1, status=403))

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert hold(house) is not None


def test_a_version_that_nobody_can_watch_is_taken_back(make_house: MakeHouse) -> None:
    house = make_house(settings(observe={"for": 10.0}))
    good = house.publish()
    house.live()
    house.publish("two")
    house.until_step("observe", 2)
    house.probe = lambda: False  # type: ignore[method-assign]  # every prober has died
    house._watches.clear()

    release = house.settled(2)

    assert release.status is Status.ROLLED_BACK
    assert "nobody could watch production in time" in release.reason
    assert house.served() == good


def test_a_few_failed_probes_are_shown_and_cost_nothing(make_house: MakeHouse) -> None:
    house = make_house(settings(observe={"for": 3.0}))
    house.publish()
    house.live()
    house.publish("two")
    house.until_step("observe", 2)
    house.sandbox.faults.add(Fault(where="gateway", path=f"{DOMAIN}.*", skip=2, times=2, status=502))

    release = house.live(2)

    assert release.downtime is not None
    assert release.downtime.failed == 2
    assert release.downtime.longest_gap_ms >= 200


def test_observing_does_not_end_while_the_last_probes_failed_and_too_few_for_a_verdict(
    make_house: MakeHouse,
) -> None:
    house = make_house(settings(observe={"for": 1.0, "every": 0.4}))
    house.publish()
    first = house.live()
    house.publish("bad", BAD_IN_PRODUCTION)

    release = house.settled(2)

    assert release.status is Status.ROLLED_BACK
    assert house.connections() == {"/": [first.workspace_id]}
