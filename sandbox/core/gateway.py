"""The gateway: production domains by Host and longest path prefix, and workspaces' own addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.core.ci import PathRule
from sandbox.core.http import Response, answer_text
from sandbox.core.pipelines import advance, serving_runs
from sandbox.core.platform import IDE, Domain, Platform, Workspace
from sandbox.core.ports import AppCall

NOBODY = "<html><h1>404</h1>No workspace is connected to this address.</html>"
NOT_LISTENING = "<html><h1>502 Bad Gateway</h1></html>"
STARTING = "<html><h1>Workspace server is starting</h1></html>"
TOO_MANY = "<html><h1>Too Many Requests</h1></html>"


@dataclass(frozen=True)
class Served:
    """One request at the gateway, and which workspace answered it (None: the gateway itself)."""

    at: float
    host: str
    path: str
    workspace_id: int | None
    status: int


@dataclass(frozen=True)
class Delivery:
    """An answer with the workspace that gave it."""

    response: Response
    workspace_id: int | None = None


def serve(platform: Platform, token: str, host: str, path: str, headers: Mapping[str, str]) -> Delivery:
    """Answer as the gateway would."""
    domain = platform.domains.get(host.lower())
    if domain is not None:
        return _serve_domain(platform, domain, path, headers)
    for workspace in platform.workspaces.values():
        if workspace.home.dev_domain == host.lower():
            return _serve_own_address(platform, token, workspace, path, headers)
    return Delivery(answer_text(404, NOBODY, "text/html"))


def longest_prefix(path: str, prefixes: list[str]) -> str | None:
    """The longest prefix that covers the path on whole segments, or None."""
    bare = path.split("?", 1)[0]
    fitting = [p for p in prefixes if bare == p or bare.startswith(p.rstrip("/") + "/")]
    return max(fitting, key=len, default=None)


def _serve_domain(platform: Platform, domain: Domain, path: str, headers: Mapping[str, str]) -> Delivery:
    domain.settle(platform.clock())
    prefix = longest_prefix(path, list(domain.routed))
    ids = domain.routed[prefix] if prefix is not None else []
    if not ids:
        return Delivery(answer_text(404, NOBODY, "text/html"))
    domain.turn += 1
    workspace = platform.workspaces.get(ids[domain.turn % len(ids)])
    if workspace is None:
        return Delivery(answer_text(502, NOT_LISTENING, "text/html"))
    return _serve_workspace(platform, workspace, AppCall(path, headers, production=True))


def _serve_own_address(
    platform: Platform, token: str, workspace: Workspace, path: str, headers: Mapping[str, str]
) -> Delivery:
    platform.wake(workspace)
    if platform.quirks.too_many_requests:
        return Delivery(answer_text(429, TOO_MANY, "text/html"))
    lowered = {name.lower(): value for name, value in headers.items()}
    if workspace.restricted and lowered.get("x-cs-authorization") != f"Bearer {token}":
        return Delivery(Response(303, {"location": "http://codesphere.sandbox/ide/signin"}))
    if platform.quirks.starting_page:
        return Delivery(answer_text(200, STARTING, "text/html"))
    return _serve_workspace(platform, workspace, AppCall(path, headers, production=False))


def _serve_workspace(platform: Platform, workspace: Workspace, call: AppCall) -> Delivery:
    advance(platform, workspace)
    workspace.used_at = platform.clock()
    server, rule = _server_for(workspace, call.path)
    if server is None:
        return Delivery(answer_text(404, NOBODY, "text/html"))
    if rule.strip:
        stripped = "/" + call.path.removeprefix(rule.path).lstrip("/")
        call = AppCall(stripped, call.headers, call.production)
    runs = serving_runs(workspace, server)
    workspace.turn += 1
    run = runs[workspace.turn % len(runs)] if runs else None
    answer = run.answer(call, platform.clock()) if run is not None else None
    if answer is None:
        return Delivery(answer_text(502, NOT_LISTENING, "text/html"))
    headers = {"content-type": "text/plain; charset=utf-8"} | dict(answer.headers)
    response = Response(answer.status, headers, answer.body.encode(), delay=answer.delay)
    return Delivery(response, workspace.id)


def _server_for(workspace: Workspace, path: str) -> tuple[str | None, PathRule]:
    whole = PathRule("/")
    if workspace.landscape is None:
        return IDE, whole
    services = (workspace.landscape.ci.services or {}).values()
    rules = {rule.path: (s.name, rule) for s in services for rule in s.paths}
    prefix = longest_prefix(path, list(rules))
    return rules[prefix] if prefix is not None else (None, whole)
