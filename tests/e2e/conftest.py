"""One street of shops for each test process: bringing the bot up costs more than a release."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.street import Shop, Street, open_street

SHOPS = 16


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Return a running bot with enough shops for every test of this room."""
    with open_street(tmp_path_factory.mktemp("street"), SHOPS) as opened:
        yield opened


@pytest.fixture
def shop(street: Street) -> Shop:
    """Return a project, a domain and a repository that no other test touches."""
    return street.next_shop()
