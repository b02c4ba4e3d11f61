"""Keeps the two Caddys in step with the platform."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sandbox.caddy import Caddy
from sandbox.core import Sandbox
from sandbox.core.ci import PathRule
from sandbox.core.pipelines import serving_runs
from sandbox.core.platform import IDE, Connections, Workspace
from sandbox.homes import LocalHome
from sandbox.jobs import ProcessRun
from sandbox.processes import LOOPBACK, Nursery
from sandbox.routing import (
    DomainRoutes,
    ServiceRoute,
    WorkspaceRoutes,
    back_apps,
    front_apps,
    path_key,
    slots,
)

LONGEST_PATH = 80


class Router:
    """Tells the two Caddys what the platform says. Their files stand below `directory`.

    `ports` gives domains a listener of their own; a port of 0 takes a free one.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        nursery: Nursery,
        directory: Path,
        ports: Mapping[str, int],
        gateway_port: int,
    ) -> None:
        self.gateway_port = gateway_port or nursery.free_port()
        self.ports = {name.lower(): port or nursery.free_port() for name, port in ports.items()}
        self._sandbox = sandbox
        self._secret = secrets.token_urlsafe(16)
        self._nobody = f"{LOOPBACK}:{nursery.free_port()}"
        self._directory = _private_directory(directory)
        self._written: dict[str, dict[str, list[str]]] = {}
        self._generation = 0
        self._last: dict[str, int] = {}
        self._front = Caddy(nursery, self._directory, "front")
        self._back = Caddy(nursery, self._directory, "back")

    def apply(self) -> None:
        """Route what the platform says now. Raises httpx.HTTPError when a Caddy is away."""
        with self._sandbox.lock:
            platform = self._sandbox.platform
            domains = {name: dict(domain.routed) for name, domain in platform.domains.items()}
            workspaces = [_workspace_routes(w) for w in platform.workspaces.values()]
        addresses = {w.id: f"{LOOPBACK}:{w.port}" for w in workspaces}
        sign_in = f"http://{LOOPBACK}:{self.gateway_port}/ide/signin"
        self._back.load(back_apps(workspaces, self._sandbox.token, self._secret, sign_in))
        for name, connections in domains.items():
            self._write(name, self._wanted(connections, addresses))
        routes = [
            DomainRoutes(name, self.ports.get(name), _paths(c), self._folder(name))
            for name, c in sorted(domains.items())
        ]
        self._front.load(front_apps(routes, self.gateway_port, self._nobody, self._secret))

    def close(self) -> None:
        """End both Caddys."""
        self._front.close()
        self._back.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _folder(self, name: str) -> Path:
        return self._directory / "routes" / name / "now"

    def _wanted(self, connections: Connections, addresses: Mapping[int, str]) -> dict[str, list[str]]:
        wanted = {}
        for path in _paths(connections):
            # A workspace that is gone keeps its turn and answers as nobody would.
            known = [addresses.get(i, f"{LOOPBACK}:1") for i in connections.get(path, [])]
            wanted[path] = slots(known, self._nobody)
        return wanted

    def _write(self, name: str, wanted: dict[str, list[str]]) -> None:
        """Write a new generation of files, and rename a link to make it the one in force."""
        former = self._written.get(name)
        if former == wanted:
            return
        self._generation += 1
        now = self._folder(name)
        made = now.with_name(str(self._generation))
        for path, dials in wanted.items():
            folder = made / path_key(path)
            folder.mkdir(parents=True)
            for index, dial in enumerate(dials):
                (folder / str(index)).write_text(dial, encoding="ascii")
        link = now.with_name("next")
        link.symlink_to(made.name)
        link.rename(now)
        self._written[name] = wanted
        for older in now.parent.iterdir():
            # The former generation stays: a request may be about to read it.
            if older.name.isdigit() and int(older.name) < self._last.get(name, 0):
                shutil.rmtree(older)
        self._last[name] = self._generation


def _private_directory(wanted: Path) -> Path:
    """An empty directory that only we can enter, with a path short enough for a unix socket."""
    if len(str(wanted.resolve())) > LONGEST_PATH:
        return Path(tempfile.mkdtemp(prefix="sandbox-"))
    shutil.rmtree(wanted, ignore_errors=True)
    wanted.mkdir(mode=0o700, parents=True)
    return wanted.resolve()


def _paths(connections: Connections) -> tuple[str, ...]:
    return tuple(sorted({"/", *connections}))


def _workspace_routes(workspace: Workspace) -> WorkspaceRoutes:
    home = workspace.home
    if not isinstance(home, LocalHome):
        raise TypeError("The router only routes workspaces of a LocalWorld.")
    rules = [(IDE, PathRule("/"))]
    if workspace.landscape is not None:
        services = (workspace.landscape.ci.services or {}).values()
        rules = [(service.name, rule) for service in services for rule in service.paths]
    routes = tuple(ServiceRoute(rule.path, rule.strip, _ports(workspace, server)) for server, rule in rules)
    return WorkspaceRoutes(workspace.id, home.port, workspace.restricted, routes)


def _ports(workspace: Workspace, server: str) -> tuple[int, ...]:
    runs = serving_runs(workspace, server)
    return tuple(run.port for run in runs if isinstance(run, ProcessRun))
