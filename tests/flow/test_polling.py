"""Polling: the host is asked where no webhook can reach us."""

from __future__ import annotations

import pytest

from tests.flow.conftest import MakeGitHouse
from tests.flow.git_house import GitHouse, settled
from tests.flow.house import project


@pytest.fixture
def polling(make_git_house: MakeGitHouse) -> GitHouse:
    """Return a bot that asks the host every 30 seconds, with the first commit of main released and live."""
    triggers = [
        {"push": {"branches": ["main"]}},
        {"poll": {"every": "30s"}},
        {"catch-up": {"enabled": False}},
    ]
    return settled(make_git_house(shop=project(triggers=triggers)))


def test_a_poll_releases_a_push_within_its_time_and_once(polling: GitHouse) -> None:
    polling.receives = False
    polled = polling.pushed("two")

    polling.sweep(30)
    at_once = polling.commits()
    polling.sweeps(120)

    assert at_once[1:] == [polled]
    assert polling.commits()[1:] == [polled]
    assert polling.made()[1].trigger.kind == "poll"


def test_a_poll_and_webhooks_together_release_each_push_once(polling: GitHouse) -> None:
    polling.git.post.mode = "hold"
    one = polling.pushed("two")
    polling.sweep(30)
    polling.git.post.mode = "send"
    polling.git.post.deliver()
    two = polling.pushed("three")
    polling.sweeps(120)

    assert polling.commits()[1:] == [one, two]
    assert [release.trigger.kind for release in polling.made()[1:]] == ["poll", "push"]


def test_a_poll_waits_with_a_head_that_was_there_before(polling: GitHouse) -> None:
    first = polling.commits()[0]
    polling.pushed("two")
    polling.live(2)
    polling.git.post.mode = "drop"
    polling.repository.move("main", first)
    polling.mirror()

    polling.sweep(30)
    at_once = len(polling.made())
    polling.sweeps(60)

    assert at_once == 2
    assert polling.commits()[2:] == [first]
