"""Hand-over: a worker that is asked to end, and a newer version of Switchover beside an older one."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour
from tests.chaos.outside import some_projects
from tests.chaos.processes import Town, soon, town_with_store
from workers.releases.codec import SCHEMA_VERSION
from workers.store.keyspace import key

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(200)]

NEWER = SCHEMA_VERSION + 1
NEWER_VERSION = f"""
from workers.releases import codec
codec.SCHEMA_VERSION = {NEWER}
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town_with_store(tmp_path, some_projects(3)) as (made, _):
        yield made


def test_a_worker_that_is_asked_to_end_finishes_its_call_and_another_goes_on(place: Town) -> None:
    receiver, project = place.receiver(), place.projects[0]
    (first,) = place.workers(1)
    called = threading.Event()
    start = ".*/pipeline/prepare/start"
    place.sandbox.faults.add(Fault(method="POST", path=start, latency=3.0, do=called.set))
    release = place.released(receiver, project, place.commit(project))
    assert called.wait(30)
    place.worker()
    began_at = time.monotonic()

    first.send_signal(signal.SIGTERM)

    assert first.wait(20) == 0
    ended_after = time.monotonic() - began_at
    fence = place.fence(release)
    soon(lambda: place.fence(release) > fence, "a look of the other one", 5)
    print(
        f"ended after {ended_after:.1f} s, looked at {time.monotonic() - began_at - ended_after:.1f} s later"
    )
    assert ended_after < 8
    live = place.live(release)
    started = f"/workspaces/{live.workspace_id}/pipeline/prepare/start"
    assert len(place.sandbox.called("POST", started)) == 1


def test_an_upgrade_in_the_middle_of_releases_loses_none(place: Town) -> None:
    receiver = place.receiver()
    old = place.workers(2)
    assert place.client.get(key("schema")) == str(SCHEMA_VERSION)
    slow = Behaviour(seconds={"prepare": 2.0, "test": 2.0})
    releases = [place.released(receiver, each, place.commit(each, slow)) for each in place.projects]
    place.until(releases[0], "prepare")

    newer = place.worker(bent=NEWER_VERSION)

    for worker in old:
        assert worker.wait(20) == 1
        assert f"knows {SCHEMA_VERSION}: upgrade this worker" in place.log(worker)
    for project, release in zip(place.projects, releases, strict=True):
        live = place.live(release)
        assert live.attempt == 1
        assert place.puts(project) == [{"/": [live.workspace_id]}]
    assert len(place.sandbox.called("POST", "/workspaces")) == len(releases)
    assert place.client.get(key("schema")) == str(NEWER)
    assert newer.poll() is None
    assert httpx.get(f"{receiver.url}/readyz").status_code == httpx.codes.OK


def test_a_worker_that_is_too_old_for_the_store_does_not_begin(place: Town) -> None:
    receiver, project = place.receiver(), place.projects[0]
    place.client.set(key("schema"), NEWER)
    release = place.released(receiver, project, place.commit(project))

    worker = place.worker()

    assert worker.wait(20) == 1
    assert f"the store has schema version {NEWER}" in place.log(worker)
    assert place.fence(release) == 0
    answer = httpx.get(f"{receiver.url}/readyz")
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert "worker" in answer.text
