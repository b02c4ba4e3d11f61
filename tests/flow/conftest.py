"""The house for flow tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from config.settings import Settings
from sandbox.core.platform import Timing
from tests.flow.house import House

MakeHouse = Callable[..., House]


@pytest.fixture
def make_house(store_url: str) -> Iterator[MakeHouse]:
    """Return a way to make a house with other settings or timing; it is closed at the end."""
    made: list[House] = []

    def make(config: Settings | None = None, timing: Timing | None = None) -> House:
        made.append(House(store_url, config, timing))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """Return a bot with one project, a domain that leads nowhere, and time in the test's hand."""
    return make_house()
