"""A switch call that takes effect late while nothing runs: ours is put right, others' edits stay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.core.faults import Fault
from tests.chaos.lateness import FAILS_IN_PRODUCTION, ONE_LOOK, LateHouse, led_to
from tests.flow.house import DOMAIN, settings
from workers.releases.sent import HOLDS_SECONDS, KEPT_SECONDS
from workers.releases.status import Status
from workers.store.keyspace import key


@pytest.fixture
def house(store_url: str) -> Iterator[LateHouse]:
    made = LateHouse(store_url, settings(observe={"for": 4.0}))
    yield made
    made.close()


def test_a_call_that_comes_after_it_was_settled_is_put_right_at_rest(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    house.rest(3600)
    house.notices()

    late.arrive()
    assert house.connections() == led_to(house, 1)
    house.watch(ONE_LOOK)

    assert house.connections() == led_to(house, 2)
    assert house.release(2).status is Status.LIVE
    assert house.release(2).operation is None
    assert any("was put right" in line for line in house.said(2)), house.said(2)
    assert house.notices() == [("put_right", 2)]
    assert not house.client.keys(key("target", "*"))


def test_a_call_that_comes_twice_is_put_right_twice(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()

    for _ in range(2):
        late.arrive()
        house.watch(ONE_LOOK)
        assert house.connections() == led_to(house, 2)


def test_whoever_insists_on_a_map_is_let_be(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    for _ in range(2):
        late.arrive()
        house.watch(ONE_LOOK)

    house.connect(led_to(house, 1))
    house.watch(60)

    assert house.connections() == led_to(house, 1)


def test_a_map_that_was_put_and_answered_is_somebodys_when_it_comes_back(house: LateHouse) -> None:
    house.publish("one")
    house.live(1)
    house.publish("two")
    house.live(2)

    house.connect(led_to(house, 1))
    house.watch(60)

    assert house.connections() == led_to(house, 1)


def test_a_map_of_somebody_else_is_left_alone_while_a_call_may_still_come(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    theirs = {"/": [house.foreign()]}

    house.connect(theirs)
    house.watch(60)
    assert house.connections() == theirs
    late.arrive()
    house.watch(ONE_LOOK)

    assert house.connections() == theirs, "what stood there before the late call was put back"


def test_a_late_call_over_an_edit_of_other_paths_touches_only_ours(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    late.arrive()
    theirs = house.foreign()
    house.connect({**house.connections(), "/docs": [theirs]})

    house.watch(ONE_LOOK)

    assert house.connections() == {**led_to(house, 2), "/docs": [theirs]}


def test_a_late_rollback_call_is_put_right_once_a_newer_release_is_live(house: LateHouse) -> None:
    for number in (1, 2):
        house.publish(str(number))
        house.live(number)
    fault = house.lose_a_switch()
    house.operations.rollback(house.release(2).id, actor="ann")
    late = house.lost(fault)
    house.run(lambda: house.release(2).status is Status.ROLLED_BACK)
    house.standing.unpin("shop")
    house.publish("three")
    house.live(3)

    late.arrive()
    house.watch(ONE_LOOK)

    assert house.connections() == led_to(house, 3)


def test_a_late_call_over_an_automatic_return_is_put_right(house: LateHouse) -> None:
    house.publish("one")
    house.live(1)
    fault = house.lose_a_switch()
    house.publish("two", FAILS_IN_PRODUCTION)
    late = house.lost(fault)
    assert house.settled(2).status is Status.ROLLED_BACK
    assert house.connections() == led_to(house, 1)

    late.arrive()
    assert house.connections() == led_to(house, 2)
    house.watch(ONE_LOOK)

    assert house.connections() == led_to(house, 1)


def test_a_workspace_that_an_unanswered_call_names_stands_while_the_call_may_come(house: LateHouse) -> None:
    house.publish("one")
    house.live(1)
    fault = house.lose_a_switch()
    house.publish("two", FAILS_IN_PRODUCTION)
    late = house.lost(fault)
    house.settled(2)

    house.watch(HOLDS_SECONDS / 2)
    late.arrive()
    house.watch(ONE_LOOK)
    assert house.release(2).workspace_id in house.workspaces()
    assert house.connections() == led_to(house, 1)
    house.rest(HOLDS_SECONDS)

    assert house.release(2).cleanup == "gone"
    assert house.workspaces() == [house.release(1).workspace_id]


def test_clean_up_ends_where_the_call_never_comes(house: LateHouse) -> None:
    house.publish("one")
    house.live(1)
    fault = house.lose_a_switch()
    house.publish("two", FAILS_IN_PRODUCTION)
    house.lost(fault)
    house.settled(2)

    house.rest(HOLDS_SECONDS + 120)

    assert house.workspaces() == [house.release(1).workspace_id]


def test_what_cannot_come_any_more_is_forgotten_and_nobody_asks_the_platform(house: LateHouse) -> None:
    house.two_live_and_a_late_call_of_the_first()
    target = house.reading.lane(f"shop@{DOMAIN}")
    house.rest(KEPT_SECONDS)
    house.sandbox.calls.clear()

    house.services.sentry.look()

    assert target.lane.live == house.release(2).id
    assert list(house.sandbox.calls) == []


def test_where_every_call_was_answered_nobody_asks_the_platform_at_rest(house: LateHouse) -> None:
    house.publish("one")
    house.live(1)
    house.sandbox.calls.clear()

    house.services.sentry.look()

    assert list(house.sandbox.calls) == []
    assert not house.client.keys(key("sent", "*"))


def test_a_refused_call_is_an_answer_and_holds_nothing(house: LateHouse) -> None:
    house.publish("one")
    house.live(1)
    path = f"{house.sandbox.domain_path(DOMAIN)}/workspace-connections"
    house.sandbox.faults.add(Fault(method="PUT", path=path, status=400))
    house.publish("two")
    assert house.settled(2).status is Status.FAILED

    house.rest(60)

    assert house.workspaces() == [house.release(1).workspace_id]
    assert not house.client.keys(key("sent", "*"))


def test_in_a_held_lane_a_person_decides(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    house.client.hset(key("lane", f"shop@{DOMAIN}"), "hold", '{"reason":"somebody looks"}')

    late.arrive()
    house.watch(30)
    assert house.connections() == led_to(house, 1)
    house.standing.release_hold("shop")
    house.watch(ONE_LOOK)

    assert house.connections() == led_to(house, 2)


def test_a_platform_that_is_away_is_asked_until_it_is_back(house: LateHouse) -> None:
    late = house.two_live_and_a_late_call_of_the_first()
    late.arrive()
    away = Fault(path=".*", status=503, times=None)
    house.sandbox.faults.add(away)
    house.watch(120)
    house.sandbox.faults.clear()

    house.watch(ONE_LOOK + 15)

    assert house.connections() == led_to(house, 2)
