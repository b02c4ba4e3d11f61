"""One release at a time in a lane: the newest wins, nobody starves, and people can stop it."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.conftest import MakeHouse
from tests.flow.house import DOMAIN, House, project, settings, settings_of
from workers.releases.status import Status
from workers.store.keyspace import key

LOCK = f"http://127.0.0.1:1|35|{DOMAIN}"
API = {"paths": ["/api"], "public_url": f"http://{DOMAIN}/api"}
"""What another project on the same domain releases to."""


def statuses(house: House) -> list[str]:
    """Return the status of every release of the project, oldest first."""
    found, _ = house.reading.page(project="shop", status=None, limit=200, before=None)
    return [release.status.value for release in reversed(found)]


def test_pushes_that_queue_collapse_to_the_newest(house: House) -> None:
    house.publish("one")
    house.until_step("prepare")
    house.publish("two")
    house.publish("three")
    newest = house.publish("four")

    house.live(4)

    assert house.served() == newest
    assert statuses(house) == ["replaced", "superseded", "superseded", "live"]
    assert house.release(2).reason == "release #3 of the same lane is newer"


def test_a_running_release_finishes_first_by_default(house: House) -> None:
    one = house.publish("one")
    house.until_step("prepare")
    house.publish("two")

    house.live(1)

    assert house.served() == one
    house.live(2)


def test_a_running_release_gives_way_where_the_project_says_so(make_house: MakeHouse) -> None:
    house = make_house(settings(supersede="running"))
    house.publish("one")
    house.until_step("prepare")
    newest = house.publish("two")

    house.live(2)
    house.rest()

    assert house.release(1).status is Status.SUPERSEDED
    assert house.release(1).reason == "release #2 is newer"
    assert house.served() == newest
    assert house.workspaces() == [house.release(2).workspace_id]


def test_something_goes_live_under_constant_pushes(make_house: MakeHouse) -> None:
    house = make_house(settings(supersede="running"))
    for number in (1, 2, 3, 4):
        house.publish(str(number))
        house.run(lambda number=number: house.release(number).step == "prepare")  # type: ignore[misc]  # bound now
    for number in (5, 6, 7):
        house.publish(str(number))

    house.live(4)
    house.live(7)

    assert statuses(house) == ["superseded"] * 3 + ["replaced"] + ["superseded"] * 2 + ["live"]


def test_a_release_that_began_to_switch_gives_way_to_nobody(make_house: MakeHouse) -> None:
    house = make_house(settings(supersede="running"))
    house.publish("one")
    house.until_step("observe")
    house.publish("two")

    house.live(1)
    house.live(2)

    assert statuses(house) == ["replaced", "live"]


def test_a_delivery_that_came_before_changes_nothing(house: House) -> None:
    commit = house.commit()
    first = house.push(commit, delivery="the-same")
    again = house.push(commit, delivery="the-same")

    house.live()

    assert (first.verdict, again.verdict) == ("accepted", "duplicate")
    assert again.releases == first.releases
    assert statuses(house) == ["live"]


@pytest.mark.parametrize("when", ["queued", "live"])
def test_a_second_event_of_the_same_commit_joins_the_first(house: House, when: str) -> None:
    commit = house.commit()
    first = house.push(commit)
    if when == "live":
        house.live()

    again = house.push(commit)

    assert again.verdict == "duplicate"
    assert again.releases == first.releases


def test_a_commit_that_failed_is_released_anew_when_it_is_pushed_again(house: House) -> None:
    commit = house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled()

    again = house.push(commit, before="0" * 40)

    assert again.verdict == "accepted"
    assert "pushed again after release #1 (failed)" in house.release(2).reason


def test_a_delivery_that_comes_late_is_ignored_and_told_why(house: House) -> None:
    one, two = house.commit("one"), house.commit("two")
    house.push(two, before=one)
    late = house.push(one)

    house.live()

    assert late.verdict == "ignored"
    assert "late" in late.reason
    assert house.served() == two
    assert statuses(house) == ["live"]


def test_the_hosts_time_tells_late_deliveries_of_commits_that_nothing_links(house: House) -> None:
    one, two, three = (house.commit(str(number)) for number in range(3))
    house.push(three, before=two, at=300.0)

    late = house.push(one, at=100.0)

    assert late.verdict == "ignored"
    assert "the host moved the ref on before this delivery came" in late.reason


def test_a_branch_that_is_moved_back_releases_the_older_commit_again(house: House) -> None:
    one = house.publish("one")
    house.live()
    two = house.publish("two")
    house.live(2)
    house.repository.move("main", one)

    verdict = house.push(one, before=two, forced=True)
    reason = house.release(3).reason

    house.live(3)
    assert verdict.verdict == "accepted"
    assert reason == "the ref moved back to the commit of release #1"
    assert house.served() == one


def test_a_branch_that_is_moved_back_is_ignored_where_the_trigger_says_so(make_house: MakeHouse) -> None:
    trigger = {"push": {"branches": ["main"], "forced": "ignore"}}
    house = make_house(settings(triggers=[trigger]))
    one = house.publish("one")
    house.live()
    two = house.publish("two")
    house.live(2)

    verdict = house.push(one, before=two, forced=True)

    assert verdict.verdict == "ignored"
    assert "forced: ignore" in verdict.reason
    house.rest()
    assert house.served() == two


def test_two_projects_on_one_domain_switch_one_after_the_other(make_house: MakeHouse) -> None:
    api = project(target=API, observe={"for": 5.0})
    house = make_house(settings_of(shop=project(observe={"for": 5.0}), api=api))
    house.publish()
    seen = set()

    def both_ended() -> bool:
        found = [house.release(1), house.release(1, "api")]
        seen.add(tuple(release.step for release in found if release.past_switch and release.unfinished))
        return not any(release.unfinished for release in found)

    house.run(both_ended)
    shop, api_release = house.release(1), house.release(1, "api")

    assert (shop.status, api_release.status) == (Status.LIVE, Status.LIVE)
    assert house.connections() == {"/": [shop.workspace_id], "/api": [api_release.workspace_id]}
    assert all(len(at_once) <= 1 for at_once in seen)


def test_a_frozen_project_releases_nothing_until_it_is_unfrozen(house: House) -> None:
    house.standing.freeze("shop", author="ann", reason="holidays", until=None)
    commit = house.publish()
    house.rest(3600)
    frozen = house.release()

    house.standing.unfreeze("shop")
    house.live()

    assert frozen.status is Status.QUEUED
    assert frozen.blocked_by == "frozen by ann: holidays"
    assert house.served() == commit


def test_a_freeze_ends_by_itself(house: House) -> None:
    house.standing.freeze("shop", author="ann", reason="lunch", until=house.clock() + 600)
    house.publish()

    release = house.live()

    assert (release.started_at or 0.0) - release.created_at >= 599


def test_a_freeze_stops_a_running_release_before_its_switch_and_keeps_the_target_from_nobody(
    make_house: MakeHouse,
) -> None:
    config = settings_of(shop=project(), api=project(target=API))
    house = make_house(config)
    house.publish()
    house.run(lambda: house.release().step == "prepare")
    house.standing.freeze("shop", author="ann", reason="stop", until=None)

    other = house.live(1, "api")
    house.rest(3600)
    frozen = house.release()
    house.standing.unfreeze("shop")
    release = house.live()

    assert frozen.status is Status.RUNNING
    assert frozen.step == "switch"
    assert frozen.blocked_by == "frozen by ann: stop"
    assert house.connections() == {"/api": [other.workspace_id], "/": [release.workspace_id]}


def test_a_frozen_release_that_is_cancelled_leaves_nothing_behind(house: House) -> None:
    house.publish()
    house.until_step("prepare")
    house.standing.freeze("shop", author="ann", reason="stop", until=None)
    house.rest(60)

    house.operations.cancel(house.release().id, actor="ann")
    house.rest(60)

    assert house.release().status is Status.CANCELLED
    assert house.connections() == {}
    assert house.workspaces() == []


def test_a_freeze_in_the_instant_before_the_switch_wins_and_gives_the_target_back(house: House) -> None:
    def stop() -> None:
        house.standing.freeze("shop", author="ann", reason="now", until=None)

    freeze = Fault(
        method="GET",
        path=f".*/domain/{DOMAIN}",
        skip=2,  # the create step reads the domain twice
        do=stop,
    )
    house.sandbox.faults.add(freeze)
    commit = house.publish()
    house.rest(600)
    frozen = house.release()
    locked, probing = house.reading.lock(LOCK), house.client.zcard(key("probes"))
    house.standing.unfreeze("shop")

    house.live()

    assert (frozen.step, frozen.past_switch, frozen.blocked_by) == ("switch", False, "frozen by ann: now")
    assert (locked, probing) == (None, 0)
    assert house.served() == commit
