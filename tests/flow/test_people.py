"""What people ask for: start, cancel, retry. Each does just that, and leaves nothing behind."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.house import DOMAIN, House
from workers.errors import NotAllowed, NotFound
from workers.releases.model import Cause
from workers.releases.status import Status

FAILS = Behaviour(failures=(Failure("test"),))


def test_a_person_starts_a_commit(house: House) -> None:
    old = house.publish("one")
    house.live()
    house.publish("two")
    house.live(2)

    asked = house.operations.start("shop", actor="ann", commit=old.upper(), reason="try the old one")
    release = house.live(3)

    assert asked.made
    assert house.served() == old
    assert release.reason != ""
    assert (release.trigger.kind, release.trigger.actor) == ("manual", "ann")


def test_a_person_starts_what_was_last_pushed_to_a_branch(house: House) -> None:
    house.publish("one")
    house.commit("on the branch", branch="release/1")
    tip = house.repository.branches["release/1"]
    house.push(tip, branch="release/1")
    house.live(2)

    house.operations.start("shop", actor="ann", branch="release/1")

    house.live(3)
    assert house.served() == tip


def test_a_start_of_a_branch_that_was_never_pushed_says_what_to_do(house: House) -> None:
    with pytest.raises(NotAllowed, match="nothing was pushed to refs/heads/main of shop yet; name a commit"):
        house.operations.start("shop", actor="ann")


def test_a_start_of_an_unknown_project_names_those_that_are(house: House) -> None:
    with pytest.raises(NotFound, match="there is no project shopp; configured are: shop"):
        house.operations.start("shopp", actor="ann", commit="a" * 40)


def test_the_same_idempotency_key_starts_once(house: House) -> None:
    commit = house.commit()

    first = house.operations.start("shop", actor="ann", commit=commit, idempotency="key")
    second = house.operations.start("shop", actor="ann", commit=commit, idempotency="key")

    assert (first.made, second.made) == (True, False)
    assert first.release.id == second.release.id


def test_a_queued_release_is_cancelled_at_once(house: House) -> None:
    house.publish("one")
    house.until_step("prepare")
    house.publish("two")

    cancelled = house.operations.cancel(house.release(2).id, actor="ann", reason="not now")
    house.rest()

    assert cancelled.status is Status.CANCELLED
    assert house.release(2).reason == "cancelled by ann: not now"
    assert house.release(1).status is Status.LIVE
    assert house.workspaces() == [house.release(1).workspace_id]


@pytest.mark.parametrize("step", ["create", "prepare", "test", "run", "verify"])
def test_a_release_is_cancelled_in_any_step_before_the_switch(house: House, step: str) -> None:
    good = house.publish("one")
    first = house.live()
    house.publish("two")
    house.until_step(step, 2)

    house.operations.cancel(house.release(2).id, actor="ann")
    house.rest()

    release = house.release(2)
    assert release.status is Status.CANCELLED
    assert release.reason == "cancelled by ann"
    assert release.step == step
    assert house.served() == good
    assert house.workspaces() == [first.workspace_id]
    assert house.failed_queue() == []


def test_a_release_is_cancelled_while_it_waits_for_good_probes(house: House) -> None:
    good = house.publish("one")
    house.live()
    house.publish("two")
    house.until_step("switch", 2)
    assert not house.release(2).past_switch

    house.operations.cancel(house.release(2).id, actor="ann")
    house.rest()

    assert house.release(2).status is Status.CANCELLED
    assert house.served() == good


def test_a_cancel_after_the_switch_began_is_refused_with_the_way_out(house: House) -> None:
    house.publish("one")
    house.until_step("observe")

    with pytest.raises(NotAllowed, match="its switch has begun; roll back instead once it is live"):
        house.operations.cancel(house.release().id, actor="ann")

    house.live()


def test_a_cancel_that_meets_the_create_call_leaves_no_workspace(house: House) -> None:
    house.publish()

    def ask() -> None:
        house.operations.cancel(house.release().id, actor="ann")

    cancel = Fault(method="POST", path="/workspaces", broken="timeout", after=True, do=ask)
    house.sandbox.faults.add(cancel)

    house.rest()

    assert house.release().status is Status.CANCELLED
    assert cancel.met == 1
    assert house.workspaces() == []


def test_a_cancel_in_the_instant_before_the_switch_wins(house: House) -> None:
    good = house.publish("one")
    house.live()

    def ask() -> None:
        house.operations.cancel(house.release(2).id, actor="ann")

    # The create step reads the domain twice; the third read is the switch's.
    house.sandbox.faults.add(Fault(method="GET", path=f".*/domain/{DOMAIN}", skip=2, do=ask))
    house.publish("two")
    house.rest()

    assert house.release(2).status is Status.CANCELLED
    assert house.release(2).step == "switch"
    assert house.served() == good
    assert len([call for call in house.sandbox.calls if call.method == "PUT"]) == 1


def test_a_cancel_between_look_and_enter_is_no_fault_of_the_worker(house: House) -> None:
    house.publish()
    store = house.services.store
    apply = store.apply

    def cancelled_meanwhile(*arguments: object) -> object:
        store.apply = apply  # type: ignore[method-assign]  # only once
        house.operations.cancel(house.release().id, actor="ann")
        return apply(*arguments)  # type: ignore[arg-type]  # handed through

    store.apply = cancelled_meanwhile  # type: ignore[method-assign,assignment]  # a race, made to happen

    house.rest()

    assert house.release().status is Status.CANCELLED
    assert house.workspaces() == []


def test_a_finished_release_cannot_be_cancelled(house: House) -> None:
    house.publish()
    house.live()

    with pytest.raises(NotAllowed, match="it is live already"):
        house.operations.cancel(house.release().id, actor="ann")


def test_a_retry_is_a_new_release_and_empties_the_failed_queue(house: House) -> None:
    fault = house.sandbox.faults.add(Fault(method="POST", path="/workspaces", status=402))
    commit = house.publish()
    failed = house.settled()
    queue = house.failed_queue()

    asked = house.operations.retry(failed.id, actor="ann")
    release = house.live(2)

    assert fault.met == 1
    assert queue == [1]
    assert asked.made
    assert (release.retry_of, release.commit) == (failed.id, commit)
    assert release.trigger.kind == "retry"
    assert house.release(1).retried_by == release.id
    assert house.release(1).status is Status.FAILED
    assert house.failed_queue() == []


def test_a_second_retry_joins_the_first(house: House) -> None:
    house.publish("bad", FAILS)
    failed = house.settled()

    first = house.operations.retry(failed.id, actor="ann")
    second = house.operations.retry(failed.id, actor="bob")

    assert (first.made, second.made) == (True, False)
    assert first.release.id == second.release.id


def test_a_retry_while_something_newer_is_live_needs_force(house: House) -> None:
    house.publish("bad", FAILS)
    failed = house.settled()
    house.publish("two", Behaviour())
    house.live(2)

    with pytest.raises(NotAllowed, match="a newer release of the lane is live"):
        house.operations.retry(failed.id, actor="ann")

    assert house.operations.retry(failed.id, actor="ann", force=True).made


def test_a_retry_while_something_newer_is_on_its_way_needs_force(house: House) -> None:
    house.publish("bad", FAILS)
    failed = house.settled()
    house.publish("two", Behaviour())
    house.until_step("prepare", 2)

    with pytest.raises(NotAllowed, match="a newer release of the lane is on its way"):
        house.operations.retry(failed.id, actor="ann")


@pytest.mark.parametrize("live", [True, False], ids=["live", "unfinished"])
def test_only_what_ended_badly_can_be_retried(house: House, live: bool) -> None:
    house.publish()
    if live:
        house.live()

    with pytest.raises(NotAllowed):
        house.operations.retry(house.release().id, actor="ann")


def test_retry_all_retries_the_newest_failed_release_of_each_lane(house: House) -> None:
    house.publish("bad", FAILS)
    house.settled()
    house.publish("bad as well", FAILS)
    house.settled(2)

    retried = house.operations.retry_all(actor="ann")

    assert [release.retry_of for release in retried] == [house.release(2).id]


def test_retry_all_takes_only_the_causes_asked_for(house: House) -> None:
    house.publish("bad", FAILS)
    house.settled()

    assert house.operations.retry_all(actor="ann", cause=Cause.TRANSIENT) == []
    assert len(house.operations.retry_all(actor="ann", cause=Cause.APPLICATION)) == 1


def test_retry_all_takes_the_newest_of_a_lane_and_leaves_the_others_superseded(house: House) -> None:
    broken = Behaviour(failures=(Failure("test"),))
    first = house.commit("one", behaviour=broken)
    house.push(first)
    house.settled()
    house.push(house.commit("two", behaviour=broken), before=first)
    house.settled(2)

    retried = house.operations.retry_all(actor="ann")

    assert [release.retry_of for release in retried] == [house.release(2).id]
    assert house.release(1).status is Status.SUPERSEDED
    assert house.release(2).status is Status.FAILED
    assert house.reading.failed() == []
