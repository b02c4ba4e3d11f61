"""The switch: read, modify, verify; somebody else's change stands, and an unanswered call is settled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.core.faults import Fault
from sandbox.core.platform import Timing
from tests.flow.conftest import MakeHouse
from tests.flow.house import DOMAIN, House, settings
from workers.releases.model import Cause
from workers.releases.status import Status

PUT = ".*/workspace-connections"
SELDOM_PROBED = settings(observe={"every": 2.0})
"""For what takes minutes, in which production would else be probed a thousand times."""


def puts(house: House) -> list[object]:
    """Return the bodies of the connect calls that the platform answered well."""
    return [call.body for call in house.sandbox.calls if call.method == "PUT" and call.status == 200]


def just_before_the_fresh_read(house: House, act: Callable[[], None]) -> None:
    """Act when the switch of the next release reads the domain; its create step reads it twice before."""
    house.sandbox.faults.add(Fault(method="GET", path=f".*/domain/{DOMAIN}", skip=2, do=act))


def test_other_paths_are_carried_over_as_they_are(make_house: MakeHouse) -> None:
    house = make_house(settings(target={"paths": ["/", "/api"]}))
    one, two = house.foreign(), house.foreign()
    house.connect({"/docs": [two, one], "/api": [one], "/": [], "/old": []})

    house.publish()

    release = house.live()

    ours = release.workspace_id
    expected = {"/docs": [two, one], "/api": [ours], "/": [ours], "/old": []}
    assert house.connections() == expected
    assert list(house.connections()) == list(expected)
    assert puts(house) == [expected]


def test_another_path_that_is_edited_meanwhile_is_carried_over(house: House) -> None:
    other = house.foreign()
    just_before_the_fresh_read(house, lambda: house.connect({"/docs": [other]}))
    house.publish()

    release = house.live()

    assert house.connections() == {"/docs": [other], "/": [release.workspace_id]}


def test_our_path_that_is_edited_before_the_switch_stops_it_and_the_edit_stands(house: House) -> None:
    house.publish()
    house.live()
    other = house.foreign()
    just_before_the_fresh_read(house, lambda: house.connect({"/": [other]}))
    house.publish("two")

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert release.failure.cause is Cause.CONFIGURATION
    assert f"somebody changed {DOMAIN} meanwhile: it leads / to {other}" in release.reason
    assert house.connections() == {"/": [other]}
    assert len(puts(house)) == 1


def test_a_retry_after_somebodys_edit_starts_from_what_is_there(house: House) -> None:
    other = house.foreign()
    just_before_the_fresh_read(house, lambda: house.connect({"/": [other]}))
    commit = house.publish()
    failed = house.settled()

    house.operations.retry(failed.id, actor="ann")
    house.live(2)

    assert failed.status is Status.FAILED
    assert house.served() == commit
    assert other in house.workspaces()


def test_our_path_that_is_edited_while_it_is_observed_stops_the_release_and_the_edit_stands(
    make_house: MakeHouse,
) -> None:
    house = make_house(settings(observe={"for": 5.0}))
    house.publish()
    other = house.foreign()
    house.until_step("observe")
    house.connect({"/": [other]})

    release = house.settled()

    assert release.status is Status.FAILED
    assert "somebody changed" in release.reason
    assert house.connections() == {"/": [other]}
    assert house.reading.lane(release.lane).lane.hold is not None


def test_an_unanswered_put_that_took_effect_is_found_by_a_read_and_not_sent_again(house: House) -> None:
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, broken="timeout", after=True))
    commit = house.publish()

    release = house.live()

    assert house.served() == commit
    assert len(house.sandbox.called("PUT", f"{house.sandbox.domain_path(DOMAIN)}/workspace-connections")) == 1
    assert house.connections() == {"/": [release.workspace_id]}


def test_an_unanswered_put_without_effect_is_sent_again_after_its_time(house: House) -> None:
    house.publish()
    house.live()
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, broken="reset"))
    commit = house.publish("two")

    house.live(2)

    assert house.served() == commit
    assert "the unanswered switch call took no effect; switching again" in house.said(2)
    tries = [call.at for call in house.sandbox.calls if call.method == "PUT"][1:]
    assert len(tries) == 2
    assert tries[1] - tries[0] >= 15


def test_an_unanswered_put_after_which_somebody_edited_stops_the_release(house: House) -> None:
    other = house.foreign()
    house.publish()

    def edit() -> None:
        house.connect({"/": [other]})

    house.sandbox.faults.add(Fault(method="PUT", path=PUT, broken="reset", do=edit))

    release = house.settled()

    assert release.status is Status.FAILED
    assert not any("took no effect" in text for text in house.said())
    assert "somebody changed" in release.reason
    assert house.connections() == {"/": [other]}


def test_a_put_that_takes_longer_than_the_lease_may_last_is_given_up_in_time_and_settled(
    house: House,
) -> None:
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, latency=20.0, after=True))
    commit = house.publish()

    house.live()

    assert house.served() == commit


def test_a_platform_that_is_busy_with_the_domain_is_asked_again_until_it_is_free(
    make_house: MakeHouse,
) -> None:
    house = make_house(SELDOM_PROBED)
    house.sandbox.quirks.domain_busy = True
    commit = house.publish()
    house.until_step("switch")
    house.rest(60)
    house.sandbox.quirks.domain_busy = False

    house.live()

    assert house.served() == commit


def test_a_platform_that_stays_busy_fails_the_switch_at_its_deadline(make_house: MakeHouse) -> None:
    house = make_house(SELDOM_PROBED)
    good = house.publish()
    house.live()
    house.publish("two")
    house.until_step("switch", 2)
    house.sandbox.quirks.domain_busy = True

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert release.failure.cause is Cause.TRANSIENT
    assert release.reason.startswith("switch did not end within 5m")
    assert house.served() == good


def test_a_put_that_the_platform_takes_and_ignores_fails_the_release(house: House) -> None:
    good = house.publish()
    first = house.live()

    def undo() -> None:
        house.sandbox.connect(DOMAIN, {"/": [first.workspace_id or 0]})

    house.sandbox.faults.add(Fault(method="GET", path=f".*/domain/{DOMAIN}", skip=3, times=None, do=undo))
    house.publish("two")

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert "3 times and does not show them" in release.reason
    assert house.served() == good


def test_a_refused_put_leaves_production_as_it_was_and_the_lane_free(house: House) -> None:
    good = house.publish()
    house.live()
    house.publish("two")
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, status=403))

    release = house.settled(2)
    next_one = house.publish("three")
    house.live(3)

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert release.failure.cause is Cause.REFUSED
    assert house.served() == next_one != good


def test_a_platform_that_refuses_the_reads_after_the_switch_leaves_the_lane_held(house: House) -> None:
    house.publish()
    house.live()
    house.publish("two")
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, broken="reset", after=True))
    house.until_step("switch", 2)
    house.run(lambda: house.release(2).past_switch)
    house.sandbox.faults.add(Fault(method="GET", path=".*/domain/.*", status=403))

    release = house.settled(2)

    assert release.status is Status.FAILED
    hold = house.reading.lane(release.lane).lane.hold
    assert hold is not None
    assert "could not be found out" in hold["reason"]


def test_a_domain_that_is_not_verified_is_named_before_anything_is_made(house: House) -> None:
    house.sandbox.platform.domains[DOMAIN].verified = False
    house.publish()

    release = house.settled()

    assert release.status is Status.FAILED
    assert f"domain {DOMAIN} is not verified" in release.reason
    assert house.workspaces() == []


def test_a_missing_domain_is_named_together_with_those_that_exist(house: House) -> None:
    del house.sandbox.platform.domains[DOMAIN]
    house.sandbox.add_domain("shopp.example.com")
    house.publish()

    release = house.settled()

    assert release.status is Status.FAILED
    assert DOMAIN in release.reason
    assert "shopp.example.com" in release.reason
    assert house.workspaces() == []


def test_a_drifted_domain_is_adopted_and_the_history_says_so(house: House) -> None:
    house.publish()
    house.live()
    other = house.foreign()
    house.connect({"/": [other]})
    commit = house.publish("two")

    house.live(2)

    assert house.served() == commit
    assert any("was changed by somebody else since" in text for text in house.said(2))


def test_a_drifted_domain_is_refused_where_the_project_says_so(make_house: MakeHouse) -> None:
    house = make_house(settings(target={"drift": "refuse"}))
    house.publish()
    house.live()
    other = house.foreign()
    house.connect({"/": [other]})
    house.publish("two")

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert "Switchover last put" in release.reason
    assert house.connections() == {"/": [other]}


def test_a_gateway_that_follows_late_costs_no_visitor_an_answer(make_house: MakeHouse) -> None:
    house = make_house(settings(observe={"for": 5.0}), Timing(route=2.0))
    house.publish()
    house.live()
    commit = house.publish("two")

    release = house.live(2)

    assert house.served() == commit
    assert release.downtime is not None
    assert (release.downtime.failed, release.downtime.longest_gap_ms) == (0, 0)


@pytest.mark.parametrize("garbage", ["html", "truncated", "empty", "not-json"])
def test_an_unreadable_answer_to_the_put_is_settled_by_a_read(house: House, garbage: str) -> None:
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, garbage=garbage, after=True))  # type: ignore[arg-type]  # one of Garbage
    commit = house.publish()

    house.live()

    assert house.served() == commit
