"""What the two Caddys are told, as pure functions of what is to be routed.

The *front* serves production domains. Where a path leads stands in files that Caddy reads at each
request, so a switch of connections is one atomic rename: no reload, no listener closed, no idle
connection of a visitor cut. Only a new domain or a new path makes it load a new configuration.
The *back* has a listener for each workspace and sends its paths to the replicas of its services.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.processes import LOOPBACK

Handler = dict[str, object]
Route = dict[str, object]

SLOTS = 12
"""Addresses per path, taken in turn: shared equally by 1, 2, 3, 4, 6 or 12 workspaces."""

GATEWAY_HEADER = "X-Sandbox-Gateway"


@dataclass(frozen=True)
class DomainRoutes:
    """A domain, its own port (None: by Host only) and its paths; `files` is where slots are."""

    name: str
    port: int | None
    paths: tuple[str, ...]
    files: Path


@dataclass(frozen=True)
class ServiceRoute:
    """A path of a workspace and the ports of the replicas behind it."""

    path: str
    strip: bool
    ports: tuple[int, ...]


@dataclass(frozen=True)
class WorkspaceRoutes:
    """A workspace's listener."""

    id: int
    port: int
    restricted: bool
    services: tuple[ServiceRoute, ...]


def path_key(path: str) -> str:
    """A file name for a path."""
    return hashlib.sha256(path.encode()).hexdigest()[:16]


def slots(addresses: Sequence[str], nobody: str) -> list[str]:
    """The addresses, repeated until every slot has one; `nobody` where there is none."""
    some = list(addresses) or [nobody]
    return [some[index % len(some)] for index in range(SLOTS)]


def front_apps(
    domains: Sequence[DomainRoutes], gateway_port: int, nobody: str, secret: str
) -> dict[str, object]:
    """The apps of the front Caddy."""
    by_host = [_by_host(domain, secret) for domain in domains]
    servers = {"gateway": _server(f"{LOOPBACK}:{gateway_port}", [*by_host, _nobody_route()])}
    servers["nobody"] = _server(nobody, [_nobody_route()])
    for domain in domains:
        if domain.port is not None:
            routes = _domain_routes(domain, secret)
            servers[f"domain-{domain.name}"] = _server(f"{LOOPBACK}:{domain.port}", routes)
    return {"http": {"servers": servers}}


def back_apps(
    workspaces: Sequence[WorkspaceRoutes], token: str, secret: str, sign_in: str
) -> dict[str, object]:
    """The apps of the back Caddy."""
    servers = {
        f"workspace-{workspace.id}": _server(
            f"{LOOPBACK}:{workspace.port}", _workspace_routes(workspace, token, secret, sign_in)
        )
        for workspace in workspaces
    }
    return {"http": {"servers": servers}} if servers else {}


def _server(listen: str, routes: list[Route]) -> dict[str, object]:
    return {"listen": [listen], "automatic_https": {"disable": True}, "routes": routes}


def _by_host(domain: DomainRoutes, secret: str) -> Route:
    subroute = {"handler": "subroute", "routes": _domain_routes(domain, secret)}
    return {"match": [{"host": [domain.name]}], "handle": [subroute], "terminal": True}


def _domain_routes(domain: DomainRoutes, secret: str) -> list[Route]:
    routes = []
    for path in _longest_first(domain.paths):
        folder = domain.files / path_key(path)
        dials = [f"{{file.{folder / str(slot)}}}" for slot in range(SLOTS)]
        # The listener behind is always there while its workspace is; a retry only hides that an
        # idle connection between the two Caddys was closed by a reload of the back.
        proxy = _proxy(dials, retries=2)
        proxy["headers"] = {"request": {"set": {GATEWAY_HEADER: [secret]}}}
        routes.append(_route(path, [proxy]))
    return [*routes, _nobody_route()]


def _workspace_routes(workspace: WorkspaceRoutes, token: str, secret: str, sign_in: str) -> list[Route]:
    # A reload closes idle connections; a visitor of this listener is never left with one.
    part = {"handler": "headers", "response": {"set": {"Connection": ["close"]}}}
    visitor = {"not": [{"header": {GATEWAY_HEADER: [secret]}}]}
    routes: list[Route] = [{"match": [visitor], "handle": [part]}]
    if workspace.restricted:
        wrong = {
            "not": [
                {"header": {"X-CS-Authorization": [f"Bearer {token}"]}},
                {"header": {GATEWAY_HEADER: [secret]}},
            ]
        }
        leave = {"handler": "static_response", "status_code": 303}
        leave["headers"] = {"Location": [sign_in]}
        routes.append({"match": [wrong], "handle": [leave], "terminal": True})
    by_path = {service.path: service for service in workspace.services}
    paths = _longest_first(tuple(by_path))
    routes += [_route(path, _service_handlers(by_path[path])) for path in paths]
    return [*routes, _nobody_route()]


def _service_handlers(service: ServiceRoute) -> list[Handler]:
    if not service.ports:
        return [{"handler": "static_response", "status_code": 502, "body": "Nothing listens.\n"}]
    proxy = _proxy([f"{LOOPBACK}:{port}" for port in service.ports], retries=0)
    proxy["headers"] = {"request": {"delete": [GATEWAY_HEADER]}}
    if not service.strip or service.path == "/":
        return [proxy]
    return [{"handler": "rewrite", "strip_path_prefix": service.path}, proxy]


def _proxy(dials: Sequence[str], *, retries: int) -> Handler:
    balancing: Mapping[str, object] = {
        "selection_policy": {"policy": "round_robin"},
        "retries": retries,
    }
    upstreams = [{"dial": dial} for dial in dials]
    return {"handler": "reverse_proxy", "upstreams": upstreams, "load_balancing": balancing}


def _route(path: str, handlers: list[Handler]) -> Route:
    if path == "/":
        return {"handle": handlers, "terminal": True}
    bare = path.rstrip("/")
    return {"match": [{"path": [bare, f"{bare}/*"]}], "handle": handlers, "terminal": True}


def _nobody_route() -> Route:
    body = "No workspace is connected to this address.\n"
    return {"handle": [{"handler": "static_response", "status_code": 404, "body": body}]}


def _longest_first(paths: Sequence[str]) -> list[str]:
    return sorted(paths, key=len, reverse=True)
