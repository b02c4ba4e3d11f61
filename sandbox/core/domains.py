"""Domains and their connections."""

from __future__ import annotations

from sandbox.core import validation as v
from sandbox.core.http import ApiFault, Response, answer_empty, answer_json
from sandbox.core.platform import Connections, Domain, Platform
from sandbox.core.workspaces import checked

CONFIG = {"maxBodySizeMb": v.number, "maxConnectionTimeoutS": v.number, "useRegex": v.boolean}
CONNECTIONS = v.mapping(r"/.*", v.array(v.integer(0)))


def create(platform: Platform, team_id: int, name: str) -> Response:
    """`POST domain`: made unverified, without a certificate."""
    team = platform.team(team_id)
    if "." not in name or name.lower() in platform.domains:
        raise ApiFault(400, "Domain cannot be created", f"{name} is taken or no domain name.")
    domain = Domain(name.lower(), team_id, team.datacenter_id, verified=False, issued=False)
    platform.domains[domain.name] = domain
    return answer_json(domain.as_json())


def show(platform: Platform, team_id: int, name: str) -> Response:
    """`GET domain`."""
    return answer_json(platform.domain(team_id, name).as_json())


def of_team(platform: Platform, team_id: int) -> Response:
    """`GET /domains/team/{id}`."""
    platform.team(team_id)
    rows = [d.as_json() for d in platform.domains.values() if d.team_id == team_id]
    return answer_json(rows)


def change(platform: Platform, team_id: int, name: str, body: object) -> Response:
    """`PATCH domain`: its settings; connections are no setting."""
    domain = platform.domain(team_id, name)
    _check_idle(platform)
    optional = CONFIG | {"restricted": v.boolean}
    fields = checked(platform, body, {}, optional)
    domain.restricted = bool(fields.pop("restricted", domain.restricted))
    domain.config.update(fields)
    domain.revision += 1
    return answer_json(domain.as_json())


def delete(platform: Platform, team_id: int, name: str) -> Response:
    """`DELETE domain`."""
    del platform.domains[platform.domain(team_id, name).name]
    return answer_empty()


def verify(platform: Platform, team_id: int, name: str) -> Response:
    """`POST verify`: looks again, and asks for the certificate once verified."""
    domain = platform.domain(team_id, name)
    domain.verified = domain.verify_result
    domain.issued = domain.issued or domain.verified
    return answer_json(domain.as_json()["domainVerificationStatus"])


def connect(platform: Platform, team_id: int, name: str, body: object) -> Response:
    """`PUT workspace-connections`: the map at the top level replaces the former one whole."""
    domain = platform.domain(team_id, name)
    _check_idle(platform)
    CONNECTIONS(body, "")
    connections: Connections = dict(body) if isinstance(body, dict) else {}
    for workspace_id in {i for ids in connections.values() for i in ids}:
        workspace = platform.workspaces.get(workspace_id)
        if workspace is None or workspace.team_id != team_id:
            raise ApiFault(400, "Workspace not found", f"No workspace {workspace_id} in the team.")
    set_connections(platform, domain, connections)
    return answer_json(domain.as_json())


def set_connections(platform: Platform, domain: Domain, connections: Connections) -> None:
    """Write the map down; the gateway follows after the route's delay."""
    domain.settle(platform.clock())
    domain.connections = {path: list(ids) for path, ids in connections.items()}
    domain.route_due = platform.clock() + platform.timing.route
    domain.settle(platform.clock())


def _check_idle(platform: Platform) -> None:
    if platform.quirks.domain_busy:
        raise ApiFault(409, "Another request is in progress.")
