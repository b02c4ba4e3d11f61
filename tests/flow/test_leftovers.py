"""The ledger against the platform: late twins go, drift is put right, nothing else is touched."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.conftest import MakeHouse
from tests.flow.house import House, settings
from workers.errors import NotAllowed
from workers.flow.reconcile import Kind, Review
from workers.releases.identity import mark_of
from workers.releases.status import Status
from workers.store.keyspace import key


def reconcile(house: House) -> Review:
    """Do what the worker process does every ten minutes, and let the engine act on it."""
    review = house.services.reconciler.run()
    house.run(seconds=120)
    return review


def twin_of(house: House, number: int = 1) -> int:
    """Let a create call that nobody waits for any more take effect; return the twin's id."""
    return house.foreign(name=f"shop-r{number}-late", welcomeMessage=mark_of(house.release(number).id))


def kinds(review: Review) -> dict[int, Kind]:
    """Return what follows for each workspace."""
    return {finding.workspace: finding.kind for finding in review.findings}


def test_what_is_live_and_what_stands_by_is_left_alone(house: House) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    second = house.live(2)

    review = reconcile(house)

    assert kinds(review) == {first.workspace_id: Kind.NEEDED, second.workspace_id: Kind.NEEDED}
    assert house.workspaces() == [first.workspace_id, second.workspace_id]


def test_a_twin_that_appears_after_its_release_was_cleaned_up_is_retired(house: House) -> None:
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled()
    house.rest(60)
    assert house.release().cleanup == "gone"
    twin = twin_of(house)

    review = reconcile(house)

    assert kinds(review) == {twin: Kind.RETIRE}
    assert house.workspaces() == []
    assert reconcile(house).findings == ()


@pytest.mark.parametrize("status", [Status.LIVE, Status.REPLACED])
def test_a_twin_of_a_release_in_use_goes_and_its_workspace_stays(house: House, status: Status) -> None:
    house.publish("one")
    first = house.live()
    expected = [first.workspace_id]
    if status is Status.REPLACED:
        house.publish("two")
        expected.append(house.live(2).workspace_id)
    house.rest(60)
    twin = twin_of(house)

    reconcile(house)
    house.rest(3700)

    assert twin not in house.workspaces()
    assert house.workspaces() == expected
    assert house.release().status is status
    if status is Status.REPLACED:
        assert house.reading.lane(first.lane).parked == (first.id,)
        house.operations.rollback(house.release(2).id, actor="ann")
        house.run(lambda: house.release().status is Status.LIVE)


def test_a_twin_of_an_unfinished_release_is_left_to_it(house: House) -> None:
    house.publish()
    house.until_step("test")
    twin = twin_of(house)

    during = house.services.reconciler.run()
    release = house.live()
    reconcile(house)

    assert kinds(during) == {release.workspace_id: Kind.NEEDED, twin: Kind.REPORT}
    assert house.workspaces() == [release.workspace_id]


def test_an_unanswered_create_is_left_to_its_release_to_adopt(house: House) -> None:
    house.sandbox.faults.add(Fault(method="POST", path="/workspaces", broken="timeout", after=True))
    house.publish()
    house.run(lambda: bool(house.workspaces()))

    review = house.services.reconciler.run()
    release = house.live()

    assert [finding.kind for finding in review.findings] == [Kind.ADOPT]
    assert house.workspaces() == [release.workspace_id]


def test_what_is_not_ours_is_not_even_mentioned(house: House) -> None:
    foreign = [
        house.foreign(name="shop-r1-leftover"),
        house.foreign(welcomeMessage="switchover"),
        house.foreign(name="shop-r1-x", welcomeMessage="hello, switchover:r1"),
    ]

    review = reconcile(house)

    assert review.findings == ()
    assert house.workspaces() == foreign


def test_a_mark_of_a_release_that_this_store_does_not_know_is_reported_and_never_deleted(
    house: House,
) -> None:
    stranger = house.foreign(welcomeMessage=mark_of("0123456789abcdef"))

    review = reconcile(house)

    assert kinds(review) == {stranger: Kind.REPORT}
    assert "does not know" in review.findings[0].why
    assert house.workspaces() == [stranger]


def test_a_twin_that_a_domain_names_is_reported_until_it_is_disconnected(house: House) -> None:
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled()
    house.rest(60)
    twin = twin_of(house)
    house.sandbox.add_domain("old.example.com", {"/": [twin]})

    named = reconcile(house)
    kept = house.workspaces()
    house.sandbox.connect("old.example.com", {})
    reconcile(house)

    assert (kinds(named), named.findings[0].named) == ({twin: Kind.REPORT}, "old.example.com/")
    assert kept == [twin]
    assert house.workspaces() == []


