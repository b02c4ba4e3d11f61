"""Workspaces: create, read, change, delete, environment, execute, git."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.core import validation as v
from sandbox.core.http import ApiFault, Response, answer_empty, answer_json
from sandbox.core.platform import Platform, Workspace
from sandbox.core.ports import GitFault, Seed, TooSlow

Later = Callable[[], Response]
"""The slow rest of a call, done without holding the platform's lock."""

ENV_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
POSITIVE = v.integer(1)
ID = v.integer(0)
TEXT = v.string()
ENV_VARS = v.array(v.record({"name": v.string(ENV_NAME), "value": TEXT}, {}))

CREATE_REQUIRED = {
    "teamId": ID,
    "name": TEXT,
    "planId": ID,
    "isPrivateRepo": v.boolean,
    "replicas": POSITIVE,
}
CREATE_OPTIONAL = {
    "baseImage": TEXT,
    "gitUrl": TEXT,
    "gitRef": TEXT,
    "initialBranch": TEXT,
    "cloneDepth": POSITIVE,
    "sourceWorkspaceId": ID,
    "welcomeMessage": TEXT,
    "vpnConfig": TEXT,
    "restricted": v.boolean,
    "env": ENV_VARS,
    "storageMib": POSITIVE,
    "sharedVaultName": TEXT,
}
PATCH_OPTIONAL = {
    "planId": ID,
    "baseImage": TEXT,
    "name": TEXT,
    "replicas": POSITIVE,
    "vpnConfig": v.nullable(TEXT),
    "restricted": v.boolean,
    "storageMib": v.nullable(POSITIVE),
    "sharedVaultName": v.nullable(TEXT),
}
EXECUTE_OPTIONAL = {"workingDir": TEXT, "env": v.mapping(".*", TEXT)}


def create(platform: Platform, body: object) -> Response:
    """`POST /workspaces`: answers before the workspace is usable."""
    fields = checked(platform, body, CREATE_REQUIRED, CREATE_OPTIONAL)
    team = platform.team(int(str(fields["teamId"])))
    if platform.quirks.no_billing:
        raise ApiFault(402, "Missing billing information")
    _check_size(platform, fields)
    _check_git_url(platform, fields.get("gitUrl"))
    workspace = _opened(platform, team.datacenter_id, fields)
    platform.workspaces[workspace.id] = workspace
    return answer_json(workspace.as_json())


def change(platform: Platform, workspace_id: int, body: object) -> Response:
    """`PATCH /workspaces/{id}`; setting the replicas wakes a sleeping workspace."""
    workspace = platform.workspace(workspace_id)
    fields = checked(platform, body, {}, PATCH_OPTIONAL)
    _check_size(platform, workspace.fields | fields)
    shown = {k: value for k, value in fields.items() if k in workspace.fields}
    workspace.fields.update(shown)
    if "replicas" in fields:
        platform.wake(workspace)
    return answer_empty()


def delete(platform: Platform, workspace_id: int) -> Response:
    """`DELETE /workspaces/{id}`: gone for good, whatever domain still names it."""
    workspace = platform.workspace(workspace_id)
    del platform.workspaces[workspace.id]
    workspace.home.remove()
    return answer_empty()


def of_team(platform: Platform, team_id: int) -> Response:
    """`GET /workspaces/team/{id}`: the whole list."""
    platform.team(team_id)
    rows = [w.as_json() for w in platform.workspaces.values() if w.team_id == team_id]
    return answer_json(rows)


def show_env(platform: Platform, workspace_id: int) -> Response:
    """`GET env-vars`, values in clear."""
    env = platform.workspace(workspace_id).env
    return answer_json([{"name": name, "value": value} for name, value in env.items()])


def set_env(platform: Platform, workspace_id: int, body: object) -> Response:
    """`PUT env-vars`: sets the named ones; a run under way keeps what it started with."""
    workspace = platform.workspace(workspace_id)
    ENV_VARS(body, "")
    workspace.env.update(_env(body))
    return answer_empty()


def drop_env(platform: Platform, workspace_id: int, body: object) -> Response:
    """`DELETE env-vars` with the names in the body."""
    workspace = platform.workspace(workspace_id)
    v.array(v.string(ENV_NAME))(body, "")
    for name in body if isinstance(body, list) else []:
        workspace.env.pop(name, None)
    return answer_empty()


