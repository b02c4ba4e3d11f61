"""A person takes the live release back: without a build, healthy or by force, and pinned."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour
from tests.flow.conftest import MakeHouse
from tests.flow.house import DOMAIN, House, settings
from workers.errors import NotAllowed
from workers.releases.status import Status

PUT = ".*/workspace-connections"


def two_live(house: House) -> tuple[str, str]:
    """Return two commits of which the second is live and the first is parked."""
    one = house.publish("one")
    house.live()
    two = house.publish("two")
    house.live(2)
    return one, two


def roll_back(house: House, number: int, **how: object) -> None:
    house.operations.rollback(house.release(number).id, actor="ann", **how)  # type: ignore[arg-type]  # handed through
    house.run(
        lambda: house.release(number).operation is None or house.release(number).status is not Status.LIVE
    )


def lock(house: House) -> object:
    """Return who holds the lock of the target."""
    return house.reading.lock(f"http://127.0.0.1:1|35|{DOMAIN}")


def test_a_rollback_returns_to_the_version_before_and_pins_the_lane(house: House) -> None:
    one, _ = two_live(house)

    roll_back(house, 2, reason="slow")
    house.rest()

    taken_back, revived = house.release(2), house.release(1)
    lane = house.reading.lane(revived.lane)
    assert house.served() == one
    assert (taken_back.status, revived.status) == (Status.ROLLED_BACK, Status.LIVE)
    assert taken_back.reason == "rolled back by ann: slow"
    assert lane.lane.live == revived.id
    assert lane.lane.pin is not None
    assert lane.lane.pin["reason"] == "rolled back from #2: slow"
    assert house.workspaces() == [revived.workspace_id]
    assert house.release(1).cleanup == "in use"
    assert lock(house) is None


def test_a_pinned_lane_releases_the_newest_once_it_is_unpinned(house: House) -> None:
    one, _ = two_live(house)
    roll_back(house, 2)
    house.publish("three")
    four = house.publish("four")
    house.rest(3600)
    while_pinned = house.served()
    blocked_by = house.release(4).blocked_by

    house.standing.unpin("shop")
    house.live(4)

    assert while_pinned == one
    assert blocked_by == "pinned by ann: rolled back from #2: no reason given"
    assert house.served() == four
    assert house.release(3).status is Status.SUPERSEDED


def test_a_rollback_without_a_pin_lets_the_next_push_go_on(house: House) -> None:
    two_live(house)
    roll_back(house, 2, pin=False)
    three = house.publish("three")

    house.live(3)

    assert house.served() == three


def test_a_running_release_stops_before_its_switch_when_the_lane_is_pinned(house: House) -> None:
    one, _ = two_live(house)
    three = house.publish("three")
    house.until_step("prepare", 3)

    roll_back(house, 2)
    house.rest(600)
    pinned = house.served()
    house.standing.unpin("shop")
    house.live(3)

    assert pinned == one
    assert house.served() == three


def test_a_rollback_to_an_older_parked_release(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"keep": 2}))
    one, _ = two_live(house)
    house.publish("three")
    house.live(3)

    roll_back(house, 3, to=house.release(1).id)

    assert house.served() == one
    assert [house.release(number).status for number in (1, 2, 3)] == [
        Status.LIVE,
        Status.REPLACED,
        Status.ROLLED_BACK,
    ]


def test_a_rollback_to_what_is_not_parked_any_more_is_refused_at_once(house: House) -> None:
    two_live(house)
    house.publish("three")
    house.live(3)
    house.rest()

    with pytest.raises(NotAllowed, match="the workspace of release #1 is not parked any more"):
        house.operations.rollback(house.release(3).id, actor="ann", to=house.release(1).id)


def test_a_rollback_whose_former_version_is_gone_is_refused_at_once(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"keep": 0}))
    two_live(house)
    house.rest()

    with pytest.raises(NotAllowed, match="the workspace of release #1 is not parked any more"):
        house.operations.rollback(house.release(2).id, actor="ann")


def test_a_rollback_where_nothing_stood_before_is_refused_at_once(house: House) -> None:
    house.publish()
    house.live()

    with pytest.raises(NotAllowed, match="nothing stood on the paths of release #1 before it"):
        house.operations.rollback(house.release().id, actor="ann")


def test_only_a_live_release_can_be_taken_back(house: House) -> None:
    two_live(house)

    with pytest.raises(NotAllowed, match="release #1 is replaced; only a live one can be taken back"):
        house.operations.rollback(house.release(1).id, actor="ann")


def test_a_second_rollback_while_the_first_goes_on_is_refused(house: House) -> None:
    two_live(house)
    house.operations.rollback(house.release(2).id, actor="ann")

    with pytest.raises(NotAllowed, match="a rollback of it is under way already"):
        house.operations.rollback(house.release(2).id, actor="bob")


def test_a_former_version_that_is_not_healthy_is_not_returned_to(house: House) -> None:
    house.publish("one", Behaviour(answers={"/": Answer(200, "well")}))
    house.live()
    two = house.publish("two", Behaviour())
    house.live(2)
    address = f"{house.release(1).workspace_id}-3000\\..*"
    house.sandbox.faults.add(Fault(where="gateway", path=address, times=None, status=503))

    roll_back(house, 2)
    house.rest()

    assert house.release(2).status is Status.LIVE
    assert house.served() == two
    told = [text for text in house.said(2) if text.startswith("the rollback was not done")]
    assert len(told) == 1
    assert "is not healthy" in told[0]
    assert lock(house) is None
    assert house.reading.lane(house.release(2).lane).lane.pin is None


def test_force_returns_to_a_version_that_is_not_healthy(house: House) -> None:
    one, _ = two_live(house)
    address = f"{house.release(1).workspace_id}-3000\\..*"
    house.sandbox.faults.add(Fault(where="gateway", path=address, times=None, status=503))

    roll_back(house, 2, force=True)

    assert house.release(2).status is Status.ROLLED_BACK
    assert house.served() == one


def test_what_somebody_else_had_connected_is_returned_to_as_found(house: House) -> None:
    other = house.foreign()
    house.connect({"/": [other]})
    house.publish()
    house.live()

    roll_back(house, 1)
    house.rest()

    assert house.connections() == {"/": [other]}
    assert house.release().status is Status.ROLLED_BACK
    assert house.reading.lane(house.release().lane).lane.live is None
    assert house.workspaces() == [other]


def test_a_domain_that_somebody_changed_is_not_rolled_back_without_force(house: House) -> None:
    one, _ = two_live(house)
    other = house.foreign()
    house.connect({"/": [other]})

    roll_back(house, 2)
    refused = house.connections()
    roll_back(house, 2, force=True)

    assert refused == {"/": [other]}
    assert house.served() == one


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
def test_an_unanswered_rollback_is_settled_by_a_read(house: House, after: bool) -> None:
    one, _ = two_live(house)
    house.sandbox.faults.add(Fault(method="PUT", path=PUT, broken="reset", after=after))

    roll_back(house, 2)

    assert house.release(2).status is Status.ROLLED_BACK
    assert house.served() == one


def test_a_rollback_is_given_up_when_the_platform_stays_away(house: House) -> None:
    _, two = two_live(house)
    house.operations.rollback(house.release(2).id, actor="ann")
    house.sandbox.faults.add(Fault(times=None, status=503))
    house.rest(900)
    house.sandbox.faults.clear()
    house.rest(60)

    assert house.release(2).status is Status.LIVE
    assert house.release(2).operation is None
    assert any("it did not begin within 5m; last seen: could not read" in text for text in house.said(2))
    assert house.served() == two
    assert lock(house) is None


def test_a_platform_that_is_away_for_a_moment_does_not_keep_a_rollback_away(house: House) -> None:
    one, _ = two_live(house)
    house.sandbox.faults.add(Fault(times=5, status=503))

    roll_back(house, 2)

    assert house.served() == one


def test_a_rolled_back_commit_can_be_retried_by_a_person(house: House) -> None:
    _, two = two_live(house)
    roll_back(house, 2)
    house.standing.unpin("shop")

    house.operations.retry(house.release(2).id, actor="ann")

    house.live(3)
    assert house.served() == two
