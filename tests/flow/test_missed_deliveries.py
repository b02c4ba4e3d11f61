"""What became of deliveries that failed, or that came while something was away."""

from __future__ import annotations

import pytest

from tests.flow.conftest import MakeGitHouse
from tests.flow.git_house import USUAL, GitHouse, settled
from tests.flow.house import project
from workers.errors import StoreAway
from workers.flow.looking.look import GRACE_SECONDS
from workers.store.sweeps import SweepStore


@pytest.fixture(params=["github", "gitlab"])
def house(request: pytest.FixtureRequest, make_git_house: MakeGitHouse) -> GitHouse:
    """Return a bot that has looked once, with the first commit of main released and live."""
    return settled(make_git_house(request.param))


def test_a_receiver_that_is_away_while_three_pushes_come_releases_the_newest_once(house: GitHouse) -> None:
    house.receives = False
    for message in ("two", "three", "four"):
        newest = house.pushed(message)
        house.jump(20)
    house.receives = True
    house.nudge()

    house.sweeps(30)
    inside = house.commits()
    house.sweeps(2 * USUAL)

    assert inside[1:] == [newest]
    assert house.commits()[1:] == [newest]


def test_the_same_without_a_log_of_the_host(make_git_house: MakeGitHouse) -> None:
    house = settled(make_git_house(public_url=None))
    house.receives = False
    for message in ("two", "three", "four"):
        newest = house.pushed(message)
        house.jump(20)
    house.receives = True
    house.nudge()

    house.sweeps(30)

    assert house.commits()[1:] == [newest]
    assert house.made()[1].trigger.kind == "catch-up"


def test_a_failed_webhook_is_sent_again_once_and_not_doubled_by_the_sweep(house: GitHouse) -> None:
    house.git.post.failures.append(502)
    failed = house.pushed("two")

    house.sweep(USUAL)
    at_once = house.commits()
    house.sweeps(3 * USUAL)

    assert at_once[1:] == [failed]
    assert house.commits()[1:] == [failed]
    assert house.made()[1].trigger.kind == "push"
    again = [each for each in house.git.post.of_hook(house.git_hook.id) if each.redelivery]
    assert len(again) == 1


def test_what_keeps_failing_is_asked_for_once_and_then_caught_up(house: GitHouse) -> None:
    house.git.post.failures.extend([502, 502, 502])
    failed = house.pushed("two")

    house.sweeps(3 * USUAL)

    assert len([each for each in house.git.post.of_hook(house.git_hook.id) if each.redelivery]) == 1
    assert house.commits()[1:] == [failed]
    assert house.made()[1].trigger.kind == "catch-up"


def test_a_tag_that_failed_is_sent_again_and_one_that_was_lost_changes_nothing(
    make_git_house: MakeGitHouse,
) -> None:
    triggers = [{"push": {"branches": ["main"], "tags": ["v*"]}}]
    house = settled(make_git_house(shop=project(triggers=triggers)))
    house.git.post.failures.append(502)
    house.git.tag(house.git_repo, "v1")
    house.sweeps(USUAL + 60)
    tagged = [release.ref for release in house.made()[1:]]
    house.git.post.mode = "drop"
    house.git.tag(house.git_repo, "v2")
    house.git.post.mode = "send"
    house.sweeps(USUAL + 60)

    assert tagged == ["refs/tags/v1"]
    assert len(house.made()) == 2


def test_a_rate_limit_leaves_it_to_a_later_look_without_asking_again(make_git_house: MakeGitHouse) -> None:
    house = settled(make_git_house())
    lost = house.lost("two")
    house.service.github_limits.block(900)
    house.sweep(USUAL)
    refused = len(house.service.calls)
    house.sweeps(USUAL)
    quiet = len(house.service.calls)

    assert quiet == refused
    assert len(house.made()) == 1
    house.begin()
    house.jump(900)
    house.sweeps(USUAL + 60)
    assert house.commits()[1:] == [lost]


def test_a_host_that_is_away_is_looked_at_again_when_it_is_back(house: GitHouse) -> None:
    lost = house.lost("two")
    house.service.fails(status=502, times=None)
    house.sweeps(2 * USUAL)
    assert len(house.made()) == 1

    house.service.faults.clear()
    house.sweeps(USUAL + 60)
    assert house.commits()[1:] == [lost]


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_around_writing_down_leaves_one_release(house: GitHouse, when: str) -> None:
    lost = house.lost("two")
    house.sweep(USUAL)
    house.dies_writing_down(Killed, when)
    with pytest.raises(Killed):
        house.sweep(GRACE_SECONDS)

    house.begin()
    house.sweeps(120)

    assert house.commits()[1:] == [lost]


def test_after_the_store_was_away_nobody_waits_for_the_usual_turn(
    house: GitHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.sweep(20)
    with monkeypatch.context() as away:
        away.setattr(SweepStore, "take", _raise_away)
        with pytest.raises(StoreAway):
            house.sweep(5)
    lost = house.lost("two")

    house.sweeps(30)

    assert house.commits()[1:] == [lost]


def _raise_away(*_: object, **__: object) -> None:
    raise StoreAway("the store cannot be reached")