def execute(platform: Platform, workspace_id: int, body: object) -> Later:
    """`POST execute`: output and error, no exit code; 408 after five seconds."""
    workspace = platform.running(workspace_id)
    fields = checked(platform, body, {"command": TEXT}, EXECUTE_OPTIONAL)
    command, directory = str(fields["command"]), _text(fields.get("workingDir"))
    extra = fields.get("env")
    env = workspace.env | (extra if isinstance(extra, dict) else {})

    def run() -> Response:
        try:
            done = workspace.home.execute(command, directory, env)
        except TooSlow as error:
            raise ApiFault(408, "Request Timeout", "The command exceeded 5000 ms.") from error
        shown = {"command": command, "workingDir": done.directory}
        return answer_json(shown | {"output": done.output, "error": done.error})

    return run


def head(platform: Platform, workspace_id: int) -> Response:
    """`GET git/head`."""
    workspace = platform.running(workspace_id)
    try:
        return answer_json({"head": workspace.home.head()})
    except GitFault as error:
        raise ApiFault(400, "Git error", str(error)) from error


def pull(platform: Platform, workspace_id: int, *names: str) -> Later:
    """`POST git/pull[/{remote}[/{branch}]]`: fetch and merge."""
    workspace = platform.running(workspace_id)
    remote, branch = (*names, None, None)[:2]

    def run() -> Response:
        try:
            workspace.home.pull(remote, branch)
        except GitFault as error:
            raise ApiFault(400, "Git error", str(error)) from error
        return answer_empty()

    return run


def checked(
    platform: Platform,
    body: object,
    required: Mapping[str, v.Check],
    optional: Mapping[str, v.Check],
) -> dict[str, object]:
    """The body as a record that fits, without the properties that nobody knows."""
    lenient = not platform.quirks.refuse_unknown_properties
    v.record(required, optional, unknown=lenient)(body, "")
    known = required.keys() | optional.keys()
    return {k: value for k, value in body.items() if k in known} if isinstance(body, dict) else {}


def _check_size(platform: Platform, fields: dict[str, object]) -> None:
    plan = platform.plans.get(int(str(fields["planId"])))
    if plan is None:
        raise ApiFault(400, "Workspace plan not found", f"No plan {fields['planId']}.")
    if int(str(fields["replicas"])) > plan.max_replicas:
        raise ApiFault(400, "Too many replicas", f"The plan allows {plan.max_replicas}.")


def _check_git_url(platform: Platform, url: object) -> None:
    if url is None or str(url).startswith(("http://", "https://")):
        return
    if platform.quirks.allow_local_git and str(url).startswith("file://"):
        return
    raise v.refuse("http(s) URL", url, "gitUrl")


def _env(variables: object) -> dict[str, str]:
    entries = variables if isinstance(variables, list) else []
    return {str(entry["name"]): str(entry["value"]) for entry in entries}


def _opened(platform: Platform, datacenter_id: int, fields: dict[str, object]) -> Workspace:
    now = platform.clock()
    workspace_id = platform.next_id()
    env = _env(fields.get("env"))
    home = platform.world.open(_seed(platform, workspace_id, datacenter_id, fields, env))
    shown: dict[str, object] = {
        "name": fields["name"],
        "planId": fields["planId"],
        "isPrivateRepo": fields["isPrivateRepo"],
        "replicas": fields["replicas"],
        "baseImage": fields.get("baseImage", "ubuntu-24.04"),
        "restricted": fields.get("restricted", True),
    }
    for name in ("gitUrl", "initialBranch", "sourceWorkspaceId", "welcomeMessage", "vpnConfig"):
        shown[name] = fields.get(name)
    running_from = now + platform.timing.workspace_start
    team_id = int(str(fields["teamId"]))
    return Workspace(workspace_id, team_id, datacenter_id, shown, home, now, running_from, env, used_at=now)


def _seed(
    platform: Platform,
    workspace_id: int,
    datacenter_id: int,
    fields: dict[str, object],
    env: dict[str, str],
) -> Seed:
    depth = fields.get("cloneDepth")
    return Seed(
        workspace_id,
        datacenter_id,
        _text(fields.get("gitUrl")),
        _text(fields.get("initialBranch")),
        depth if isinstance(depth, int) else None,
        _text(fields.get("gitRef")) if platform.quirks.git_ref_checks_out else None,
        dict(env),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
