"""The exact commit goes live, wherever its branch has gone meanwhile."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from tests.flow.house import House
from workers.releases.status import Status


def test_a_branch_that_moved_on_between_push_and_clone_releases_the_pushed_commit(house: House) -> None:
    pushed = house.commit("one")
    house.push(pushed)
    house.commit("two")

    release = house.live()

    assert house.served() == pushed
    assert release.commit == pushed


def test_a_commit_that_is_newer_than_the_clone_is_pulled(house: House) -> None:
    old = house.commit("one")
    new = house.commit("two")
    house.repository.move("main", old)
    house.push(new)
    house.run(lambda: house.workspaces() != [])
    house.repository.move("main", new)

    house.live()

    assert house.served() == new
    assert any("pulling" in text for text in house.said())


def test_a_commit_that_was_forced_away_but_is_still_in_the_clone_goes_live(house: House) -> None:
    base = house.commit("base")
    pushed = house.commit("one")
    house.push(pushed)
    house.run(lambda: house.workspaces() != [])
    house.commit("instead of one", parent=base)

    house.live()

    assert house.served() == pushed


def test_a_commit_that_was_forced_away_fails_and_says_so(house: House) -> None:
    base = house.commit("base")
    pushed = house.commit("one")
    del house.repository.commits[pushed]
    house.repository.branches["main"] = base
    house.push(pushed)

    release = house.settled()
    house.rest()

    assert release.status is Status.FAILED
    assert f"commit {pushed} is not in the repository any more" in release.reason
    assert "force-pushed away" in release.reason
    assert house.workspaces() == []


def test_a_commit_of_another_branch_than_main_is_cloned_from_there(house: House) -> None:
    house.commit("on main")
    commit = house.commit("on the branch", branch="release/1")
    house.push(commit, branch="release/1")

    house.live()

    assert house.served() == commit


def test_a_repository_that_cannot_be_cloned_fails_at_the_deadline_in_gits_words(house: House) -> None:
    house.push("a" * 40)

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.reason.startswith("create did not end within 15m")
    assert "could not read from the remote repository" in release.reason


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
def test_an_unanswered_pull_is_settled_by_looking_at_head(house: House, after: bool) -> None:
    old = house.commit("one")
    new = house.commit("two")
    house.repository.move("main", old)
    house.push(new)
    house.run(lambda: house.workspaces() != [])
    house.repository.move("main", new)
    house.sandbox.faults.add(Fault(method="POST", path=".*/git/pull.*", broken="timeout", after=after))

    house.live()

    assert house.served() == new
