"""Releases as text for the store, and back. Pure; the store and the tests use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workers.releases.model import (
    JSON,
    PENDING,
    Cause,
    Downtime,
    Failure,
    Intent,
    Release,
    StepRecord,
    StopRequest,
    Trigger,
)
from workers.releases.status import Status, StepStatus

SCHEMA_VERSION = 1
"""Version of what is stored; a worker refuses to write over a newer one."""

FACTS = ("id", "project", "lane", "flow", "commit", "ref", "git_url", "config", "by_person", "retry_of")
"""Fields that never change after a release was accepted."""

STATE = (
    "started_at",
    "workspace_id",
    "attempt",
    "previous",
    "waiting_for",
    "blocked_by",
    "cleanup",
    "memory",
)
"""Plain fields that a move rewrites together."""


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def dumps(value: object) -> str:
    """Encode compactly, keeping every character as it is."""
    return _encode(value)


def plain(record: object) -> JSON:
    """Return the fields of a dataclass that holds plain values only.

    `dataclasses.asdict` copies deeply, which costs more than everything else when a delivery is taken in.
    """
    return {name: getattr(record, name) for name in record.__slots__}  # type: ignore[attr-defined]  # all have slots


def facts_of(release: Release) -> str:
    """Encode what never changes."""
    facts: JSON = {name: getattr(release, name) for name in FACTS}
    return dumps(facts | {"trigger": plain(release.trigger)})


def state_of(release: Release) -> str:
    """Encode what a move rewrites."""
    state: JSON = {name: getattr(release, name) for name in STATE}
    for name in ("downtime", "failure", "intent"):
        value = getattr(release, name)
        state[name] = None if value is None else plain(value)
    return dumps(state | {"steps": [plain(step) for step in release.steps]})


def release_from(fields: Mapping[str, str]) -> Release:
    """Decode a release from the fields of its hash; no state is that of a release just queued."""
    facts: JSON = json.loads(fields["facts"])
    facts["trigger"] = Trigger(**facts["trigger"])
    return Release(
        **facts,
        **_state_from(fields.get("state"), facts["flow"]),
        number=int(fields["number"]),
        order=int(fields["order"]),
        status=Status(fields["status"]),
        reason=fields["reason"],
        step=fields.get("step") or None,
        created_at=_seconds(fields["created_at"]) or 0.0,
        finished_at=_seconds(fields.get("finished_at")),
        stop=_stop_from(fields.get("stop")),
        operation=json.loads(fields["operation"]) if fields.get("operation") else None,
        retried_by=fields.get("retried_by") or None,
        past_switch=fields.get("past_switch") == "1",
        handed_over=fields.get("handed_over") or None,
        retire_asked=fields.get("retire_asked") or None,
        twin_seen=fields.get("twin_seen") == "1",
    )


def _state_from(text: str | None, flow: str) -> dict[str, Any]:
    if not text:
        return {"steps": PENDING[flow]}
    state: JSON = json.loads(text)
    known: dict[str, Any] = {name: state[name] for name in STATE if name in state}
    known["steps"] = tuple(
        StepRecord(**step | {"status": StepStatus(step["status"])}) for step in state.get("steps", ())
    )
    if state.get("downtime"):
        known["downtime"] = Downtime(**state["downtime"])
    if state.get("failure"):
        failure = state["failure"]
        known["failure"] = Failure(
            Cause(failure["cause"]), failure["step"], failure["message"], tuple(failure["log"])
        )
    if state.get("intent"):
        known["intent"] = Intent(**state["intent"])
    return known


def _stop_from(text: str | None) -> StopRequest | None:
    if not text:
        return None
    request = json.loads(text)
    return StopRequest(Status(request["to"]), request["by"], request["reason"])


def _seconds(milliseconds: str | None) -> float | None:
    return int(milliseconds) / 1000 if milliseconds else None
