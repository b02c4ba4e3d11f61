"""The statuses of a release and of a step, and the one table of moves between them."""

from __future__ import annotations

from enum import StrEnum

from workers.errors import IllegalMove


class Status(StrEnum):
    """Where a release stands. It always travels with a reason."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    LIVE = "live"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"
    REPLACED = "replaced"


class StepStatus(StrEnum):
    """Where a step of a release stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


UNFINISHED = frozenset({Status.QUEUED, Status.RUNNING, Status.WAITING})

ALLOWED: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED, Status.SUPERSEDED, Status.FAILED}),
    Status.RUNNING: frozenset(
        {
            Status.WAITING,
            Status.LIVE,
            Status.FAILED,
            Status.CANCELLED,
            Status.SUPERSEDED,
            Status.ROLLED_BACK,
        }
    ),
    Status.WAITING: frozenset({Status.RUNNING, Status.FAILED, Status.CANCELLED, Status.SUPERSEDED}),
    Status.LIVE: frozenset({Status.REPLACED, Status.ROLLED_BACK}),
    # A rollback to this release makes it live again; nothing else moves it.
    Status.REPLACED: frozenset({Status.LIVE}),
    Status.ROLLED_BACK: frozenset(),
    # Only retry-all does this, to all but the newest failed release of a lane.
    Status.FAILED: frozenset({Status.SUPERSEDED}),
    Status.CANCELLED: frozenset(),
    Status.SUPERSEDED: frozenset(),
}


def check_move(release_id: str, current: Status, to: Status) -> None:
    """Raise `IllegalMove` unless a release may go from `current` to `to` (staying is always allowed)."""
    if to is not current and to not in ALLOWED[current]:
        raise IllegalMove(f"release {release_id} cannot go from {current} to {to}")


def origins_of(to: Status) -> tuple[Status, ...]:
    """Return the statuses from which a release may come to `to`, `to` itself included."""
    return (to, *(status for status, targets in ALLOWED.items() if to in targets))
