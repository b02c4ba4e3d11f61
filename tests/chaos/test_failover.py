"""The store fails over to its replica under Sentinel: everybody follows, and no fence comes twice."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Behaviour
from tests.chaos.outside import Project, some_projects
from tests.chaos.processes import Receiver, Town, free_port, soon, town
from tests.chaos.servers import DATABASE, PASSWORD, Server, start_server
from tests.chaos.wire import Wire, wire
from workers.releases.status import Status
from workers.store.keyspace import key

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(200)]

SERVICE = "bot"


@dataclass
class Family:
    """A primary, its replica behind a wire, and a Sentinel that watches both."""

    primary: Server
    replica: Server
    wire: Wire
    url: str

    def caught_up(self) -> bool:
        """Tell whether the replica follows the primary."""
        with self.replica.client() as client:
            return str(client.info("replication").get("master_link_status")) == "up"

    def fence(self, release: str) -> int:
        """Return the fence that the replica knows."""
        with self.replica.client() as client:
            return int(client.hget(key("release", release), "fence") or 0)

    def knows(self, release: str, name: str, value: str) -> bool:
        """Tell whether a field of a release has reached the replica."""
        with self.replica.client() as client:
            return bool(client.hget(key("release", release), name) == value)

    def kill_primary(self) -> float:
        """Kill the primary; returns how long (seconds) it took until the replica was promoted."""
        self.primary.process.kill()
        self.primary.process.wait()

        def promoted() -> bool:
            with self.replica.client() as client:
                return str(client.info("replication")["role"]) == "master"

        return soon(promoted, "the replica is promoted")


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    durable = ("appendonly yes", "appendfsync always")
    with contextlib.ExitStack() as stack:
        primary = start_server(tmp_path, *durable)
        stack.callback(primary.end)
        laid = stack.enter_context(wire(("127.0.0.1", primary.port)))
        replica = start_server(tmp_path, *durable, f"replicaof 127.0.0.1 {laid.port}")
        stack.callback(replica.end)
        watched = (
            f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} 1",
            f"sentinel auth-pass {SERVICE} {PASSWORD}",
            f"sentinel down-after-milliseconds {SERVICE} 1000",
            f"sentinel failover-timeout {SERVICE} 5000",
        )
        sentinel = start_server(tmp_path, *watched, sentinel=True)
        stack.callback(sentinel.end)
        # The first of the two is not there: the client asks the other.
        url = f"redis+sentinel://:{PASSWORD}@127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/{SERVICE}?db={DATABASE}"
        made = Family(primary, replica, laid, url)
        soon(made.caught_up, "the replica follows")
        with redis.Redis(port=sentinel.port, decode_responses=True) as asked:
            soon(lambda: len(asked.sentinel_slaves(SERVICE)) == 1, "the Sentinel knows the replica")
        yield made


@pytest.fixture
def place(tmp_path: Path, family: Family) -> Iterator[Town]:
    with town(tmp_path, some_projects(2), family.url, redis_url=family.url) as made:
        yield made


class Fences:
    """Looks at a release's leases all the time: each fence belongs to one owner, and none comes again."""

    def __init__(self, place: Town, release: str) -> None:
        self.seen: list[tuple[int, str]] = []
        self._place, self._release = place, release
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            with contextlib.suppress(redis.RedisError):
                fence, owner = self._place.client.hmget(key("release", self._release), "fence", "owner")
                if fence and owner and (int(fence), str(owner)) not in self.seen[-1:]:
                    self.seen.append((int(fence), str(owner)))


def push_until_taken(place: Town, receiver: Receiver, project: Project, commit: str) -> str:
    """Push as a host that re-sends does; returns the release."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = place.push(receiver, project, commit)
        if answer.status_code == httpx.codes.ACCEPTED:
            return str(answer.json()["releases"][0])
        assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
        time.sleep(0.1)  # a host waits, too
    raise AssertionError("the delivery was never taken")


LOST = {
    "since it was queued": ("queued", "POST", "/workspaces"),
    "since the build": ("test", "PUT", ".*/workspace-connections"),
}


@pytest.mark.parametrize("lost", list(LOST))
def test_calls_of_which_the_promoted_replica_knows_nothing_are_found_by_reading(
    place: Town, family: Family, lost: str
) -> None:
    known, method, path = LOST[lost]
    receiver, project = place.receiver(), place.projects[0]
    called = place.sandbox.faults.add(Fault(method=method, path=path))
    release = place.released(receiver, project, place.commit(project, Behaviour(seconds={"test": 3.0})))
    soon(lambda: family.knows(release, "status", "queued"), "the replica knows the release")
    if known == "queued":
        family.wire.cut()
    place.workers(2)
    if known != "queued":
        soon(lambda: family.knows(release, "step", known), f"the replica knows of {known}")
        family.wire.cut()
    soon(lambda: called.met > 0, "the call that will be forgotten")

    family.kill_primary()

    live = place.live(release, 60)
    assert place.sandbox.connections(project.domain) == {"/": [live.workspace_id]}
    assert {tuple(each["/"]) for each in place.puts(project)} == {(live.workspace_id,)}
    # Twins are found by their mark: at the start of a worker, and every ten minutes.
    place.client.delete(*place.client.keys(key("chore", "*")))
    place.worker()
    soon(lambda: list(place.sandbox.platform.workspaces) == [live.workspace_id], "no twin is left")


@pytest.mark.parametrize("lagging", [False, True], ids=["replica up to date", "replica that lags"])
def test_everybody_follows_a_failover_and_no_fence_comes_twice(
    place: Town, family: Family, *, lagging: bool
) -> None:
    receiver = place.receiver()
    workers = place.workers(2)
    project, other = place.projects
    slow = Behaviour(seconds={"prepare": 8.0})
    release = place.released(receiver, project, place.commit(project, slow))
    place.until(release, "prepare")
    fences = Fences(place, release)
    if lagging:
        family.wire.cut()
        fence = place.fence(release)
        soon(lambda: place.fence(release) > fence, "a look that the replica does not hear of")
    lost = place.fence(release)

    promoted_after = family.kill_primary()
    fences.stop()
    kept = family.fence(release)
    fences = Fences(place, release)
    pushed_at = time.monotonic()
    second = push_until_taken(place, receiver, other, place.commit(other))
    print(
        f"promoted after {promoted_after:.1f} s, a delivery taken {time.monotonic() - pushed_at:.1f} s later"
    )

    for project_of, id_ in ((project, release), (other, second)):
        live = place.live(id_, 60)
        assert place.puts(project_of) == [{"/": [live.workspace_id]}]
        assert place.sandbox.connections(project_of.domain) == {"/": [live.workspace_id]}
    fences.stop()
    numbers = [fence for fence, _ in fences.seen if fence != kept]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > lost >= kept
    assert len(place.sandbox.called("POST", "/workspaces")) == 2
    assert {each.status for each in place.releases(project)} == {Status.LIVE}
    assert all(worker.poll() is None for worker in workers)
    assert not any(PASSWORD in place.log(process) for process in place.started)
