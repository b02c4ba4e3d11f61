"""What the API gives, as models; its description is made from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workers.releases.model import Cause
from workers.releases.status import Status, StepStatus

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC, to the millisecond."""


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


class DecisionView(Given):
    """What a project's rules said. `rule` is the key of the project that decided; null: a built-in rule."""

    project: str
    verdict: str
    reason: str
    rule: str | None


class DeliveryView(Given):
    """One delivery and its verdict. `decisions` tells what each project's rules said.

    `sender`, `signed_by` (fingerprint of the secret), `sha256` and `size` (of the raw body) are null where
    nothing came from outside: in a replay, or where the bot found something by itself.
    """

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
    decisions: list[DecisionView]
    replay_of: str | None
    sender: str | None
    signed_by: str | None
    sha256: str | None
    size: int | None


class DeliveryDetail(DeliveryView):
    """One delivery with the headers that it came with: `[name, value]`, secrets masked."""

    headers: list[tuple[str, str]]


class DeliveryList(Given):
    """Deliveries, newest first."""

    deliveries: list[DeliveryView]
    next: str | None


class SecretView(Given):
    """One of a host's secrets: its place, the start of its SHA-256, and when it last verified a delivery."""

    place: str
    fingerprint: str
    last_used: Moment | None


class LastDelivery(Given):
    """The delivery that a host sent last."""

    id: str
    received_at: Moment
    verdict: str


class HostView(Given):
    """A Git host. `reads` are the kinds of events that are understood, `offers` what a token would allow."""

    name: str
    driver: str
    webhook: str | None
    secrets: list[SecretView]
    last_delivery: LastDelivery | None
    senders: list[str]
    has_token: bool
    reads: list[str]
    offers: list[str]


class HostList(Given):
    """Hosts by name."""

    hosts: list[HostView]
    next: str | None = None


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
    """A workspace that we made, and why it still stands. `facts` is all that the ledger says.

    `since` and `until` belong to the state: live since, parked since and until.
    """

    id: str
    release: str | None
    number: int | None
    project: str | None
    lane: str | None
    commit: str | None
    state: Literal["in work", "live", "parked", "kept", "retiring", "named", "leftover", "unknown", "gone"]
    why: str
    since: Moment | None
    until: Moment | None
    facts: dict[str, Any]


class WorkspaceList(Given):
    """Our workspaces."""

    workspaces: list[WorkspaceView]
    next: str | None = None


class ReloadView(Given):
    """What a reload came to. `needs_restart` names what changed and counts only after a restart."""

    generation: int
    projects: list[str]
    needs_restart: list[str]


class SessionView(Given):
    """A temporary token."""

    value: str
    expires_at: Moment


class StateView(Given):
    """A probe's answer."""

    status: Literal["alive", "ready"]
