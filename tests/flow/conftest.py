"""The house for flow tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.house import House


@pytest.fixture
def house(store_url: str) -> Iterator[House]:
    """Return a bot with one project, a domain that leads nowhere, and time in the test's hand."""
    made = House(store_url)
    yield made
    made.close()
