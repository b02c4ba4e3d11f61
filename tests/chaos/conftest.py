"""What the matrices share: telling their size."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str, int, int], None]:
    """Return a way to tell how many points of a matrix were tried and how many held."""

    def tell(what: str, tried: int, held: int) -> None:
        record_property("figure", [what, tried, held])

    return tell
