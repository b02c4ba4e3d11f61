"""A retry takes over the kept workspace of the failed release and what was done in it, where that is safe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.house import House, settings
from workers.releases.status import Status, StepStatus


@pytest.fixture
def keeping_house(store_url: str) -> Iterator[House]:
    made = House(store_url, settings(workspace={"keep_failed": 3600.0}))
    yield made
    made.close()


def failed_in(house: House, stage: str) -> str:
    """Push a commit that fails in a stage; afterwards it would succeed."""
    commit = house.commit(behaviour=Behaviour(failures=(Failure(stage, lines=("flaky",)),)))
    house.push(commit)
    assert house.settled().status is Status.FAILED
    house.run(seconds=5)
    mended = house.repository.commits[commit]
    house.repository.commits[commit] = type(mended)(
        mended.sha, mended.parents, mended.message, mended.files, Behaviour()
    )
    return commit


def test_a_retry_goes_on_where_the_failed_release_stopped(keeping_house: House) -> None:
    house = keeping_house
    commit = failed_in(house, "test")
    (kept,) = house.workspaces()

    retry = house.operations.retry(house.release().id, actor="ann").release
    release = house.live(2)

    assert retry.retry_of == house.release(1).id
    assert release.workspace_id == kept
    assert house.workspaces() == [kept]
    assert house.visit().json()["commit"] == commit
    assert release.record("prepare").status is StepStatus.SKIPPED
    assert release.record("test").status is StepStatus.DONE
    assert "taken over" in (house.release(1).cleanup or "")


def test_a_workspace_that_was_taken_over_is_retired_like_any_other(keeping_house: House) -> None:
    house = keeping_house
    commit = failed_in(house, "test")
    house.operations.retry(house.release().id, actor="ann")
    house.live(2)
    house.push(house.commit("next"), before=commit)
    third = house.live(3)

    house.run(seconds=3 * 24 * 3600)

    assert house.workspaces() == [third.workspace_id]


def test_a_release_that_failed_in_prepare_is_retried_in_a_workspace_of_its_own(keeping_house: House) -> None:
    house = keeping_house
    failed_in(house, "prepare")
    (kept,) = house.workspaces()

    house.operations.retry(house.release().id, actor="ann")
    release = house.live(2)

    assert release.workspace_id != kept
    assert release.record("prepare").status is StepStatus.DONE


def test_a_workspace_whose_deletion_has_begun_is_not_taken_over(keeping_house: House) -> None:
    house = keeping_house
    failed_in(house, "test")
    old = house.release()
    house.run(lambda: not house.workspaces(), seconds=2 * 3600)

    house.operations.retry(old.id, actor="ann")
    release = house.live(2)

    assert release.record("prepare").status is StepStatus.DONE
    assert house.workspaces() == [release.workspace_id]
