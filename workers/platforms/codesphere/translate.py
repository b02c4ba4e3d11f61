"""Between the API's objects and the words that every platform shares. Pure."""

from __future__ import annotations

import httpx

from workers.errors import Refused
from workers.platforms.calls import JSON, path_of
from workers.platforms.codesphere import shapes
from workers.platforms.codesphere.rows import WORKSPACE_SERVER
from workers.releases.places import Domain, Stage, StageReport, Workspace, WorkspaceSpec

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def creation_body(spec: WorkspaceSpec) -> JSON:
    """Build the body that asks for a workspace.

    No cloneDepth (an older commit could not be checked out) and no gitRef (its meaning is undocumented);
    `restricted` is always said, because the platform's default is True.
    """
    if httpx.URL(spec.git_url).password:
        raise Refused(
            f"the git address of workspace {spec.name} holds a password, which the platform would store and"
            " show; connect the token's user to the Git host instead and leave it out"
        )
    body: dict[str, JSON] = {
        "teamId": spec.team_id,
        "name": spec.name,
        "planId": spec.plan_id,
        "isPrivateRepo": spec.private,
        "replicas": spec.replicas,
        "gitUrl": spec.git_url,
        "welcomeMessage": spec.mark,
        "restricted": spec.restricted,
        "env": [{"name": name, "value": value} for name, value in spec.env.items()],
    }
    if spec.branch is not None:
        body["initialBranch"] = spec.branch
    return body


def workspace(found: shapes.WorkspaceShape, template: str) -> Workspace:
    """Read a workspace; `template` is where its own app answers."""
    return Workspace(
        id=found.id,
        name=found.name,
        mark=found.welcome_message,
        team_id=found.team_id,
        replicas=found.replicas,
        address=address(template, found.id, found.dev_domain),
        data_center_id=found.data_center_id,
        restricted=found.restricted,
    )


def address(template: str, workspace_id: int, dev_domain: str | None) -> str | None:
    """Fill in the template; None where it needs the dev domain and the platform tells none.

    The domain is never built from the id: its form differs by data centre and installation.
    """
    host = (dev_domain or "").partition("://")[2] or (dev_domain or "")
    if "{dev_domain}" in template and not host:
        return None
    filled = template.replace("{dev_domain}", host.rstrip("/"))
    return filled.replace("{workspace_id}", str(workspace_id))


def domain(found: shapes.DomainShape) -> Domain:
    """Read a domain; what speaks against using it goes into `reason`."""
    verification, certificate = found.domain_verification_status, found.certificate_request_status
    return Domain(
        name=found.name,
        connections=found.workspaces,
        verified=verification.verified,
        certificate_issued=certificate.issued,
        reason=verification.reason or certificate.reason,
        data_center_id=found.data_center_id,
    )


def log_path(workspace_id: int, stage: Stage, report: StageReport) -> str:
    """Name the log of the failed step: services have theirs by replica, else by server."""
    logs = ("workspaces", workspace_id, "logs")
    step = report.failed_step or 0
    if stage is not Stage.RUN or report.server in {None, WORKSPACE_SERVER}:
        return path_of(*logs, stage.value, step)
    if report.replica:
        return path_of(*logs, "run", step, "replica", report.replica)
    return path_of(*logs, "run", step, "server", report.server or "")


def is_safe_for_key(url: str) -> bool:
    """Tell whether a key may travel to the address: encrypted, or within this machine."""
    target = httpx.URL(url)
    return target.scheme == "https" or target.host in _LOOPBACK
