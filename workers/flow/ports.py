"""What the flow needs from outside, as protocols. Wiring names the classes that fulfil them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

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
