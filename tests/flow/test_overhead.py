"""What the bot itself adds to the time that a platform takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.core.platform import Timing
from sandbox.scripted.behaviour import Behaviour
from tests.flow.house import House

PLATFORM_SECONDS = 60.0
"""8 s until the workspace runs, 30 s of prepare, 20 s of test, 2 s until the replicas are laid out."""


@pytest.fixture
def slow_house(store_url: str) -> Iterator[House]:
    made = House(store_url, timing=Timing(workspace_start=8.0, landscape=2.0))
    yield made
    made.close()


def test_a_minute_of_platform_time_costs_at_most_two_seconds_and_five_percent_more(slow_house: House) -> None:
    commit = slow_house.commit(behaviour=Behaviour(seconds={"prepare": 30.0, "test": 20.0}))
    slow_house.push(commit)

    release = slow_house.live()

    spent = sum(
        (step.finished_at or 0) - (step.started_at or 0)
        for step in release.steps
        if step.name in ("create", "prepare", "test", "run")
    )
    assert PLATFORM_SECONDS <= spent <= PLATFORM_SECONDS * 1.05 + 2.0
    assert release.started_at is not None
    assert release.started_at - release.created_at < 0.5
