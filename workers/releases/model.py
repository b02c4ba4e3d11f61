"""A release and its parts, as values. They are changed by making a new one (`dataclasses.replace`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workers.releases.status import UNFINISHED, Status, StepStatus

JSON = dict[str, Any]

FLOWS: Mapping[str, tuple[str, ...]] = {
    "zero-downtime": (
        "create",
        "prepare",
        "test",
        "run",
        "verify",
        "checks",
        "approval",
        "switch",
        "observe",
    ),
    "in-place": ("pull", "prepare", "test", "stop", "run", "verify"),
    "preview": ("create", "prepare", "test", "run", "verify", "publish"),
}
"""The steps of each flow, in order."""


class Cause(StrEnum):
    """Whose fault a failure is, which tells what a person can do about it."""

    TRANSIENT = "transient"
    REFUSED = "refused"
    APPLICATION = "application"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What asked for the release."""

    kind: str  # push, manual, retry, catch-up
    host: str | None = None
    event: str | None = None
    delivery: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a release. Times are seconds since the epoch, by the store's clock."""

    name: str
    status: StepStatus = StepStatus.PENDING
    started_at: float | None = None
    finished_at: float | None = None
    attempt: int = 0
    detail: str | None = None


PENDING: Mapping[str, tuple[StepRecord, ...]] = {
    flow: tuple(StepRecord(name) for name in names) for flow, names in FLOWS.items()
}
"""The steps of a release that nothing was done for yet."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A changing call that was written down before it was sent, and whose outcome is not known yet.

    Until `settle_at` the call may still take effect on the other side.
    """

    kind: str
    sent_at: float
    settle_at: float
    data: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a release did not go live."""

    cause: Cause
    step: str | None
    message: str
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Somebody asked a release to end early: a person (`cancelled`) or a newer one (`superseded`)."""

    to: Status
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Downtime:
    """What the probes of production saw, from before the switch until observing ended."""

    probes: int
    failed: int
    longest_gap_ms: int
    interval_ms: int
    unobserved_ms: int


@dataclass(frozen=True, slots=True)
class Release:
    """One release, as the store has it. Times are seconds since the epoch, by the store's clock."""

    id: str
    number: int
    project: str
    lane: str
    flow: str
    commit: str
    ref: str | None
    git_url: str
    status: Status
    reason: str
    step: str | None
    trigger: Trigger
    config: str
    """Digest of the project's settings that this release began with."""
    order: int
    """Place in the lane: a higher one is newer."""
    created_at: float
    by_person: bool = False
    started_at: float | None = None
    finished_at: float | None = None
    workspace_id: int | None = None
    attempt: int = 1
    steps: tuple[StepRecord, ...] = ()
    downtime: Downtime | None = None
    previous: str | None = None
    retry_of: str | None = None
    retried_by: str | None = None
    waiting_for: str | None = None
    blocked_by: str | None = None
    cleanup: str | None = None
    failure: Failure | None = None
    memory: JSON = field(default_factory=dict)
    """What the current flow noted for itself; survives every crash."""
    intent: Intent | None = None
    stop: StopRequest | None = None
    operation: JSON | None = None
    """What a person asked of a live release (a rollback), until it is done."""
    past_switch: bool = False
    handed_over: str | None = None
    """The retry that took this release's workspace over."""
    retire_asked: str | None = None
    """Who wants the workspace gone although it would stand by or be kept for longer."""
    twin_seen: bool = False
    """A workspace with this release's mark was seen that nobody needs: cleaning up looks for more of them."""

    @property
    def unfinished(self) -> bool:
        """Tell whether the release is still on its way."""
        return self.status in UNFINISHED

    def record(self, step: str) -> StepRecord:
        """Return the record of a step, a pending one where there is none yet."""
        return next((record for record in self.steps if record.name == step), StepRecord(step))


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as the store has it when a worker takes a release of it."""

    name: str
    running: str | None = None
    live: str | None = None
    live_order: int = 0
    connections: Mapping[str, tuple[int, ...]] | None = None
    """What Switchover last put on the lane's paths, or None when it never did."""
    drift: Mapping[str, tuple[int, ...]] | None = None
    """What somebody else was seen to have put there since, or None."""
    pin: JSON | None = None
    hold: JSON | None = None
    gave_way: int = 0
    parked: tuple[tuple[str, float], ...] = ()
    """Replaced releases whose workspaces stand by, newest first, with the time (seconds) of the change."""

    @property
    def standing(self) -> Mapping[str, tuple[int, ...]] | None:
        """Return what should stand on the lane's paths while nothing of it is at its switch."""
        return self.connections if self.drift is None else self.drift


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to move one release for a short time. The store checks the fence on every write."""

    release: str
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A release together with the lease on it, and the store's time (seconds) when it was taken."""

    release: Release
    lane: Lane
    lease: Lease
    now: float
    expiries: int
    """How often in a row a lease on this release ran out without a move."""
    target_holder: str | None = None
    """The release that holds the lock of this release's target."""
    usual: tuple[float, ...] = ()
    """How long (seconds) the current step of this project took the last times."""
    late: float = 0.0
    """How late (seconds) the look is, counted from when it was due."""


@dataclass(frozen=True, slots=True)
class Move:
    """Everything that one script writes together, or not at all. None means: leave as it is."""

    release: Release
    """The release as it shall be."""
    was: Status
    events: tuple[JSON, ...] = ()
    notices: tuple[tuple[str, JSON], ...] = ()
    """Outbox entries: receiver and body."""
    effects: JSON = field(default_factory=dict)
    """What else changes with it; the keys are listed in `workers/store/lua/move.lua`."""
    due: float | None = None
    """Seconds until the next look; a look at once is 0. None: as long as the lease lasts."""
    let_go: bool = False
    """Give the lease back in the same write."""
    finished: bool = False
    """No further look is needed at all."""
