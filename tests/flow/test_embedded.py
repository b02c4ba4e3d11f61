from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from workers.errors import StoreAway
from workers.parenthood import how_it_ended
from workers.store.connection import connect, durability
from workers.store.embedded import EmbeddedStore, StoreFailed, StoreInUse, socket_path

PATIENCE = 20.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    embedded = EmbeddedStore(tmp_path / "state")
    yield embedded
    embedded.stop()


def soon(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def parent_of_a_store(state_dir: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a process that starts a store; returns it and the store's id."""
    program = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from workers.store.embedded import EmbeddedStore
        store = EmbeddedStore(Path({str(state_dir)!r}))
        store.start()
        print(store.pid, flush=True)
        time.sleep(60)
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def test_a_started_store_answers_and_keeps_every_promise_of_durability(store: EmbeddedStore) -> None:
    store.start()

    with connect(store.url) as client:
        facts = durability(client)

    assert (facts.appendonly, facts.appendfsync, facts.maxmemory_policy) == (True, "always", "noeviction")
    assert facts.warning is None


def test_a_killed_store_has_lost_no_acknowledged_write(store: EmbeddedStore) -> None:
    store.start()
    acknowledged = 0
    away = threading.Event()

    def write() -> None:
        nonlocal acknowledged
        with connect(store.url) as client:
            while not away.is_set():
                try:
                    acknowledged = int(client.rpush("writes", acknowledged + 1))
                except (redis.RedisError, OSError):
                    return

    writer = threading.Thread(target=write)
    writer.start()
    soon(lambda: acknowledged > 200, "two hundred writes")
    assert store.pid is not None
    os.kill(store.pid, signal.SIGKILL)
    writer.join(PATIENCE)
    away.set()
    soon(lambda: store.pid is None, "the store's end")

    store.start()

    with connect(store.url) as client:
        kept = client.lrange("writes", 0, -1)
    assert len(kept) >= acknowledged
    assert kept == [str(number + 1) for number in range(len(kept))]


def test_a_stopped_store_goes_on_where_it_was(store: EmbeddedStore, tmp_path: Path) -> None:
    store.start()
    with connect(store.url) as client:
        client.set("fact", "kept")
    store.stop()

    again = EmbeddedStore(tmp_path / "state")
    again.start()
    with connect(again.url) as client:
        fact = client.get("fact")
    again.stop()

    assert fact == "kept"


def test_a_second_store_of_one_state_directory_is_told_who_has_it(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    store.start()

    with pytest.raises(StoreInUse) as refusal:
        EmbeddedStore(tmp_path / "state").start()

    assert f"in use by process {os.getpid()}, its store is process {store.pid}" in str(refusal.value)
    assert "Stop that one first" in str(refusal.value)
    with connect(store.url) as client:
        assert client.ping()


def test_two_state_directories_have_two_stores(store: EmbeddedStore, tmp_path: Path) -> None:
    other = EmbeddedStore(tmp_path / "other")
    store.start()
    other.start()
    with connect(store.url) as client:
        client.set("fact", "mine")
    with connect(other.url) as client:
        fact = client.get("fact")
    other.stop()

    assert fact is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PDEATHSIG is of Linux")
def test_a_store_ends_with_its_killed_parent_and_the_next_start_goes_on(tmp_path: Path) -> None:
    parent, store_pid = parent_of_a_store(tmp_path / "state")
    with connect(EmbeddedStore(tmp_path / "state").url) as client:
        client.set("fact", "kept")
    parent.kill()
    parent.wait()

    store = EmbeddedStore(tmp_path / "state")
    store.start()
    with connect(store.url) as client:
        fact = client.get("fact")
    store.stop()
    if parent.stdout:
        parent.stdout.close()

    assert fact == "kept"
    assert gone(store_pid)


def test_the_lock_lasts_as_long_as_the_store_although_its_parent_was_killed(tmp_path: Path) -> None:
    parent, store_pid = parent_of_a_store(tmp_path / "state")
    # A stopped store cannot follow its parent: it is what a slow end looks like.
    os.kill(store_pid, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    if parent.stdout:
        parent.stdout.close()

    with pytest.raises(StoreInUse, match=f"its store is process {store_pid}"):
        EmbeddedStore(tmp_path / "state").start()

    os.kill(store_pid, signal.SIGKILL)
    soon(lambda: gone(store_pid), "the store's end")
    store = EmbeddedStore(tmp_path / "state")
    store.start()
    store.stop()


def test_stale_sockets_are_no_hindrance(store: EmbeddedStore, tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    socket_path(state_dir).touch()
    (state_dir / "lock").write_text("4194305 4194306\n")

    store.start()

    with connect(store.url) as client:
        assert client.ping()


def test_a_long_state_directory_has_its_socket_elsewhere_and_private(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / ("long" * 30))
    store.start()
    directory = socket_path(tmp_path / ("long" * 30)).parent
    mode = directory.stat().st_mode & 0o777
    with connect(store.url) as client:
        answer = client.ping()
    store.stop()
    directory.rmdir()

    assert answer
    assert mode == 0o700


def test_what_the_store_writes_is_for_us_alone(store: EmbeddedStore, tmp_path: Path) -> None:
    store.start()
    with connect(store.url) as client:
        client.set("fact", "kept")

    written = [path for path in (tmp_path / "state" / "store").rglob("*") if path.is_file()]

    assert written
    assert [path for path in written if path.stat().st_mode & 0o077 and path.name != "valkey.log"] == []


def test_damaged_data_is_reported_with_the_servers_own_words(store: EmbeddedStore, tmp_path: Path) -> None:
    broken = tmp_path / "state" / "store" / "appendonlydir"
    broken.mkdir(parents=True)
    (broken / "appendonly.aof.manifest").write_text("no manifest\n")

    with pytest.raises(StoreFailed, match=r"valkey\.log, ends:\n"):
        store.start()


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("appendfsync", "everysec", "loses the last second"),
        ("appendfsync", "no", "often 30 s"),
        ("appendonly", "no", "everything since its last snapshot"),
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy is allkeys-lru"),
    ],
)
def test_a_weaker_store_is_warned_of(store: EmbeddedStore, setting: str, value: str, words: str) -> None:
    store.start()
    with connect(store.url) as client:
        client.config_set(setting, value)
        warning = durability(client).warning

    assert warning is not None
    assert words in warning


def test_a_store_that_is_not_there_is_away(tmp_path: Path) -> None:
    with connect(f"unix://{tmp_path}/none.sock") as client, pytest.raises(StoreAway):
        durability(client)


def test_ends_are_told_in_words() -> None:
    assert [how_it_ended(code) for code in (0, 3, -9)] == [
        "exit status 0",
        "exit status 3",
        "killed by signal 9",
    ]
