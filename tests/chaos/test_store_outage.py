"""The store killed, away, or slow, and workers killed beside it: nothing acknowledged is lost, all go on."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sized
from pathlib import Path

import httpx
import pytest

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour
from tests.chaos.outside import Project, some_projects
from tests.chaos.processes import Receiver, Town, kill_store, soon, town_with_store
from workers.releases.status import Status
from workers.store.embedded import EmbeddedStore
from workers.store.keyspace import key

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(200)]

Founded = tuple[Town, EmbeddedStore]
Tell = Callable[[str, float], None]


@pytest.fixture
def founded(tmp_path: Path) -> Iterator[Founded]:
    with town_with_store(tmp_path, some_projects(2)) as made:
        yield made


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Return a way to write down how long something took."""

    def note(what: str, seconds: float) -> None:
        record_property("measured", f"{what}: {seconds:.1f} s")
        print(f"{what}: {seconds:.1f} s")

    return note


def push_until_taken(
    place: Town, receiver: Receiver, project: Project, commit: str, before: str | None
) -> str | None:
    """Send one delivery until it is answered 2xx, as a host that re-sends does; returns its release."""
    delivery, deadline = str(uuid.uuid4()), time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = place.push(receiver, project, commit, before, delivery=delivery)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            assert answer.is_success, answer.text
            return str(answer.json()["releases"][0])
        assert int(answer.headers["Retry-After"]) > 0
        time.sleep(0.1)  # a host waits, too
    raise AssertionError("the delivery was never taken")


def test_a_store_killed_amid_deliveries_and_releases_loses_nothing(founded: Founded) -> None:
    place, store = founded
    receiver = place.receiver()
    place.workers(2)
    taken: dict[Project, list[tuple[str, str | None]]] = {project: [] for project in place.projects}
    done = threading.Event()

    def push_on(project: Project) -> None:
        before = None
        while not done.is_set() and len(taken[project]) < 40:
            commit = place.commit(project)
            taken[project].append((commit, push_until_taken(place, receiver, project, commit, before)))
            before = commit
            time.sleep(0.1)  # so that releases are at every step when the store dies

    pushing = [threading.Thread(target=push_on, args=(project,)) for project in place.projects]
    for thread in pushing:
        thread.start()
    for kill in range(3):
        await_pushes(taken, kill)
        kill_store(store)
        store.start()
    done.set()
    for thread in pushing:
        thread.join(60)

    for project, pushes in taken.items():
        await_rest(place, project)
        releases = place.releases(project)
        assert [release.commit for release in reversed(releases)] == [commit for commit, _ in pushes]
        assert [release.id for release in reversed(releases)] == [release for _, release in pushes]
        assert releases[0].status is Status.LIVE
        assert place.sandbox.connections(project.domain) == {"/": [releases[0].workspace_id]}
        assert {each.status for each in releases} <= {Status.LIVE, Status.REPLACED, Status.SUPERSEDED}


def await_pushes(taken: Mapping[Project, Sized], kill: int) -> None:
    """Wait for three more pushes of each project."""
    amount = {project: len(pushes) for project, pushes in taken.items()}
    soon(lambda: all(len(taken[each]) > amount[each] + 2 for each in taken), f"pushes before kill {kill + 1}")


def await_rest(place: Town, project: Project) -> None:
    """Wait until no release of the project is on its way."""
    soon(lambda: not any(each.unfinished for each in place.releases(project)), "every release ends", 60)


@pytest.mark.parametrize(("another", "bound"), [(True, 5.0), (False, 10.0)], ids=["another alive", "alone"])
def test_a_release_of_a_killed_worker_is_soon_looked_at_by_a_new_owner(
    founded: Founded, tell: Tell, another: bool, bound: float
) -> None:
    place, _ = founded
    receiver, (project, _) = place.receiver(), place.projects
    (worker,) = place.workers(1)
    called = threading.Event()
    place.sandbox.faults.add(
        Fault(method="POST", path=".*/pipeline/prepare/start", latency=20.0, do=called.set)
    )
    release = place.released(receiver, project, place.commit(project))
    assert called.wait(30)
    if another:
        place.worker()
        place.await_workers(2)
    fence = place.fence(release)
    worker.kill()
    killed_at = time.monotonic()
    if not another:
        place.worker()

    soon(lambda: place.fence(release) > fence, "a look by a new owner")
    took = time.monotonic() - killed_at
    tell(f"from kill to a new owner ({'another alive' if another else 'started anew'})", took)
    assert took < bound
    place.live(release)


@pytest.mark.parametrize("seconds", [8.0, pytest.param(60.0, marks=pytest.mark.matrix)])
def test_after_an_outage_everything_goes_on_and_nothing_is_half_written(
    founded: Founded, tell: Tell, seconds: float
) -> None:
    place, store = founded
    receiver = place.receiver()
    first, _ = place.workers(2)
    project, other = place.projects
    slow = Behaviour(seconds={"prepare": 6.0})
    release = place.released(receiver, project, place.commit(project, slow))
    place.until(release, "prepare")
    fence = place.fence(release)
    kill_store(store)
    first.kill()
    refused = place.commit(other)
    outage_ends = time.monotonic() + seconds
    while time.monotonic() < outage_ends:
        begun = time.monotonic()
        answer = place.push(receiver, other, refused)
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - begun < 10
        assert httpx.get(f"{receiver.url}/readyz").status_code == httpx.codes.SERVICE_UNAVAILABLE
        time.sleep(0.2)  # the outage itself

    store.start()

    back_at = time.monotonic()
    soon(lambda: place.fence(release) > fence, "a look after the outage")
    took = time.monotonic() - back_at
    tell(f"from the store's return after {seconds:.0f} s to a new owner", took)
    assert took < 10
    assert place.releases(other) == []
    assert place.client.zcard(key("deliveries")) == 1
    place.live(push_until_taken(place, receiver, other, refused, None) or "")
    place.live(release)
    assert httpx.get(f"{receiver.url}/readyz").status_code == httpx.codes.OK


def test_what_was_acknowledged_before_a_slow_store_was_killed_is_there_afterwards(founded: Founded) -> None:
    place, store = founded
    receiver = place.receiver()
    acknowledged: list[str] = []
    killed = threading.Event()

    def push_on(project: Project) -> None:
        while not killed.is_set():
            with contextlib.suppress(httpx.HTTPError):
                answer = place.push(receiver, project, place.commit(project))
                if answer.is_success:
                    acknowledged.append(answer.json()["delivery"])

    pushing = [threading.Thread(target=push_on, args=(each,)) for each in (*place.projects, *place.projects)]
    for thread in pushing:
        thread.start()
    soon(lambda: len(acknowledged) > 10, "some deliveries")
    assert store.pid is not None
    # What a disk that does not come back from fsync for a second looks like from outside.
    os.kill(store.pid, signal.SIGSTOP)
    time.sleep(1.0)  # an outage has to last for a while
    before = len(acknowledged)
    os.kill(store.pid, signal.SIGCONT)
    soon(lambda: len(acknowledged) > before, "an answer of those that waited")
    kill_store(store)
    killed.set()
    for thread in pushing:
        thread.join(30)
    store.start()

    kept = set(place.client.zrange(key("deliveries"), 0, -1))
    assert len(acknowledged) > before
    assert [delivery for delivery in acknowledged if delivery not in kept] == []
