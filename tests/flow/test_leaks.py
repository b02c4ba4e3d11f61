"""Every workspace that we made is live, parked or gone; what we did not make is never touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.conftest import MakeHouse
from tests.flow.house import DOMAIN, House, settings
from workers.releases.identity import mark_of
from workers.releases.status import Status
from workers.store.keyspace import key

CREATE = {"method": "POST", "path": "/workspaces"}


def deleted(house: House) -> list[str]:
    """Return the paths of the delete calls."""
    return [call.path for call in house.sandbox.calls if call.method == "DELETE"]


def ours(house: House) -> list[int]:
    """Return the workspaces that carry a mark of ours."""
    found = house.sandbox.platform.workspaces.values()
    return sorted(w.id for w in found if str(w.fields["welcomeMessage"]).startswith("switchover:"))


def assert_at_rest(house: House) -> None:
    """Check that nothing is locked, probed or running once everything has ended."""
    lane = house.reading.lane(house.release().lane).lane
    assert lane.running is None
    assert house.reading.lock(f"http://127.0.0.1:1|35|{DOMAIN}") is None
    assert house.client.zcard(key("probes")) == 0
    assert sorted(map(int, house.reading.ledger())) == ours(house)


def test_the_former_version_is_parked_and_retired_when_its_time_is_over(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"for": "2h"}))
    house.publish("one")
    first = house.live()
    house.publish("two")
    second = house.live(2)

    house.rest(2 * 3600 - 60)
    parked, why = house.workspaces(), house.release(1).cleanup
    house.rest(120)

    assert parked == [first.workspace_id, second.workspace_id]
    assert why == "parked for rollback"
    assert house.workspaces() == [second.workspace_id]
    assert house.release(1).cleanup == "gone"
    assert_at_rest(house)


def test_only_so_many_former_versions_are_parked_the_newest_first(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"keep": 2}))
    for number in range(1, 5):
        house.publish(str(number))
        house.live(number)

    house.rest(60)

    assert house.workspaces() == [house.release(number).workspace_id for number in (2, 3, 4)]
    assert_at_rest(house)


def test_a_former_version_goes_ten_seconds_after_its_last_connection(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"keep": 0}))
    house.publish("one")
    house.live()
    house.publish("two")
    replaced_at = house.live(2).finished_at or 0.0

    house.rest(60)

    (gone,) = [call for call in house.sandbox.calls if call.method == "DELETE"]
    assert 10 <= gone.at - replaced_at <= 14


def test_a_parked_version_that_a_domain_names_is_not_retired(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"keep": 0}))
    house.publish("one")
    first = house.live()
    house.sandbox.add_domain("old.example.com", {"/": [first.workspace_id or 0]})
    house.publish("two")
    house.live(2)

    house.rest(3600)
    kept, why = house.workspaces(), house.release(1).cleanup
    house.sandbox.connect("old.example.com", {})
    house.rest(120)

    assert first.workspace_id in kept
    assert why == f"workspace {first.workspace_id} stands because old.example.com/ names it"
    assert first.workspace_id not in house.workspaces()


def test_foreign_workspaces_are_never_touched(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"keep": 0}))
    foreign = [house.foreign(name="shop-r1"), house.foreign(welcomeMessage="switchover")]
    house.publish("one")
    first = house.live()
    twin = house.foreign(name=house.sandbox.platform.workspaces[first.workspace_id or 0].fields["name"])
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled(2)
    house.publish("three", Behaviour())
    third = house.live(3)

    house.rest(3600)

    assert house.workspaces() == sorted([*foreign, twin, third.workspace_id or 0])


def test_a_workspace_that_lost_our_mark_is_left_and_said_so(make_house: MakeHouse) -> None:
    house = make_house(settings(park={"keep": 0}))
    house.publish("one")
    first = house.live()
    house.publish("two")
    house.live(2)
    fields = house.sandbox.platform.workspaces[first.workspace_id or 0].fields
    path = f"/workspaces/{first.workspace_id}"
    house.sandbox.faults.add(
        Fault(method="GET", path=path, do=lambda: fields.update(welcomeMessage="mine now"))
    )

    house.rest(60)

    assert first.workspace_id in house.workspaces()
    assert "does not carry our mark any more" in (house.release(1).cleanup or "")


def test_a_create_call_that_took_effect_unanswered_is_adopted(house: House) -> None:
    house.sandbox.faults.add(Fault(**CREATE, broken="timeout", after=True))  # type: ignore[arg-type]  # fields of Fault
    house.publish()

    release = house.live()

    assert house.workspaces() == [release.workspace_id]
    assert f"adopted workspace {release.workspace_id}, which an unanswered call had created" in house.said()


def test_a_create_call_without_effect_is_made_again_only_when_it_can_have_none_any_more(house: House) -> None:
    house.sandbox.faults.add(Fault(**CREATE, broken="reset"))  # type: ignore[arg-type]  # fields of Fault
    house.publish()

    release = house.live()

    tries = [call.at for call in house.sandbox.calls if (call.method, call.path) == ("POST", "/workspaces")]
    assert len(tries) == 2
    assert tries[1] - tries[0] >= 150
    assert house.workspaces() == [release.workspace_id]


def late_twin(house: House, number: int = 1) -> int:
    """Let the first create call, given up as lost, take effect after all; return the twin's id."""
    release = house.release(number)
    made = house.sandbox.platform.workspaces[release.workspace_id or 0]
    return house.foreign(name=made.fields["name"], welcomeMessage=mark_of(release.id))


