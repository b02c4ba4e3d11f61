"""Whole releases through the real engine, scripts, store and driver, against the sandbox in process."""

from __future__ import annotations

from tests.flow.house import House
from workers.releases.status import Status, StepStatus


def test_a_push_goes_live(house: House) -> None:
    commit = house.commit()

    verdict = house.push(commit)
    release = house.live()

    assert verdict.verdict == "accepted"
    assert house.visit().json()["commit"] == commit
    assert house.connections() == {"/": [release.workspace_id]}
    assert [step.status for step in release.steps if step.name not in ("checks", "approval")] == [
        StepStatus.DONE
    ] * 7


def test_the_second_release_replaces_the_first_without_a_failed_probe(house: House) -> None:
    first = house.commit("one")
    house.push(first)
    house.live()
    second = house.commit("two")
    house.push(second, before=first)

    release = house.live(2)

    assert house.visit().json()["commit"] == second
    assert house.release(1).status is Status.REPLACED
    assert release.previous == house.release(1).id
    assert release.downtime is not None
    assert release.downtime.failed == 0
    assert release.downtime.probes > 5
