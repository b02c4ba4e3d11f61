"""What the API takes and gives, as models; its description is made from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from workers.releases.model import Cause
from workers.releases.status import Status, StepStatus

MOST = 200
"""A page has at most so many entries; a larger `limit` is cut."""
DEFAULT = 50

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC, to the millisecond."""

_LINE = r"^[^\x00-\x1f\x7f]*$"
Words = Annotated[str, StringConstraints(max_length=500, pattern=_LINE)]
Commit = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$")]
Branch = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_LINE)]


def moment(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339 in UTC."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def moment_or_none(seconds: float | None) -> str | None:
    """Return the moment, or None where there is none."""
    return None if seconds is None else moment(seconds)


class Given(BaseModel):
    """What the API gives."""

    model_config = ConfigDict(frozen=True)


class Asked(BaseModel):
    """What the API takes: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Query(BaseModel):
    """What may stand behind the `?`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class PageQuery(Query):
    """Which part of a list; `cursor` is the `next` of the page before."""

    limit: Annotated[int, Field(ge=1, description=f"1 to {MOST}; more is cut")] = DEFAULT
    cursor: Annotated[str | None, StringConstraints(pattern=r"^[0-9]{1,18}$")] = None

    @property
    def most(self) -> int:
        """Return the size of the page."""
        return min(self.limit, MOST)

    @property
    def before(self) -> int | None:
        """Return where the page begins, as the store counts."""
        return None if self.cursor is None else int(self.cursor)


class ReleasesQuery(PageQuery):
    """Which releases."""

    project: Annotated[str | None, StringConstraints(max_length=200)] = None
    status: Status | None = None


class StartRelease(Asked):
    """What to release. Without a commit: the last one that was pushed to the branch (default: main)."""

    project: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    commit: Commit | None = None
    branch: Branch | None = None
    reason: Words | None = None


class ActOnRelease(Asked):
    """Why somebody acts on a release; shown with it."""

    reason: Words | None = None


class RetryRelease(Asked):
    """`force` (admin) retries although a newer commit of the lane is live or on its way."""

    force: bool = False


class RollBack(Asked):
    """How far back: without `to`, to what stood there before. `pin` holds the lane until it is unpinned."""

    to: Annotated[str | None, StringConstraints(max_length=160)] = None
    reason: Words | None = None
    pin: bool = True
    force: bool = False


class RetryFailed(Asked):
    """Which failed releases to retry; none named: all."""

    project: Annotated[str | None, StringConstraints(max_length=200)] = None
    cause: Annotated[Cause | None, Field(strict=False)] = None


class FreezeProject(Asked):
    """Stop a project's releases, until a moment or until it is taken away."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_LINE)]
    until: Annotated[datetime | None, Field(strict=False)] = None


class Login(Asked):
    """A token of the configuration."""

    token: SecretStr


class TriggerView(Given):
    """What asked for a release."""

    kind: str
    host: str | None
    event: str | None
    delivery: str | None
    actor: str | None


class StepView(Given):
    """One step of a release."""

    name: str
    status: StepStatus
    started_at: Moment | None
    finished_at: Moment | None
    attempt: int
    detail: str | None


class DowntimeView(Given):
    """What the probes of production saw around the switch."""

    probes: int
    failed: int
    longest_gap_ms: int
    interval_ms: int
    unobserved_ms: int


class FailureView(Given):
    """Why a release did not go live; `log` is the tail of the failing step's log."""

    cause: Cause
    step: str | None
    message: str
    log: list[str]


class ReleaseView(Given):
    """One release."""

    id: str
    number: int
    project: str
    lane: str
    flow: str
    commit: str
    ref: str | None
    status: Status
    reason: str
    step: str | None
    workspace_id: int | None
    attempt: int
    trigger: TriggerView
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    steps: list[StepView]
    downtime: DowntimeView | None
    previous: str | None
    retry_of: str | None
    retried_by: str | None
    waiting_for: str | None
    blocked_by: str | None
    cleanup: str | None
    failure: FailureView | None


class ReleaseList(Given):
    """Releases, newest first."""

    releases: list[ReleaseView]
    next: str | None


class DeliveryView(Given):
    """One delivery and its verdict. `decisions` tells what each project's rules said."""

    id: str
    host: str
    event: str
    kind: str
    repository: str | None
    actor: str | None
    verdict: str
    reason: str
    releases: list[str]
    received_at: Moment
    repeats: int
    changes: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    replay_of: str | None


class DeliveryList(Given):
    """Deliveries, newest first."""

    deliveries: list[DeliveryView]
    next: str | None


class VerdictView(Given):
    """What a delivery came to."""

    delivery: str
    verdict: str
    reason: str
    releases: list[str]


class StandingView(Given):
    """A freeze, a pin or a hold: who set it, why, and until when."""

    author: str | None
    reason: str | None
    until: Moment | None


class FreezeView(StandingView):
    """A project's freeze."""

    project: str


class BriefRelease(Given):
    """A release in one line."""

    id: str
    number: int
    commit: str
    status: Status
    reason: str


class LaneView(Given):
    """What one project releases to a target."""

    name: str
    project: str
    live: BriefRelease | None
    running: BriefRelease | None
    queued: list[BriefRelease]
    parked: list[str]
    barred: list[str]
    freeze: StandingView | None
    pin: StandingView | None
    hold: StandingView | None
    newest: BriefRelease | None
    not_live_because: str | None
    """Why the newest commit is not live; null when it is, or when there is none."""


class LockView(Given):
    """Who holds a target's lock, and for how long."""

    release: str
    since: Moment
    age_seconds: float


class TargetView(Given):
    """A target and the lanes that lead to it."""

    name: str
    platform: str | None
    team: str | None
    configured: bool
    address: str | None
    lock: LockView | None
    lanes: list[LaneView]


class TargetList(Given):
    """Targets by name."""

    targets: list[TargetView]
    next: str | None = None


class WorkspaceView(Given):
    """A workspace that we made and that still stands. `facts` is all that the ledger says."""

    id: str
    release: str | None
    project: str | None
    state: str | None
    facts: dict[str, Any]


class WorkspaceList(Given):
    """Our workspaces."""

    workspaces: list[WorkspaceView]
    next: str | None = None


class SessionView(Given):
    """A temporary token."""

    value: str
    expires_at: Moment


class StateView(Given):
    """A probe's answer."""

    status: Literal["alive", "ready"]
