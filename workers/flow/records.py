"""The records of a release's steps, and what it noted for itself. Pure."""

from __future__ import annotations

from dataclasses import replace

from workers.flow.turn import Turn
from workers.releases.model import FLOWS, JSON, Release, StepRecord
from workers.releases.status import StepStatus


def memory_with(turn: Turn, memory: JSON, scratch: JSON) -> JSON:
    """Return the release's memory with more noted; a scratch value of None is forgotten."""
    merged = {name: value for name, value in (turn.scratch | scratch).items() if value is not None}
    if merged.get("errors") == 0:
        del merged["errors"]
    return {**turn.memory, **memory, "scratch": merged}


def memory_without_scratch(turn: Turn) -> JSON:
    """Return the release's memory without what only one step needed."""
    return {name: value for name, value in turn.memory.items() if name != "scratch"}


def restarted(release: Release) -> tuple[StepRecord, ...]:
    """Return the step records with one more attempt counted for the current step."""
    return tuple(
        replace(record, attempt=record.attempt + 1) if record.name == release.step else record
        for record in release.steps
    )


def next_step(release: Release) -> str | None:
    """Return the step after the current one, or None at the end."""
    names = FLOWS[release.flow]
    position = names.index(release.step or "") + 1
    return names[position] if position < len(names) else None


def steps_with(
    release: Release, name: str, status: StepStatus, now: float, detail: str | None
) -> tuple[StepRecord, ...]:
    """Return the step records with one of them brought to `status`."""

    def changed(record: StepRecord) -> StepRecord:
        if record.name != name:
            return record
        if status is StepStatus.RUNNING:
            return replace(record, status=status, started_at=now, attempt=record.attempt + 1)
        started = record.started_at if record.started_at is not None else now
        return replace(record, status=status, started_at=started, finished_at=now, detail=detail)

    return tuple(changed(record) for record in release.steps)
