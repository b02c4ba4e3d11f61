"""What a platform shows of itself, in words that every platform shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Connections = Mapping[str, tuple[int, ...]]
"""A domain's routes: path to the ids of the workspaces that serve it, order kept."""


class Stage(StrEnum):
    """A stage of a workspace's pipeline."""

    PREPARE = "prepare"
    TEST = "test"
    RUN = "run"


class StageState(StrEnum):
    """How a stage stands over all servers and replicas that count."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Place:
    """A resolved target: the ids behind the names, and what the plan allows."""

    team_id: int
    plan_id: int
    data_center_id: int | None
    key: str
    """Name of the target's lock: origin of the API, team id, lower-case domain."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkspaceSpec:
    """What a new workspace shall be. `mark` says that we made it, and for which release."""

    team_id: int
    plan_id: int
    name: str
    mark: str
    git_url: str
    branch: str | None
    private: bool
    replicas: int
    restricted: bool
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace as the platform lists it."""

    id: int
    name: str
    mark: str | None
    team_id: int
    replicas: int
    address: str | None
    """Base URL at which its own app answers, or None while the platform does not tell."""
    data_center_id: int | None = None
    restricted: bool = False
    """True where its own address asks visitors to sign in; see `Platform.access_headers`."""


@dataclass(frozen=True, slots=True)
class Service:
    """One server of a landscape with its replicas. A flat pipeline has none."""

    name: str
    replicas: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the pipeline file at the pinned commit asks for."""

    landscape: bool
    """True where a landscape must be deployed before the run stage (schema v0.2 and later)."""
    has_prepare: bool
    has_test: bool
    services: tuple[Service, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageReport:
    """One look at a stage.

    `mark` changes whenever any process of the stage was started anew; it is empty before the first start.
    `failed_step` is the index of the step whose log tells why, with the server or replica to read it from.
    """

    state: StageState
    detail: str
    mark: str = ""
    failed_step: int | None = None
    server: str | None = None
    replica: str | None = None
    complete: bool = True
    """False while a replica that is expected has no row at all (a landscape is still being laid out)."""
    empty: bool = False
    """True where the platform shows no row at all, which some do before a stage's first start."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A production domain and where its paths lead."""

    name: str
    connections: Connections
    verified: bool
    certificate_issued: bool
    reason: str | None = None
    data_center_id: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web address answered; redirects are not followed."""

    status: int
    body: str
    seconds: float
