"""A web process in the test's hand: the real application and store, asked without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.flow.house import House
from tests.web.web import Web, open_web, settings


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as uvicorn does."""
    return "asyncio"


@pytest.fixture
async def web(store_url: str) -> AsyncIterator[Web]:
    """Return the application on an empty store."""
    async with open_web(store_url) as opened:
        yield opened


@pytest.fixture
def house(store_url: str) -> Iterator[House]:
    """Return a bot at work on the same store and settings as `web`."""
    made = House(store_url, settings())
    yield made
    made.close()