def test_a_domain_that_comes_to_name_a_twin_in_the_last_instant_saves_it(house: House) -> None:
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled()
    house.rest(60)
    twin = twin_of(house)
    house.services.reconciler.run()
    house.sandbox.add_domain("old.example.com", {"/": [twin]})

    house.rest(600)

    assert house.workspaces() == [twin]


def test_an_entry_whose_workspace_somebody_deleted_is_struck_off_the_ledger(make_house: MakeHouse) -> None:
    house = make_house(settings(workspace={"keep_failed": "2h"}))
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    release = house.settled()
    house.run(seconds=60)
    del house.sandbox.platform.workspaces[release.workspace_id or 0]

    review = reconcile(house)

    assert kinds(review) == {release.workspace_id: Kind.DROP}
    assert house.reading.ledger() == {}
    assert house.release().cleanup == "gone"
    assert house.client.zcard(key("due")) == 0


def test_a_list_that_leaves_a_workspace_out_strikes_nothing_off(house: House) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    house.live(2)
    house.rest(60)
    house.sandbox.faults.add(Fault(method="GET", path="/workspaces/team/35", garbage="empty-list"))

    review = house.services.reconciler.run()
    house.rest(60)

    assert kinds(review)[first.workspace_id or 0] is Kind.REPORT
    assert len(house.reading.ledger()) == 2
    assert len(house.workspaces()) == 2


def test_a_platform_that_is_away_is_a_fault_and_changes_nothing(house: House) -> None:
    house.publish()
    house.live()
    house.sandbox.faults.add(Fault(method="GET", path="/workspaces/team/35", status=503))

    review = house.services.reconciler.run()

    assert review.findings == ()
    assert "team 35 of codesphere was not looked at" in review.faults[0]
    assert len(house.reading.ledger()) == 1


def test_looking_changes_nothing(house: House) -> None:
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    house.settled()
    house.rest(60)
    twin = twin_of(house)

    review = house.services.reconciler.look()
    house.rest(600)

    assert kinds(review) == {twin: Kind.RETIRE}
    assert house.workspaces() == [twin]
    assert house.reading.review() is None


@pytest.mark.parametrize("how", ["cancelled", "superseded"])
def test_a_retry_that_ends_while_it_is_queued_leaves_no_workspace(make_house: MakeHouse, how: str) -> None:
    house = make_house(settings(workspace={"keep_failed": "2h"}))
    house.publish("bad", Behaviour(failures=(Failure("test"),)))
    failed = house.settled()
    house.run(seconds=60)
    house.standing.freeze("shop", author="ann", reason="no", until=None)

    retry = house.operations.retry(failed.id, actor="ann").release
    if how == "cancelled":
        house.operations.cancel(retry.id, actor="ann")
    else:
        house.publish("good")
    house.run(lambda: not house.workspaces(), seconds=600)

    assert house.release(2).status is Status(how)
    assert house.release(2).workspace_id == failed.workspace_id
    assert house.reading.ledger() == {}


def test_a_workspace_is_retired_early_when_a_person_asks(house: House) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    second = house.live(2)
    house.run(seconds=60)

    house.services.store.retire(first.id, "ann")
    house.run(lambda: house.release().cleanup == "gone", seconds=60)

    assert house.workspaces() == [second.workspace_id]
    assert house.reading.lane(first.lane).parked == ()
    assert "its workspace shall go now, asked by ann" in house.said()


def test_a_workspace_that_a_rollback_returns_to_is_not_retired_under_it(house: House) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    second = house.live(2)
    house.operations.rollback(second.id, actor="ann")

    with pytest.raises(NotAllowed, match="a rollback to release #1 is under way"):
        house.services.store.retire(first.id, "ann")

    house.run(lambda: house.release().status is Status.LIVE)
    with pytest.raises(NotAllowed, match="live"):
        house.services.store.retire(first.id, "ann")


def test_a_release_that_came_back_is_parked_again_whatever_was_asked_before(house: House) -> None:
    house.publish("one")
    first = house.live()
    house.publish("two")
    house.live(2)
    house.operations.rollback(house.release(2).id, actor="ann")
    house.client.hset(key("release", first.id), "retire_asked", "ann")  # asked as the rollback was asked
    house.run(lambda: house.release().status is Status.LIVE)
    house.standing.unpin("shop")
    house.publish("three")
    house.live(3)

    house.rest(60)

    assert first.workspace_id in house.workspaces()
    assert house.release().cleanup == "parked for rollback"
