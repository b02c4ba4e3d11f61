from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from workers.store.embedded import socket_path

PATIENCE = 40.0
ROOT = Path(__file__).parents[2]
START = """
import sys
from pathlib import Path
from bot.supervisor import up
sys.exit(up(Path(sys.argv[1])))
"""

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc"),
    pytest.mark.xdist_group("up"),
]


@dataclass
class House:
    """A configuration, and the process trees that were started of it."""

    config: Path
    port: int
    state_dir: Path
    trees: list[subprocess.Popen[str]] = field(default_factory=list)

    def up(self) -> subprocess.Popen[str]:
        with (self.config.parent / "log").open("a") as log:
            tree = subprocess.Popen(
                [sys.executable, "-P", "-c", START, str(self.config)],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if name != "SWITCHOVER_STORE_URL"},
                stderr=log,
                text=True,
            )
        self.trees.append(tree)
        return tree

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


def soon(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.02)


def children_of(pid: int) -> dict[int, str]:
    """Return the living children of a process, each with its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found[int(entry.name)] = command
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kind_of(command: str) -> str:
    return next(kind for kind in ("valkey-server", "bot.serve", "workers.main", "-c") if kind in command)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "switchover.yaml"
    config.write_text(f"server: {{port: {port}}}\nstate_dir: {tmp_path}/state\n")
    made = House(config, port, tmp_path / "state")
    yield made
    for tree in made.trees:
        if tree.poll() is None:
            tree.kill()
        tree.wait()


def test_up_runs_everything_and_ends_it_within_fifteen_seconds(house: House) -> None:
    tree = house.up()
    soon(house.ready, "an answer")
    children = children_of(tree.pid)
    kinds = sorted(map(kind_of, children.values()))
    began_at = time.monotonic()

    tree.send_signal(signal.SIGTERM)
    status = tree.wait(PATIENCE)

    assert kinds == ["bot.serve", "valkey-server", "workers.main", "workers.main"]
    assert status == 0
    assert time.monotonic() - began_at < 15
    assert [pid for pid in children if alive(pid)] == []
    assert not socket_path(house.state_dir).exists()


def test_every_process_that_is_killed_is_started_again(house: House) -> None:
    tree = house.up()
    soon(house.ready, "an answer")
    first = children_of(tree.pid)

    for pid in first:
        os.kill(pid, signal.SIGKILL)

    soon(lambda: len(set(children_of(tree.pid)) - set(first)) == len(first), "new processes")
    soon(house.ready, "an answer again")


def test_all_end_when_up_itself_is_killed_and_the_next_start_goes_on(house: House) -> None:
    tree = house.up()
    soon(house.ready, "an answer")
    children = children_of(tree.pid)

    tree.kill()
    tree.wait()

    again = house.up()
    soon(lambda: not any(map(alive, children)), "the end of every child")
    soon(house.ready, "an answer again")
    assert again.poll() is None


def test_a_second_up_of_the_same_state_directory_ends_and_says_why(house: House) -> None:
    tree = house.up()
    soon(house.ready, "an answer")

    second = house.up()

    assert second.wait(PATIENCE) == 1
    assert f"is in use by process {tree.pid}" in (house.config.parent / "log").read_text()
    assert house.ready()


def test_a_port_that_is_taken_ends_the_start_and_says_why(house: House) -> None:
    with socket.create_server(("127.0.0.1", house.port)):
        tree = house.up()
        status = tree.wait(PATIENCE)

    told = (house.config.parent / "log").read_text()
    assert status == 1
    assert f"cannot listen on 127.0.0.1:{house.port}" in told
    assert "serve cannot start (exit status 1)" in told
