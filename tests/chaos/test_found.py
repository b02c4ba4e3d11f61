"""What the matrices found once, each as a case of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.settings import Settings
from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour, Failure
from tests.flow.house import House, settings
from workers.flow.steps.build import START_SETTLE_SECONDS
from workers.releases.model import Cause
from workers.releases.status import Status


@pytest.fixture
def house(store_url: str) -> Iterator[House]:
    made = House(store_url, quick())
    yield made
    made.close()


def quick() -> Settings:
    return settings(observe={"for": 0.4})


def test_an_answer_of_the_old_version_proves_nothing_of_the_new_one(house: House) -> None:
    good = house.publish()
    house.live()
    house.publish("bad", Behaviour(production=Answer(500, "down")))
    house.until_step("switch", 2)

    def look_once_more() -> None:
        house.jump(0.2)
        house.probe()
        house.jump(0.01)
        house.probe = lambda: False  # type: ignore[method-assign]  # the prober dies
        house._watches.clear()

    house.sandbox.faults.add(Fault(method="PUT", path=".*/workspace-connections", do=look_once_more))

    release = house.settled(2)

    assert release.status is Status.ROLLED_BACK
    assert house.served() == good


def test_a_list_that_leaves_a_workspace_out_does_not_leave_it_behind(house: House) -> None:
    house.publish("broken", Behaviour(failures=(Failure("test"),)))
    house.sandbox.faults.add(Fault(method="GET", path="/workspaces/team/35", garbage="empty-list"))

    release = house.settled()
    house.rest()

    assert release.status is Status.FAILED
    assert house.workspaces() == []
    assert house.reading.ledger() == {}


def test_a_workspace_that_our_domain_names_stands_although_the_domains_are_not_listed(house: House) -> None:
    house.publish()
    house.live()
    house.publish("two")
    house.live(2)
    parked = house.release(1).workspace_id or 0
    house.connect({"/": [parked]})
    house.sandbox.faults.add(Fault(method="GET", path="/domains/team/35", times=None, garbage="empty-list"))

    house.rest(30 * 3600)

    assert parked in house.workspaces()


@pytest.mark.parametrize(
    ("method", "path", "step"),
    [
        ("POST", "/workspaces", "create"),
        ("POST", "/workspaces/[0-9]+/pipeline/test/start", "test"),
        ("GET", "/workspaces/[0-9]+/git/head", "create"),
    ],
)
def test_a_platform_that_never_answers_a_call_is_named_as_the_cause(
    house: House, method: str, path: str, step: str
) -> None:
    house.sandbox.faults.add(Fault(method=method, path=path, times=None, status=503))
    house.publish()

    release = house.settled()

    assert release.failure is not None
    assert (release.failure.cause, release.failure.step) == (Cause.TRANSIENT, step)
    assert "answered 503" in release.reason


def test_a_commit_that_cannot_be_read_back_before_the_switch_is_no_fault_of_the_application(
    house: House,
) -> None:
    house.sandbox.faults.add(
        Fault(method="GET", path="/workspaces/[0-9]+/git/head", skip=1, times=None, status=503)
    )
    house.publish()

    release = house.settled()

    assert release.failure is not None
    assert (release.failure.cause, release.failure.step) == (Cause.TRANSIENT, "verify")


def test_a_slow_look_before_a_call_takes_nothing_off_the_time_in_which_it_may_take_effect(
    house: House,
) -> None:
    look, start = "/workspaces/[0-9]+/pipeline/prepare", "/workspaces/[0-9]+/pipeline/prepare/start"
    house.sandbox.faults.add(Fault(method="GET", path=look, latency=20.0))
    house.sandbox.faults.add(Fault(method="POST", path=start, broken="timeout"))
    house.publish()

    house.live()

    tries = [call.at for call in house.sandbox.calls if call.path.endswith("/prepare/start")]
    assert len(tries) == 2
    assert tries[1] - tries[0] >= START_SETTLE_SECONDS
