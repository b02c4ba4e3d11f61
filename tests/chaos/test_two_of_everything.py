"""Several receivers and workers at once; workers that stop for longer than their lease."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from sandbox.core.faults import Fault
from tests.chaos.outside import Project, some_projects
from tests.chaos.processes import Receiver, Town, soon, town_with_store
from workers.releases.status import Status

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(200)]

LANES, PUSHES_OF_A_LANE = 5, 6


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town_with_store(tmp_path, some_projects(LANES)) as (made, _):
        yield made


def push_all(place: Town, receivers: list[Receiver], project: Project) -> None:
    """Push so many commits, each delivery to two receivers at once, and once more anew."""
    before = None
    for number in range(PUSHES_OF_A_LANE):
        commit = place.commit(project)
        delivery = str(uuid.uuid4())
        answers: list[httpx.Response] = []

        def send(
            receiver: Receiver, commit: str = commit, before: str | None = before, delivery: str = delivery
        ) -> None:
            answers.append(place.push(receiver, project, commit, before, delivery=delivery))  # noqa: B023 - joined below

        both = [threading.Thread(target=send, args=(receiver,)) for receiver in receivers]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join(30)
        answers.append(place.push(receivers[number % 2], project, commit, before))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 202], [a.text for a in answers]
        before = commit


def turns_in(place: Town, project: Project) -> list[tuple[float, float]]:
    """Return from when to when each release of a lane was at work, oldest first."""
    turns = []
    for release in place.releases(project):
        history = place.reading.history(release.id)
        at = [line.at for line in history if line.body.get("type") == "status"]
        said = [line.body["status"] for line in history if line.body.get("type") == "status"]
        if "running" in said:
            begun = said.index("running")
            turns.append((at[begun], at[begun + 1]))
    return sorted(turns)


def test_thirty_pushes_in_duplicate_to_two_receivers_and_three_workers(place: Town) -> None:
    receivers = [place.receiver(), place.receiver()]
    place.workers(3)
    pushing = [threading.Thread(target=push_all, args=(place, receivers, each)) for each in place.projects]
    for thread in pushing:
        thread.start()
    for thread in pushing:
        thread.join(60)

    def at_rest() -> bool:
        counts = place.reading.counts()["releases"]
        return not any(counts[name] for name in ("queued", "running", "waiting"))

    soon(at_rest, "every release ends", 60)
    for project in place.projects:
        releases = place.releases(project)
        commits = [release.commit for release in releases]
        assert len(commits) == len(set(commits)) == PUSHES_OF_A_LANE
        assert {release.status for release in releases} <= {Status.LIVE, Status.REPLACED, Status.SUPERSEDED}
        assert releases[0].status is Status.LIVE
        assert place.sandbox.connections(project.domain) == {"/": [releases[0].workspace_id]}
        assert all(end <= begin for (_, end), (begin, _) in pairwise(turns_in(place, project)))


# To the thread itself: sent to the process, it would let this thread run on for a moment.
IN_FRONT_OF_THE_CALL = """
import signal, threading
from workers.flow.steps import switch
from workers.store.releases import ReleaseStore

switch.SETTLE_SECONDS = 1.0  # how long the others wait for the call that never comes
apply = ReleaseStore.apply

def stopping(self, move, lease):
    applied = apply(self, move, lease)
    if move.effects.get("switch"):
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    return applied

ReleaseStore.apply = stopping
"""
INSIDE_THE_CALL = """
import signal, threading
from workers.flow.steps import switch
from workers.platforms.client import ApiClient

switch.SETTLE_SECONDS = 1.0
send = ApiClient.send

def stopping(self, call, **more):
    if call.method == "PUT":
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    return send(self, call, **more)

ApiClient.send = stopping
"""
# The head of the call is sent in time; the check before its body held, and then the worker sleeps.
IN_THE_INSTANT = """
import signal, threading
from httpcore._backends.sync import SyncStream
from workers.flow.steps import switch

switch.SETTLE_SECONDS = 1.0
write, slept = SyncStream.write, []

def stopping(self, buffer, timeout=None):
    if buffer.startswith(b'{"/"') and not slept:
        slept.append(True)
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
    write(self, buffer, timeout)

SyncStream.write = stopping
"""

IMPATIENT = """
from workers.platforms.client import ApiClient

send = ApiClient.send

def impatient(self, call, **more):
    create = (call.method, call.path) == ("POST", "/workspaces")
    return send(self, call, **({**more, "timeout": 1.0} if create else more))

ApiClient.send = impatient
"""


def stopped(pid: int) -> bool:
    """Tell whether a process is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


def told_off(place: Town, worker: subprocess.Popen[bytes], words: str) -> None:
    """Wait until a worker wrote that it let a release go."""
    soon(lambda: words in place.log(worker), f"the worker says: {words}")


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Town]:
    with town_with_store(tmp_path, some_projects(1)) as (made, _):
        yield made


