"""What the bot adds to a release on which the platform spends a minute, with real processes."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench import many
from tests.bench.intake import free_port, process
from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore
from workers.store.reading import Reading

STAGE_SECONDS = 29.0
START_SECONDS = 2.0
PLATFORM_SECONDS = 2 * STAGE_SECONDS + START_SECONDS
STEPS = ("create", "prepare", "test", "run")


def run() -> None:
    """Print the figure of one release."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        port = free_port()
        platform = [sys.executable, "-P", "-m", "tests.bench.platform", str(port), "1", str(STAGE_SECONDS)]
        stack.enter_context(process(platform, port, {}))
        store = EmbeddedStore(Path(directory) / "state")
        store.start()
        stack.callback(store.stop)
        client = connect(store.url)
        stack.callback(client.close)
        many.queue_all(many.configure(Path(directory), port, 1), client, STAGE_SECONDS, over_seconds=0.0)
        stack.callback(many.end, [many.start_worker(Path(directory), store.url)])
        reading = Reading(client)
        many.wait_until_done(reading)
        (release,), _ = reading.page(project=None, status=None, limit=1, before=None)
    spent = sum(
        (step.finished_at or 0.0) - (step.started_at or 0.0) for step in release.steps if step.name in STEPS
    )
    allowed = PLATFORM_SECONDS * 0.05 + 2
    print(
        f"Overhead: with {PLATFORM_SECONDS:.0f} s of platform time it is {release.status}; create to run took"
        f" {spent:.1f} s, so the bot added {spent - PLATFORM_SECONDS:.1f} s (at most {allowed:.1f} s)"
    )
