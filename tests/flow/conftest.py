"""The house for flow tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.settings import Settings
from sandbox.core.platform import Timing
from sandbox.githost.model import Dialect
from tests.flow.git_house import GitHouse, git_settings
from tests.flow.house import House

MakeHouse = Callable[..., House]
MakeGitHouse = Callable[..., GitHouse]


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


@pytest.fixture
def make_git_house(store_url: str) -> Iterator[MakeGitHouse]:
    """Return a way to make a house with a Git host beside it; it is closed at the end."""
    made: list[GitHouse] = []

    def make(dialect: Dialect = "github", **settings: Any) -> GitHouse:
        made.append(GitHouse(store_url, git_settings(dialect, **settings), dialect=dialect))
        return made[-1]

    yield make
    for house in made:
        house.close()
