"""What the flow needs from outside, as protocols. Wiring names the classes that fulfil them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from workers.releases.origin import (
    BranchHeads,
    Check,
    Comparison,
    DeploymentReport,
    DeploymentRequest,
    Hook,
    HostDelivery,
    Offer,
    OpenChange,
    Permission,
    RepositoryFacts,
    StatusReport,
)
from workers.releases.places import (
    Answer,
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


class Team(Protocol):
    """A team of a platform."""

    @property
    def id(self) -> int:
        """Return its id."""
        ...

    @property
    def name(self) -> str:
        """Return its name."""
        ...


class Platform(Protocol):
    """A platform that holds workspaces and domains.

    Every method makes one API call (reads may make a few), never sleeps and never retries. Errors:
    `TryAgain` (with `effect` for changing calls), `Refused`, `Asleep`, `Gone`.
    """

    def resolve(self, team: int | str, plan: int | str, domain: str, replicas: int) -> Place:
        """Find the ids behind the names; `Refused` names what does not exist and what does."""
        ...

    def teams(self) -> Sequence[Team]:
        """List the teams of the token's user; proves address and token in one call."""
        ...

    def team_id(self, team: int | str) -> int:
        """Find a team's id; `Refused` names those that there are."""
        ...

    def create_workspace(self, spec: WorkspaceSpec) -> Workspace:
        """Ask for a workspace. It exists at once and runs later."""
        ...

    def workspaces(self, team_id: int) -> Sequence[Workspace]:
        """List every workspace of the team, also those that are not ours."""
        ...

    def workspace(self, workspace_id: int) -> Workspace:
        """Read one workspace, or raise `Gone`."""
        ...

    def is_running(self, workspace_id: int) -> bool:
        """Tell whether the workspace takes commands. Says nothing about the app."""
        ...

    def wake(self, workspace: Workspace) -> None:
        """Ask a sleeping workspace to run."""
        ...

    def head(self, workspace_id: int) -> str:
        """Read the commit that is checked out, as full lower-case hexadecimal."""
        ...

    def checkout(self, workspace_id: int, commit: str) -> None:
        """Check the commit out, detached; `Refused` when the clone does not have it."""
        ...

    def pull(self, workspace_id: int, branch: str | None = None) -> None:
        """Fetch and merge what the remote has by now; without a branch, of the one checked out.

        A detached head (what `checkout` leaves) has no branch of its own: there it must be given.
        """
        ...

    def pipeline(self, workspace_id: int, profile: str | None) -> Pipeline:
        """Read the pipeline file of the checked-out commit; `Refused` when it is missing or invalid."""
        ...

    def start_stage(self, workspace_id: int, stage: Stage, profile: str | None) -> None:
        """Start a stage. Starting a running run stage does nothing."""
        ...

    def stop_stage(self, workspace_id: int, stage: Stage) -> None:
        """Stop a stage."""
        ...

    def stage(self, workspace: Workspace, stage: Stage, services: Sequence[Service]) -> StageReport:
        """Look at a stage; for run, `services` are those that must run (none: a flat pipeline)."""
        ...

    def deploy_landscape(self, workspace_id: int, profile: str | None) -> None:
        """Ask for the services of the pipeline file to be laid out. It goes on after the answer."""
        ...

    def log_tail(self, workspace_id: int, stage: Stage, report: StageReport) -> tuple[str, ...]:
        """Return the last log lines of the failed step in `report`; empty when there are none."""
        ...

    def domain(self, team_id: int, name: str) -> Domain:
        """Read a domain, or raise `Gone`."""
        ...

    def domains(self, team_id: int) -> Sequence[Domain]:
        """List the team's domains."""
        ...

    def connect(self, team_id: int, name: str, connections: Connections, *, timeout: float) -> Domain:
        """Replace the domain's whole map of connections; gives up after `timeout` seconds."""
        ...

    def delete_workspace(self, workspace_id: int) -> None:
        """Delete a workspace; one that is gone already counts as deleted."""
        ...

    def access_headers(self, workspace: Workspace) -> Mapping[str, str]:
        """Return what opens the workspace's own address; empty unless it is restricted.

        They hold the key of the API: send them to that address only, and never along a redirect.
        """
        ...


