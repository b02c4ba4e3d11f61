"""The sandbox that really works: the core over git, bash and Caddy, on the loopback interface."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import httpx
import uvicorn

from sandbox.core import Quirks, Sandbox, Timing
from sandbox.core.platform import Team
from sandbox.homes import LocalHome, LocalWorld
from sandbox.processes import LOOPBACK, Nursery
from sandbox.router import Router
from sandbox.server import make_app

TICK = 0.03
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SandboxSettings:
    """What a local sandbox needs to know. A port of 0 takes a free one.

    `domains` maps production domains to loopback ports of their own. `token` None makes one up.
    `path` is the PATH that the steps of a ci.yml see. Workspaces of an earlier run are removed.
    """

    state_dir: Path
    port: int = 0
    token: str | None = field(default=None, repr=False)
    team: int = 35
    domains: Mapping[str, int] = field(default_factory=dict)
    gateway_port: int = 0
    path: str = os.defpath
    timing: Timing = field(default_factory=Timing)
    allow_local_git: bool = True


class LocalSandbox:
    """A running sandbox; use it as a context manager, or `start` and `close` it."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.token = settings.token or secrets.token_urlsafe(24)
        self.repositories = settings.state_dir / "repositories"
        self._workspaces = settings.state_dir / "workspaces"
        self._ended = threading.Event()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    @property
    def api_url(self) -> str:
        """Base URL of the API."""
        return f"{self._origin}/api"

    @property
    def git_url(self) -> str:
        """Base URL of the repositories in `repositories`."""
        return f"{self._origin}/git"

    @property
    def control_url(self) -> str:
        """Base URL of the control room."""
        return f"{self._origin}/_sandbox"

    @property
    def gateway_url(self) -> str:
        """The gateway, which goes by the Host header."""
        return f"http://{LOOPBACK}:{self.router.gateway_port}"

    def domain_url(self, name: str) -> str:
        """Where that production domain answers on a port of its own."""
        return f"http://{LOOPBACK}:{self.router.ports[name.lower()]}"

    @property
    def _origin(self) -> str:
        return f"http://{LOOPBACK}:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Return when the API and the gateway answer."""
        self._socket.bind((LOOPBACK, self.settings.port))
        shutil.rmtree(self._workspaces, ignore_errors=True)
        self.nursery = Nursery()
        try:
            self._open()
        except BaseException:
            self.nursery.close()
            raise

    def close(self) -> None:
        """End every process that belongs to the sandbox, within five seconds."""
        self._ended.set()
        self._server.should_exit = True
        for workspace in list(self.sandbox.platform.workspaces.values()):
            if isinstance(workspace.home, LocalHome):
                for run in workspace.home.runs:
                    run.stop(0)
        self._ticker.join(5)
        self._web.join(2)
        self.router.close()
        self.nursery.close()
        self._socket.close()

    def __enter__(self) -> LocalSandbox:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> None:
        settings = self.settings
        self.sandbox = Sandbox(
            LocalWorld(self.nursery, self._workspaces, settings.path),
            time.time,
            token=self.token,
            teams=[Team(settings.team, "acme")],
            timing=settings.timing,
            quirks=Quirks(allow_local_git=settings.allow_local_git),
        )
        # Ids must not come again after a restart: somebody may still remember the former ones.
        self.sandbox.platform.last_id = int(time.time())
        for name in settings.domains:
            self.sandbox.add_domain(name)
        self.router = Router(
            self.sandbox,
            self.nursery,
            self.settings.state_dir / "run",
            settings.domains,
            settings.gateway_port,
        )
        self.router.apply()
        self._ticker = threading.Thread(target=self._tick, name="sandbox-tick", daemon=True)
        self._ticker.start()
        self._serve()

    def _serve(self) -> None:
        config = uvicorn.Config(
            make_app(self.sandbox, self.repositories),
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._web = threading.Thread(
            target=self._server.run, args=([self._socket],), name="sandbox-web", daemon=True
        )
        self._web.start()
        deadline = time.monotonic() + 20
        while not self._server.started and self._web.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _tick(self) -> None:
        while not self._ended.wait(TICK):
            self.sandbox.tick()
            try:
                self.router.apply()
            except httpx.HTTPError as error:
                log.warning("The proxy did not take its routes; trying again: %s", error)
