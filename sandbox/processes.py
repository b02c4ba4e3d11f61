"""Local processes: each in a group of its own, none of them outliving the sandbox."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"
FIRST_PORT = 20_000
PORTS = 12_000  # below the range that systems take outgoing ports from

Child = subprocess.Popen[bytes]


class Nursery:
    """Starts and ends process groups; a nanny process ends them if this process is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ports: set[int] = set()
        script = str(Path(__file__).with_name("nanny.py"))
        self._nanny = subprocess.Popen(
            [sys.executable, "-I", "-S", script], stdin=subprocess.PIPE, start_new_session=True
        )

    def start(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        env: Mapping[str, str],
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> Child:
        """A child that leads its own process group."""
        with self._lock:
            child = subprocess.Popen(
                list(command),
                cwd=directory,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            self._tell(f"+{child.pid}")
        return child

    def end(self, child: Child, *, patience: float) -> None:
        """SIGTERM to the group, and after `patience` seconds SIGKILL to what is left of it."""
        signal_group(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)
        self.forget(child)

    def forget(self, child: Child) -> None:
        """Kill what a child left in its group, and take the group off the nanny's list."""
        signal_group(child, signal.SIGKILL)
        child.wait()
        with self._lock:
            self._tell(f"-{child.pid}")

    def free_port(self) -> int:
        """A loopback port that nobody has, and that was not given out before."""
        for _ in range(PORTS):
            port = FIRST_PORT + secrets.randbelow(PORTS)
            if port not in self._ports and _is_free(port):
                self._ports.add(port)
                return port
        raise RuntimeError("No free port on the loopback interface; end some listening programs.")

    def close(self) -> None:
        """Kill every group that is still there."""
        with self._lock:
            if self._nanny.stdin is not None and not self._nanny.stdin.closed:
                self._nanny.stdin.close()
        self._nanny.wait()

    def _tell(self, line: str) -> None:
        pipe = self._nanny.stdin
        if pipe is None or pipe.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            pipe.write(f"{line}\n".encode())
            pipe.flush()


def signal_group(child: Child, number: signal.Signals) -> None:
    """Signal the whole group of the child; no fault when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def wait_until_listening(port: int, child: Child, *, within: float) -> None:
    """Return when the port takes connections; raises RuntimeError when it does not in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 0.2):
            return
        time.sleep(0.01)
    raise RuntimeError(f"Nothing listens on {LOOPBACK}:{port} after {within:g} s.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
