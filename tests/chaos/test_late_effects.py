"""A call that its caller gave up takes effect all the same, later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour
from tests.flow.house import DOMAIN, House, settings
from workers.flow.steps.create import SETTLE_SECONDS

CREATE = "/workspaces"


@pytest.fixture
def house(store_url: str) -> Iterator[House]:
    made = House(store_url, settings(observe={"for": 0.4}))
    yield made
    made.close()


def give_up_and_carry_out_later(house: House, method: str, path: str, seconds: float) -> None:
    """Let the next such call go unanswered, and let it take effect so many seconds after it was sent."""
    house.sandbox.faults.add(Fault(method=method, path=path, broken="timeout"))
    seen = len(house.sandbox.called(method, path))
    house.run(lambda: len(house.sandbox.called(method, path)) > seen)
    call = house.sandbox.called(method, path)[-1]
    house.rest(seconds - (house.clock() - call.at))
    house.sandbox._direct(method, path, call.body)


@pytest.mark.parametrize("seconds", [1.0, 60.0, 120.0])
def test_a_workspace_that_appears_late_is_adopted_and_no_other_is_made(house: House, seconds: float) -> None:
    commit = house.publish()

    give_up_and_carry_out_later(house, "POST", CREATE, seconds)
    release = house.live()

    assert house.workspaces() == [release.workspace_id]
    assert len(house.sandbox.called("POST", CREATE)) == 1
    assert house.served() == commit


def test_a_twin_that_appears_while_the_second_try_is_built_is_never_used_and_goes(house: House) -> None:
    house.publish("one", Behaviour(seconds={"test": 60.0}))

    give_up_and_carry_out_later(house, "POST", CREATE, SETTLE_SECONDS + 20)
    both = house.workspaces()
    release = house.live()
    house.rest(1200)

    assert len(both) == 2
    assert house.workspaces() == [release.workspace_id]


def test_a_twin_that_appears_after_all_is_gone_with_its_release(house: House) -> None:
    house.publish()

    give_up_and_carry_out_later(house, "POST", CREATE, SETTLE_SECONDS + 600)
    first = house.live()
    for message in ("two", "three"):
        house.publish(message)
        house.rest(1200)

    assert house.release(1).cleanup == "gone"
    assert house.workspaces() == [house.release(2).workspace_id, house.release(3).workspace_id]
    assert first.workspace_id not in house.workspaces()


def test_a_workspace_that_appears_after_the_release_was_cancelled_goes(house: House) -> None:
    house.publish()
    house.sandbox.faults.add(Fault(method="POST", path=CREATE, broken="timeout"))
    house.run(lambda: bool(house.sandbox.called("POST", CREATE)))
    call = house.sandbox.called("POST", CREATE)[-1]
    house.operations.cancel(house.release().id, actor="ann")
    house.settled()
    house.rest(100)
    house.sandbox._direct("POST", CREATE, call.body)

    house.rest(1200)

    assert house.workspaces() == []


@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_a_switch_that_takes_effect_late_is_found_and_observed(house: House, seconds: float) -> None:
    house.publish()
    house.live()
    commit = house.publish("two")
    path = f"{house.sandbox.domain_path(DOMAIN)}/workspace-connections"

    give_up_and_carry_out_later(house, "PUT", path, seconds)
    release = house.live(2)

    assert house.served() == commit
    assert release.downtime is not None
    assert release.downtime.failed == 0
