"""The state of the platform: teams, plans, workspaces and domains."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.core.ci import CiFile
from sandbox.core.http import ApiFault
from sandbox.core.ports import Home, Run, World

IDE = "codesphere-ide"
"""The server that runs prepare and test, and the run stage of flat files."""

Connections = dict[str, list[int]]
"""Path prefix of a domain to the ids of the workspaces that answer it."""


@dataclass(frozen=True)
class Timing:
    """How long the platform takes, in seconds."""

    workspace_start: float = 0.2
    stage_start: float = 0.0
    landscape: float = 0.1
    route: float = 0.1
    stale_rows: float = 0.0
    sleep_after: float | None = None


@dataclass
class Quirks:
    """Behaviour that differs between installations, or that the description leaves open."""

    refuse_unknown_properties: bool = True
    no_rows_before_first_start: bool = False
    datacenter_redirect: bool = False
    starting_page: bool = False
    too_many_requests: bool = False
    git_ref_checks_out: bool = False
    no_billing: bool = False
    log_streams_stay_open: bool = False
    domain_busy: bool = False
    allow_local_git: bool = False


@dataclass(frozen=True)
class Plan:
    """A size of workspace."""

    id: int
    title: str
    deprecated: bool = False
    on_demand: bool = False
    max_replicas: int = 3
    price_usd: float = 8.0

    def as_json(self) -> dict[str, object]:
        """The plan as the API shows it."""
        characteristics = {"id": self.id, "CPU": 1, "GPU": 0, "RAM": 2_147_483_648}
        sizes = {"SSD": 10_737_418_240, "TempStorage": 1_073_741_824, "onDemand": self.on_demand}
        return {
            "id": self.id,
            "priceUsd": self.price_usd,
            "title": self.title,
            "deprecated": self.deprecated,
            "characteristics": characteristics | sizes,
            "maxReplicas": self.max_replicas,
        }


PLANS = (
    Plan(8, "Micro"),
    Plan(9, "Boost", max_replicas=10, price_usd=48.0),
    Plan(20, "Free", on_demand=True, max_replicas=1, price_usd=0.0),
    Plan(3, "Hobby", deprecated=True),
)


@dataclass(frozen=True)
class Team:
    """A team; everything belongs to one."""

    id: int
    name: str
    role: int = 0
    datacenter_id: int = 5

    def as_json(self) -> dict[str, object]:
        """The team as `GET /teams/{id}` shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "defaultDataCenterId": self.datacenter_id,
            "description": None,
            "avatarId": None,
            "avatarUrl": None,
            "isFirst": False,
        }


@dataclass
class StageRun:
    """A start of a stage: pending until `begins_at`, then one run per (server, replica)."""

    stage: str
    asked_at: float
    begins_at: float
    runs: dict[tuple[str, int], Run] = field(default_factory=dict)
    begun: bool = False
    cancelled: bool = False
    ci: CiFile | None = None
    before: StageRun | None = None


@dataclass
class Landscape:
    """What `landscape/deploy` allocated; its servers show from `visible_at`."""

    ci: CiFile
    visible_at: float
    replicas: dict[str, int]


@dataclass
class Workspace:
    """A workspace with all that happened to it."""

    id: int
    team_id: int
    datacenter_id: int
    fields: dict[str, object]
    home: Home
    created_at: float
    running_from: float | None
    env: dict[str, str]
    stages: dict[str, StageRun] = field(default_factory=dict)
    landscape: Landscape | None = None
    used_at: float = 0.0
    turn: int = 0

    @property
    def replicas(self) -> int:
        """How many replicas of the workspace itself there are."""
        return int(str(self.fields["replicas"]))

    @property
    def restricted(self) -> bool:
        """The workspace's own address asks for a sign-in."""
        return bool(self.fields["restricted"])

    def as_json(self) -> dict[str, object]:
        """The workspace as the API shows it."""
        times = {"createdAt": timestamp(self.created_at), "devDomain": self.home.dev_domain}
        place = {"teamId": self.team_id, "id": self.id, "dataCenterId": self.datacenter_id}
        constant = {"userId": 311, "collectTraces": False, "persistentLogs": False}
        return place | self.fields | constant | times


