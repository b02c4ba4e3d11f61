"""Carries out what a release asks of Codesphere, one API call at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from pydantic import TypeAdapter

from workers.errors import Gone, Refused, TryAgain
from workers.platforms.answers import effect_of, masked, printable, unusable
from workers.platforms.calls import Call, path_of
from workers.platforms.client import ApiClient
from workers.platforms.codesphere import git, offers, rows, shapes, translate
from workers.platforms.codesphere.logs import read_tail
from workers.platforms.codesphere.pipeline_file import pipeline_file_name, read_pipeline
from workers.releases.places import (
    Connections,
    Domain,
    Pipeline,
    Place,
    Service,
    Stage,
    StageReport,
    Workspace,
    WorkspaceSpec,
)

T = TypeVar("T")

_REMEMBERED_FOR = 60.0


class Codesphere:
    """Codesphere's public API as a `Platform`. Safe for many threads.

    `workspace_url` is where a workspace's own app answers; `{dev_domain}` and `{workspace_id}` in it are
    filled in. `clock` counts seconds and never goes back; teams and plans are remembered for a minute.
    """

    def __init__(
        self,
        api: ApiClient,
        *,
        workspace_url: str = "https://{dev_domain}",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._workspace_url = workspace_url
        self._clock = clock
        self._remembered: dict[str, tuple[float, object]] = {}
        self._memory = threading.Lock()

    def __repr__(self) -> str:
        return f"Codesphere({self._api!r})"

    def resolve(self, team: int | str, plan: int | str, domain: str, replicas: int) -> Place:
        """Find team, plan and domain; an empty domain (a preview has none) is not looked for."""
        found_team = offers.find_team(self.teams(), team)
        found_plan = offers.find_plan(self.plans(), plan)
        offers.check_plan(found_plan, replicas)
        found_domain = self._existing_domain(found_team, domain) if domain else None
        return Place(
            team_id=found_team.id,
            plan_id=found_plan.id,
            data_center_id=found_team.default_data_center_id,
            key=f"{self._api.origin}|{found_team.id}|{domain.lower()}",
            warnings=offers.warnings(found_team, found_plan, found_domain),
        )

    def teams(self) -> Sequence[shapes.TeamShape]:
        """List the teams of the token's user; proves token and address of the API in one call."""
        call = _reading("list the teams", path_of("teams"))
        return self._recalled(call, shapes.TEAMS)

    def team_id(self, team: int | str) -> int:
        """Find a team's id by id or name; `Refused` lists those that there are."""
        return offers.find_team(self.teams(), team).id

    def plans(self) -> Sequence[shapes.PlanShape]:
        """List the workspace plans of this installation."""
        call = _reading("list the plans", path_of("metadata", "workspace-plans"))
        return self._recalled(call, shapes.PLANS)

    def create_workspace(self, spec: WorkspaceSpec) -> Workspace:
        """Ask for a workspace that clones the tip of its branch, at full depth."""
        call = Call(
            "POST",
            path_of("workspaces"),
            f"create the workspace {spec.name}",
            body=translate.creation_body(spec),
            wants_json=True,
            slow=True,
            secrets=tuple(spec.env.values()),
        )
        return translate.workspace(self._read(call, shapes.WORKSPACE), self._workspace_url)

    def workspaces(self, team_id: int) -> Sequence[Workspace]:
        """List every workspace of the team."""
        call = _reading("list the workspaces", path_of("workspaces", "team", team_id))
        found = self._read(call, shapes.WORKSPACES)
        return [translate.workspace(one, self._workspace_url) for one in found]

    def workspace(self, workspace_id: int) -> Workspace:
        """Read one workspace, or raise `Gone`."""
        call = _reading(f"read workspace {workspace_id}", path_of("workspaces", workspace_id))
        return translate.workspace(self._read(call, shapes.WORKSPACE), self._workspace_url)

    def is_running(self, workspace_id: int) -> bool:
        """Tell whether the workspace's own server is up. It says nothing about the clone or the app."""
        path = path_of("workspaces", workspace_id, "status")
        call = _reading(f"read the status of workspace {workspace_id}", path)
        return self._read(call, shapes.STATUS).is_running

    def wake(self, workspace: Workspace) -> None:
        """Ask a sleeping workspace to run, by setting the replicas that it has (0 is refused)."""
        path = path_of("workspaces", workspace.id)
        body = {"replicas": max(1, workspace.replicas)}
        self._api.send(Call("PATCH", path, f"wake workspace {workspace.id}", body=body))

    def head(self, workspace_id: int) -> str:
        """Read the commit that is checked out; asks git itself where the API gives no full commit id."""
        purpose = f"read the head of workspace {workspace_id}"
        call = _reading(purpose, path_of("workspaces", workspace_id, "git", "head"))
        commit = git.as_commit(self._read(call, shapes.HEAD).head)
        if commit is not None:
            return commit
        call, result, complaint = self._execute(workspace_id, git.head_command(), purpose, changes=False)
        commit = git.as_commit(result.text)
        if result.code != 0 or commit is None:
            raise unusable(call, f"git tells no commit (rc={result.code}): {complaint}")
        return commit

    def checkout(self, workspace_id: int, commit: str) -> None:
        """Check the commit out from what the clone has; `Refused` when it does not have it."""
        command = git.checkout_command(commit)
        purpose = f"check out {commit} in workspace {workspace_id}"
        call, result, complaint = self._execute(workspace_id, command, purpose)
        if result.code == 0:
            return
        if git.COMMIT_FOUND not in result.text:
            raise Refused(
                f"could not {purpose}: the commit is not in the clone (force-pushed away, or on another"
                f" branch?); git said (rc={result.code}) {complaint}. Release a commit that its branch has"
            )
        if "index.lock" in complaint:
            raise TryAgain(f"could not {purpose}: another git command is at work", effect=effect_of(call))
        raise Refused(f"could not {purpose}: git said (rc={result.code}) {complaint}")

    def pull(self, workspace_id: int, branch: str | None = None) -> None:
        """Fetch and merge, with the credentials that only the API has."""
        which = () if branch is None else ("origin", branch)
        path = path_of("workspaces", workspace_id, "git", "pull", *which)
        self._api.send(Call("POST", path, f"pull in workspace {workspace_id}", slow=True))

    def pipeline(self, workspace_id: int, profile: str | None) -> Pipeline:
        """Read the pipeline file that lies in the workspace; `Refused` when it is missing or invalid."""
        name = pipeline_file_name(profile)
        purpose = f"read {name} in workspace {workspace_id}"
        command = git.read_file_command(name)
        _, result, complaint = self._execute(workspace_id, command, purpose, changes=False)
        if result.code != 0:
            raise Refused(f"could not {purpose}: {complaint or 'it cannot be read'} (rc={result.code})")
        return read_pipeline(result.text, name)

    def start_stage(self, workspace_id: int, stage: Stage, profile: str | None) -> None:
        """Start a stage. Starting a run stage that runs does nothing, and says so to nobody."""
        path = path_of("workspaces", workspace_id, "pipeline", stage.value, "start", *_profiled(profile))
        hint = f"does {pipeline_file_name(profile)} have the stage?"
        self._api.send(
            Call("POST", path, f"start {stage.value} in workspace {workspace_id}", slow=True, hint=hint)
        )

    def stop_stage(self, workspace_id: int, stage: Stage) -> None:
        """Stop a stage, whatever profile it was started with."""
        path = path_of("workspaces", workspace_id, "pipeline", stage.value, "stop")
        self._api.send(Call("POST", path, f"stop {stage.value} in workspace {workspace_id}"))

    def stage(self, workspace: Workspace, stage: Stage, services: Sequence[Service]) -> StageReport:
        """Look at a stage. RUNNING means for run: every replica that must run does."""
        path = path_of("workspaces", workspace.id, "pipeline", stage.value)
        call = _reading(f"look at {stage.value} in workspace {workspace.id}", path)
        found = self._read(call, shapes.ROWS)
        return rows.report(found, stage, services, replicas=max(1, workspace.replicas))

    def deploy_landscape(self, workspace_id: int, profile: str | None) -> None:
        """Ask for the services of the pipeline file; they show later, as rows of the run stage."""
        path = path_of("workspaces", workspace_id, "landscape", "deploy", *_profiled(profile))
        name = pipeline_file_name(profile)
        hint = f"validate {name}: the platform answers so, without the reason, when it is missing or invalid"
        purpose = f"deploy the landscape of workspace {workspace_id}"
        self._api.send(Call("POST", path, purpose, slow=True, hint=hint))

    def log_tail(self, workspace_id: int, stage: Stage, report: StageReport) -> tuple[str, ...]:
        """Return the last 50 lines of the failed step, as far as they can be read in 8 s."""
        if report.failed_step is None:
            return ()
        path = translate.log_path(workspace_id, stage, report)
        call = _reading(f"read the log of {stage.value} in workspace {workspace_id}", path)
        token = self._api.token.get_secret_value()
        try:
            lines = read_tail(self._api, call)
        except Gone:
            return ()
        return tuple(masked(line, (token,)) for line in lines)

    def domain(self, team_id: int, name: str) -> Domain:
        """Read a domain, or raise `Gone`."""
        call = _reading(f"read the domain {name}", path_of("domains", "team", team_id, "domain", name))
        return translate.domain(self._read(call, shapes.DOMAIN))

    def domains(self, team_id: int) -> Sequence[Domain]:
        """List the team's domains."""
        call = _reading("list the domains", path_of("domains", "team", team_id))
        return [translate.domain(found) for found in self._read(call, shapes.DOMAINS)]

    def connect(self, team_id: int, name: str, connections: Connections, *, timeout: float) -> Domain:
        """Replace the whole map, and return what the platform says it is now: compare it."""
        path = path_of("domains", "team", team_id, "domain", name, "workspace-connections")
        body = {route: list(ids) for route, ids in connections.items()}
        call = Call("PUT", path, f"connect the domain {name}", body=body, wants_json=True)
        return translate.domain(self._read(call, shapes.DOMAIN, timeout=timeout))

    def delete_workspace(self, workspace_id: int) -> None:
        """Delete a workspace with all its data; one that is gone already counts as deleted."""
        try:
            self._api.send(
                Call("DELETE", path_of("workspaces", workspace_id), f"delete workspace {workspace_id}")
            )
        except Gone:
            return

    def access_headers(self, workspace: Workspace) -> Mapping[str, str]:
        """Return the key for a restricted workspace's own address, and for no other address.

        Refused where it would travel unencrypted to another machine.
        """
        if not workspace.restricted or workspace.address is None:
            return {}
        if not translate.is_safe_for_key(workspace.address):
            raise Refused(
                f"workspace {workspace.id} is restricted, and its address is not https: the platform's key"
                " would be readable on its way. Make workspace_url https, or set restricted to false"
            )
        return {"X-CS-Authorization": f"Bearer {self._api.token.get_secret_value()}"}

    def _read(self, call: Call, shape: TypeAdapter[T], *, timeout: float | None = None) -> T:
        return shapes.read(call, shape, self._api.send(call, timeout=timeout))

    def _recalled(self, call: Call, shape: TypeAdapter[T]) -> T:
        now = self._clock()
        with self._memory:
            at, content = self._remembered.get(call.path, (now - _REMEMBERED_FOR, None))
        if now - at >= _REMEMBERED_FOR:
            content = self._api.send(call)
            value = shapes.read(call, shape, content)
            with self._memory:
                self._remembered[call.path] = (now, content)
            return value
        return shapes.read(call, shape, content)

    def _existing_domain(self, team: shapes.TeamShape, name: str) -> shapes.DomainShape:
        path = path_of("domains", "team", team.id, "domain", name)
        try:
            return self._read(_reading(f"read the domain {name}", path), shapes.DOMAIN)
        except Gone:
            raise offers.missing_domain(name, team, [d.name for d in self.domains(team.id)]) from None

    def _execute(
        self, workspace_id: int, command: str, purpose: str, *, changes: bool = True
    ) -> tuple[Call, git.Result, str]:
        """Run a command; return the call, its result, and what it wrote to stderr."""
        path = path_of("workspaces", workspace_id, "execute")
        call = Call("POST", path, purpose, body={"command": command}, changes=changes, wants_json=True)
        answer = self._read(call, shapes.RESULT)
        result = git.read_result(answer.output)
        complaint = printable(answer.error)
        if result is None:
            raise unusable(call, f"the command's output ends before its exit code: {complaint}")
        return call, result, complaint


def _reading(purpose: str, path: str) -> Call:
    return Call("GET", path, purpose, changes=False, wants_json=True)


def _profiled(profile: str | None) -> tuple[str, ...]:
    """Name the profile in a path; none is left out, since `default` would mean `ci.default.yml`."""
    pipeline_file_name(profile)
    return () if profile is None else (profile,)
