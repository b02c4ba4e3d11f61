"""`kill -9` of the whole process tree in the middle of real releases, and a new tree on the same state."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.e2e.tree import DOMAIN, Tree, await_ready, running, soon, start_up
from workers.store.connection import connect
from workers.store.embedded import socket_path
from workers.store.keyspace import key

RELEASES = 20
"""Each of the two tests kills so many releases in a row, in every run."""
PATIENCE = 240.0
"""An open create has to be waited for: its call's time-out and half a minute more."""
NEW_OWNER_SECONDS = 10.0
OFFSETS = (0.0, 0.004, 0.015, 0.05)
"""Seconds from a line of the history to the kill, where every point is tried."""

Figure = Callable[[str, int, int], None]


class Reign:
    """A tree that is killed and started again, with a sandbox that outlives it."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.former: str | None = None
        self.commit = tree.sample.commit
        self.standing: set[int] = set()
        self.platform = tree.local.sandbox.platform
        self.looked_at: list[float] = []
        """Seconds from each kill until the release had a new owner."""
        self.store: redis.Redis = connect(f"unix://{socket_path((tree.directory / 'state').absolute())}")

    def first(self) -> int:
        """Release undisturbed; returns how many lines its history has."""
        release = self.tree.push(self.commit)
        self.tree.wait_until_live(release)
        self.former = release
        return int(self.store.llen(key("events", release)))

    def released_through_a_kill(self, line: int, after: float) -> None:
        """Push, kill so many seconds after the history has this line, start again, and hold the promises."""
        made = self.platform.last_id
        before, self.commit = self.commit, self.tree.commit(f"{line} {after}")
        release = self.tree.push(self.commit, before)
        self._await_line(release, line)
        time.sleep(after)  # the moment of the kill is left to chance
        fence = self._fence(release)
        killed_at = time.monotonic()
        self._kill()
        self.tree.process = start_up(self.tree.directory / "switchover.yaml")
        self._await_owner(release, fence, killed_at)
        await_ready(self.tree)
        found = self.tree.wait_until_live(release, PATIENCE)
        assert found["downtime"]["failed"] == 0, found["downtime"]
        assert self.platform.last_id == made + 1, "the release made more than one workspace"
        self._hold(int(found["workspace_id"]))
        self.former = release

    def _hold(self, workspace: int) -> None:
        former = self.tree.release(self.former or "")
        assert former["status"] == "replaced"
        assert self.tree.local.sandbox.connections(DOMAIN) == {"/": [workspace]}
        assert self.platform.workspaces[workspace].home.head() == self.commit
        assert not self.store.keys(key("target", "*"))
        self.standing = {workspace, int(former["workspace_id"])}
        assert set(self.platform.workspaces) >= self.standing

    def rest(self) -> None:
        """Return when nothing stands but what is live and what is parked."""
        soon(lambda: set(self.platform.workspaces) == self.standing, f"only {self.standing} stand")

    def _await_line(self, release: str, line: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while int(self.store.llen(key("events", release))) < line:
            assert time.monotonic() < deadline, f"the history has no line {line}"
            time.sleep(0.002)

    def _fence(self, release: str) -> str | None:
        fence = self.store.hget(key("release", release), "fence")
        return None if fence is None else str(fence)

    def _await_owner(self, release: str, fence: str | None, killed_at: float) -> None:
        def taken() -> bool:
            assert self.tree.process.poll() is None, f"`up` ended with {self.tree.process.returncode}"
            with contextlib.suppress(redis.RedisError):
                ended = not self.store.zscore(key("due"), release)
                return ended or self._fence(release) != fence
            return False

        soon(taken, "somebody looks at the release again", 30.0)
        self.looked_at.append(time.monotonic() - killed_at)

    def _kill(self) -> None:
        for pid in [self.tree.process.pid, *descendants(self.tree.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.tree.process.wait(10)


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes that a process started, theirs included."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield int(child)
            with contextlib.suppress(FileNotFoundError):
                yield from descendants(int(child))


@pytest.fixture
def reign(tmp_path: Path) -> Iterator[Reign]:
    with running(tmp_path, poll_interval="100ms", observe="500ms") as tree:
        made = Reign(tree)
        yield made
        made.store.close()


def kill_at(reign: Reign, points: list[tuple[int, float]], figure: Figure, what: str) -> None:
    """Try each point; tell how many held, also when one does not."""
    held = 0
    try:
        for line, after in points:
            reign.released_through_a_kill(line, after)
            held += 1
        reign.rest()
    finally:
        figure(what, min(held + 1, len(points)), held)


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.xdist_group(f"real kills {seed}")) for seed in (1, 2)]
)
@pytest.mark.timeout(900)
def test_a_release_survives_a_kill_of_everything_at_any_moment(
    seed: int, reign: Reign, figure: Figure
) -> None:
    chance = random.Random(seed)
    lines = reign.first()
    points = [(chance.randrange(1, lines), chance.uniform(0.0, 0.12)) for _ in range(RELEASES)]

    kill_at(reign, points, figure, "real kill -9, sample")

    assert sorted(reign.looked_at)[RELEASES // 2] < NEW_OWNER_SECONDS, reign.looked_at


@pytest.mark.matrix
@pytest.mark.timeout(7200)
def test_a_release_survives_a_kill_of_everything_after_every_line_of_its_history(
    reign: Reign, figure: Figure
) -> None:
    points = [(line, after) for line in range(1, reign.first()) for after in OFFSETS]

    kill_at(reign, points, figure, "real kill -9, all")
