"""What every room of tests may use: one real store per test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore


@pytest.fixture(scope="session")
def store_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a real embedded store, one for each test process."""
    store = EmbeddedStore(tmp_path_factory.mktemp("state"), appendfsync="no")
    store.start()
    yield store.url
    store.stop()


@pytest.fixture
def store_url(store_server: str) -> str:
    """Return the address of the store, emptied."""
    client = connect(store_server)
    client.flushall()
    client.close()
    return store_server
