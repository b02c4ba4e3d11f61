"""What the matrices share: telling their size."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.thoroughness import THOROUGH, WHY_NOT

SLOW = frozenset(
    {
        "test_failover.py",
        "test_partition.py",
        "test_real_kills.py",
        "test_store_outage.py",
        "test_two_of_everything.py",
        "test_upgrade.py",
    }
)
"""Tests with whole process trees that wait for leases and outages to pass."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow files, and leave them to CI and `make matrix`."""
    for item in items:
        if item.path.name in SLOW and item.path.parent.name == "chaos":
            item.add_marker(pytest.mark.processes)
            if not THOROUGH:
                item.add_marker(pytest.mark.skip(reason=WHY_NOT))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, int, int], None]:
    """Return a way to tell how many points of a matrix were tried and how many held."""

    def tell(what: str, tried: int, held: int) -> None:
        record_property("figure", [what, tried, held])

    return tell