class Web(Protocol):
    """Asks web addresses, as a visitor would."""

    def get(self, url: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask once, following no redirect; `TryAgain` when there is no answer in time."""
        ...


class GitHost(Protocol):
    """A Git host's API, asked and told with the token of the settings.

    A `repository` is its full name, or its id (digits, or Bitbucket's uuid) as events carry it, which
    follows it where it is renamed or transferred.
    Every method makes one or a few calls, never sleeps and never retries. Errors: `TryAgain` (with `wait`
    where the host asked for quiet, `effect` for changing calls), `Refused` (also for what the host does
    not offer), `Gone` where there is no such repository, or the token may not see it.
    """

    @property
    def offers(self) -> frozenset[Offer]:
        """Return what this host has an API for; the methods of anything else are `Refused` without a call."""
        ...

    def whoami(self) -> str:
        """Return the name of the token's user; proves address and token in one call."""
        ...

    def repository(self, repository: str) -> RepositoryFacts:
        """Read a repository. A former name finds it, too, for as long as the host forwards it."""
        ...

    def branch_head(self, repository: str, branch: str) -> str | None:
        """Return the commit at the head of the branch, or None where there is no such branch."""
        ...

    def branch_heads(self, repository: str) -> BranchHeads:
        """Return the head of every branch, of the first 1,000 that the host lists."""
        ...

    def tag_commit(self, repository: str, tag: str) -> str | None:
        """Return the commit behind a tag, annotated ones peeled; None where there is none."""
        ...

    def message(self, repository: str, commit: str) -> str | None:
        """Return a commit's whole message; None where the host does not have it, or it is no full hash."""
        ...

    def compare(self, repository: str, base: str, head: str) -> Comparison | None:
        """Tell how commit `head` stands to commit `base`.

        None where the host does not have one of the two, or one is not a full hash.
        """
        ...

    def permission(self, repository: str, user: str) -> Permission:
        """Return what the user of this name may do; `NONE` for a stranger."""
        ...

    def change(self, repository: str, number: int) -> OpenChange | None:
        """Read an open pull or merge request as it is now; None where none is open under this number."""
        ...

    def ci_state(self, repository: str, commit: str) -> tuple[Check, ...]:
        """Return the newest result of every check of the commit, our own statuses among them.

        Empty where CI has not begun, where the commit is not known, or where it is not a full hash.
        `Refused` where there are more checks than are read.
        """
        ...

    def report_status(self, repository: str, commit: str, report: StatusReport) -> None:
        """Set a commit status; saying the same again does no harm. `TryAgain` for an unknown commit."""
        ...

    def create_deployment(self, repository: str, deployment: DeploymentRequest) -> str:
        """Announce a deployment that has begun; return its id. Asked twice it stands twice."""
        ...

    def find_deployment(self, repository: str, deployment: DeploymentRequest) -> str | None:
        """Return the id of a deployment that was asked for in these words, or None.

        For after a `create_deployment` whose answer was lost; where the host keeps no description to tell
        two deployments of a commit apart, it is one that runs. Looks through 100 of them at the most.
        """
        ...

    def update_deployment(self, repository: str, deployment: str, report: DeploymentReport) -> None:
        """Say how a deployment stands; saying the same again does no harm."""
        ...

    def comment(self, repository: str, number: int, text: str) -> str:
        """Comment on a pull or merge request; return the comment's id. Asked twice it stands twice."""
        ...

    def edit_comment(self, repository: str, number: int, comment: str, text: str) -> None:
        """Replace the text of a comment of ours; `Gone` when somebody deleted it."""
        ...

    def hooks(self, repository: str) -> Sequence[Hook]:
        """List the webhooks of the repository, also those that are not ours: compare the addresses."""
        ...

    def deliveries(self, repository: str, hook: str, since: float) -> Sequence[HostDelivery]:
        """Return what the hook (by id) sent since that moment (seconds since 1970), newest first.

        At most the newest 1,000, fewer where deliveries are large; hosts keep their log for some days only.
        """
        ...

    def redeliver(self, repository: str, hook: str, delivery: str) -> None:
        """Ask the host to send a delivery (by the id in its log) once more. It keeps its delivery id."""
        ...