def test_a_worker_stopped_past_its_lease_in_the_middle_of_a_call_writes_nothing_any_more(lane: Town) -> None:
    (project,) = lane.projects
    receiver, first = lane.receiver(), lane.worker()
    lane.sandbox.faults.add(
        Fault(
            method="POST",
            path=".*/pipeline/prepare/start",
            do=lambda: os.kill(first.pid, signal.SIGSTOP),
        )
    )
    release = lane.released(receiver, project, lane.commit(project))
    soon(lambda: stopped(first.pid), "the worker is stopped")
    lane.worker()

    live = lane.live(release)
    written = len(lane.reading.history(release))
    first.send_signal(signal.SIGCONT)

    told_off(lane, first, "another worker holds it now")
    assert len(lane.reading.history(release)) == written
    assert lane.sandbox.connections(project.domain) == {"/": [live.workspace_id]}
    assert len(lane.sandbox.called("POST", "/workspaces")) == 1


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (IN_FRONT_OF_THE_CALL, "the lease ran out before the call was sent"),
        (INSIDE_THE_CALL, "another worker holds it now"),
    ],
    ids=["in front of the call", "inside the call"],
)
def test_a_worker_stopped_straight_before_its_switch_sends_it_no_more(
    lane: Town, where: str, words: str
) -> None:
    (project,) = lane.projects
    receiver, first = lane.receiver(), lane.worker(bent=where)
    old = lane.commit(project)
    release = lane.released(receiver, project, old)
    soon(lambda: stopped(first.pid), "the worker is stopped")
    lane.worker()
    old_home = lane.live(release).workspace_id
    new_home = lane.live(lane.released(receiver, project, lane.commit(project), old)).workspace_id

    first.send_signal(signal.SIGCONT)

    told_off(lane, first, words)
    assert lane.puts(project) == [{"/": [old_home]}, {"/": [new_home]}]
    assert lane.sandbox.connections(project.domain) == {"/": [new_home]}


def test_a_switch_of_a_worker_stopped_in_the_last_instant_is_put_right(lane: Town) -> None:
    (project,) = lane.projects
    receiver, first = lane.receiver(), lane.worker(bent=IN_THE_INSTANT)
    old = lane.commit(project)
    release = lane.released(receiver, project, old)
    soon(lambda: stopped(first.pid), "the worker is stopped")
    lane.worker()
    old_home = lane.live(release).workspace_id
    second = lane.live(lane.released(receiver, project, lane.commit(project), old))

    first.send_signal(signal.SIGCONT)

    old_map, new_map = {"/": [old_home]}, {"/": [second.workspace_id]}
    soon(lambda: lane.puts(project)[2:] == [old_map, new_map], "the late switch is put right", 15)
    told_off(lane, first, "another worker holds it now")
    assert lane.puts(project) == [old_map, new_map, old_map, new_map]
    assert lane.sandbox.connections(project.domain) == new_map

    def told() -> bool:
        said = [str(line.body.get("text", "")) for line in lane.reading.history(second.id)]
        return any("was put right" in text for text in said)

    soon(told, "the history tells that it was put right")


def test_a_create_that_answers_after_our_time_is_adopted_and_has_no_twin(lane: Town) -> None:
    (project,) = lane.projects
    receiver = lane.receiver()
    # The worker gives up after a second instead of many; the platform carries the call out all the same.
    lane.worker(bent=IMPATIENT)
    lane.worker(bent=IMPATIENT)
    late = lane.sandbox.faults.add(Fault(method="POST", path="/workspaces", after=True, latency=4.0))

    live = lane.live(lane.released(receiver, project, lane.commit(project)))

    assert late.met == 1
    assert list(lane.sandbox.platform.workspaces) == [live.workspace_id]
    assert len(lane.sandbox.called("POST", "/workspaces")) == 1


def test_two_projects_on_one_domain_switch_their_own_paths_one_after_the_other(tmp_path: Path) -> None:
    projects = [Project("front", "both.example.com"), Project("back", "both.example.com", "/api")]
    with town_with_store(tmp_path, projects) as (place, _):
        receiver = place.receiver()
        place.workers(2)
        before: dict[Project, str | None] = dict.fromkeys(projects)
        for _ in range(2):
            commits = {project: place.commit(project) for project in projects}
            releases = [place.released(receiver, each, commits[each], before[each]) for each in projects]
            homes = [place.live(release).workspace_id for release in releases]
            before.update(commits)

            assert place.sandbox.connections("both.example.com") == {"/": [homes[0]], "/api": [homes[1]]}
        watched = sorted(turn for each in projects for turn in locked_by(place, each))
        assert len(watched) == 4
        assert all(end <= begin for (_, end), (begin, _) in pairwise(watched))


def locked_by(place: Town, project: Project) -> list[tuple[float, float]]:
    """Return from when to when releases of a project stood between their PUT and the end of observing it."""
    turns = []
    for release in place.releases(project):
        switched, end = release.memory["switched_at"], release.record("observe").finished_at
        assert end is not None
        turns.append((float(switched), end))
    return turns
