"""What every room of tests may use: one real store per test process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.thoroughness import one_in
from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore

settings.register_profile("switchover", max_examples=60 // one_in(3))
settings.load_profile("switchover")


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Add up the sizes that the matrices told (`figure`): points tried, points held."""
    tried, held = Counter[str](), Counter[str]()
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        for name, value in getattr(report, "user_properties", ()):
            if name == "figure" and report.when == "call":
                what, some_tried, some_held = value
                tried[what] += some_tried
                held[what] += some_held
    for what in sorted(tried):
        terminalreporter.write_line(f"{what}: {tried[what]} points tried, {held[what]} held")