@dataclass
class Domain:
    """A production domain. `routed` is what the gateway does, `connections` what it was told."""

    name: str
    team_id: int
    datacenter_id: int
    connections: Connections = field(default_factory=dict)
    routed: Connections = field(default_factory=dict)
    route_due: float | None = None
    verified: bool = True
    issued: bool = True
    verify_result: bool = True
    config: dict[str, object] = field(default_factory=dict)
    revision: int = 0
    restricted: bool = False
    turn: int = 0

    def as_json(self) -> dict[str, object]:
        """The domain as the API shows it."""
        reason = None if self.verified else "TXT record not found"
        return {
            "teamId": self.team_id,
            "dataCenterId": self.datacenter_id,
            "workspaces": {path: list(ids) for path, ids in self.connections.items()},
            "name": self.name,
            "certificateRequestStatus": {
                "issued": self.issued,
                "reason": None if self.issued else "pending",
            },
            "dnsEntries": {"a": "192.0.2.7", "cname": "edge.sandbox", "txt": "cs-verify=sandbox"},
            "domainVerificationStatus": {"verified": self.verified, "reason": reason},
            "customConfigRevision": self.revision,
            "customConfig": dict(self.config),
            "restricted": self.restricted,
        }

    def settle(self, now: float) -> None:
        """Let the gateway follow once the route's delay has passed."""
        if self.route_due is not None and now >= self.route_due:
            self.routed = {path: list(ids) for path, ids in self.connections.items()}
            self.route_due = None


class Platform:
    """Everything there is, with the clock that moves it."""

    def __init__(
        self,
        world: World,
        clock: Callable[[], float],
        *,
        timing: Timing,
        quirks: Quirks,
        teams: Mapping[int, Team],
    ) -> None:
        self.world = world
        self.clock = clock
        self.timing = timing
        self.quirks = quirks
        self.teams = dict(teams)
        self.plans = {plan.id: plan for plan in PLANS}
        self.workspaces: dict[int, Workspace] = {}
        self.domains: dict[str, Domain] = {}
        self.last_id = 64_000

    def next_id(self) -> int:
        """A workspace id that was never given out."""
        self.last_id += 1
        return self.last_id

    def team(self, team_id: int) -> Team:
        """The team, or 404."""
        if team_id not in self.teams:
            raise ApiFault(404, "Team not found.")
        return self.teams[team_id]

    def workspace(self, workspace_id: int) -> Workspace:
        """The workspace, or 404."""
        if workspace_id not in self.workspaces:
            raise ApiFault(404, "Workspace is not found.")
        return self.workspaces[workspace_id]

    def domain(self, team_id: int, name: str) -> Domain:
        """The domain of that team, or 404."""
        domain = self.domains.get(name.lower())
        if domain is None or domain.team_id != team_id:
            raise ApiFault(404, "Domain not found.")
        return domain

    def is_running(self, workspace: Workspace) -> bool:
        """The workspace's own server is up; puts an unused on-demand workspace to sleep."""
        now = self.clock()
        patience = self.timing.sleep_after
        sleeps = patience is not None and self.plan_of(workspace).on_demand
        if patience is not None and sleeps and now - workspace.used_at > patience:
            workspace.running_from = None
        due = workspace.running_from
        return due is not None and now >= due and workspace.home.ready()

    def running(self, workspace_id: int) -> Workspace:
        """The workspace, or 404, or 400 while it is not running."""
        workspace = self.workspace(workspace_id)
        if not self.is_running(workspace):
            raise ApiFault(400, "Workspace is not running", "The workspace is not running.")
        workspace.used_at = self.clock()
        return workspace

    def wake(self, workspace: Workspace) -> None:
        """Bring a sleeping workspace up again."""
        now = self.clock()
        workspace.used_at = now
        if workspace.running_from is None:
            workspace.running_from = now + self.timing.workspace_start

    def plan_of(self, workspace: Workspace) -> Plan:
        """The plan that the workspace is on."""
        return self.plans[int(str(workspace.fields["planId"]))]


def timestamp(seconds: float) -> str:
    """Epoch seconds as the API writes times."""
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