@pytest.mark.parametrize("step", ["prepare", "observe"])
def test_a_twin_that_appears_late_is_never_used_and_is_retired(house: House, step: str) -> None:
    house.sandbox.faults.add(Fault(**CREATE, broken="reset"))  # type: ignore[arg-type]  # fields of Fault
    house.publish()
    house.until_step(step)
    twin = late_twin(house)

    release = house.live()
    house.rest(60)

    assert release.workspace_id != twin
    assert house.workspaces() == [release.workspace_id]


def test_a_failed_release_takes_its_twin_with_it(house: House) -> None:
    house.sandbox.faults.add(Fault(**CREATE, broken="reset"))  # type: ignore[arg-type]  # fields of Fault
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.until_step("test")
    late_twin(house)

    house.settled()
    house.rest(60)

    assert house.workspaces() == []


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
def test_an_unanswered_delete_is_made_sure_of(house: House, after: bool) -> None:
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.sandbox.faults.add(Fault(method="DELETE", broken="reset", after=after))

    house.settled()
    house.rest(60)

    assert house.workspaces() == []
    assert house.release().cleanup == "gone"
    assert_at_rest(house)


def test_a_delete_that_is_refused_is_tried_again_for_days_and_then_left_with_its_reason(house: House) -> None:
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.sandbox.faults.add(Fault(method="DELETE", times=None, status=403))
    house.settled()

    house.rest(3600)
    why = house.release().cleanup
    house.rest(8 * 24 * 3600)

    assert "cannot be removed yet" in (why or "")
    assert (house.release().cleanup or "").startswith("left: could not delete workspace")
    assert list(house.reading.ledger()) == [str(house.release().workspace_id)]
    assert len(deleted(house)) < 50


@pytest.mark.parametrize("every", [5, 6, 7])
def test_a_worker_that_dies_at_any_call_leaks_nothing(house: House, every: int) -> None:
    """Kill the worker at every so many calls of the platform, just after the effect; a new one goes on."""
    calls = 0
    handle = house.sandbox.handle

    def dies(request: object) -> object:
        nonlocal calls
        calls += 1
        answer = handle(request)  # type: ignore[arg-type]  # handed through
        if calls % every == 0:
            raise KeyboardInterrupt
        return answer

    house.sandbox.handle = dies  # type: ignore[method-assign,assignment]  # a death, made to happen
    commit = house.publish()
    for _ in range(200):
        try:
            house.run(lambda: not house.release().unfinished)
            break
        except KeyboardInterrupt:
            house.services.close()
            house.begin()
            house.jump(3.1)
    house.sandbox.handle = handle  # type: ignore[method-assign]  # as it was
    house.rest()

    release = house.release()
    assert release.status is Status.LIVE, house.describe()
    assert house.served() == commit
    assert house.workspaces() == [release.workspace_id]
    assert_at_rest(house)


def test_everything_that_ends_badly_leaves_production_and_nothing_else(house: House) -> None:
    good = house.publish("good")
    first = house.live()
    for number, stage in enumerate(("prepare", "test", "run"), 2):
        house.publish(stage, Behaviour(failures=(Failure(stage),)))
        house.settled(number)
    house.publish("cancelled", Behaviour())
    house.until_step("run", 5)
    house.operations.cancel(house.release(5).id, actor="ann")

    house.rest(600)

    assert house.served() == good
    assert house.workspaces() == [first.workspace_id]
    assert sorted(set(deleted(house))) == sorted(deleted(house))
    assert_at_rest(house)
    assert replace(house.release(5), memory={}).cleanup == "gone"
