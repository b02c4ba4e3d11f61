"""From what the store knows to what the API gives. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.api.models import (
    BriefRelease,
    DecisionView,
    DeliveryDetail,
    DeliveryView,
    DowntimeView,
    FailureView,
    ReleaseList,
    ReleaseView,
    StandingView,
    StepView,
    TriggerView,
    VerdictView,
    WorkspaceView,
    moment,
    moment_or_none,
)
from workers.flow.workspaces import Standing
from workers.releases.deliveries import headers_of
from workers.releases.intake import Verdict
from workers.releases.model import JSON, Downtime, Failure, Release, StepRecord


def release_view(release: Release) -> ReleaseView:
    """Return a release as the contract shows it."""
    trigger = release.trigger
    return ReleaseView(
        id=release.id,
        number=release.number,
        project=release.project,
        lane=release.lane,
        flow=release.flow,
        commit=release.commit,
        ref=release.ref,
        status=release.status,
        reason=release.reason,
        step=release.step,
        workspace_id=release.workspace_id,
        attempt=release.attempt,
        trigger=TriggerView(
            kind=trigger.kind,
            host=trigger.host,
            event=trigger.event,
            delivery=trigger.delivery,
            actor=trigger.actor,
        ),
        created_at=moment(release.created_at),
        started_at=moment_or_none(release.started_at),
        finished_at=moment_or_none(release.finished_at),
        steps=[_step(step) for step in release.steps],
        downtime=_downtime(release.downtime),
        previous=release.previous,
        retry_of=release.retry_of,
        retried_by=release.retried_by,
        waiting_for=release.waiting_for,
        blocked_by=release.blocked_by,
        cleanup=release.cleanup,
        failure=_failure(release.failure),
    )


def release_list(releases: Iterable[Release], following: int | None = None) -> ReleaseList:
    """Return a page of releases; `following` is where the next one begins."""
    return ReleaseList(
        releases=[release_view(release) for release in releases],
        next=None if following is None else str(following),
    )


def brief(release: Release) -> BriefRelease:
    """Return a release in one line."""
    return BriefRelease(
        id=release.id,
        number=release.number,
        commit=release.commit,
        status=release.status,
        reason=release.reason,
    )


def delivery_view(delivery: JSON) -> DeliveryView:
    """Return a stored delivery as lists show it."""
    return DeliveryView(**_delivery_fields(delivery))


def delivery_detail(delivery: JSON) -> DeliveryDetail:
    """Return a stored delivery with its headers."""
    return DeliveryDetail(**_delivery_fields(delivery), headers=headers_of(delivery))


def _delivery_fields(delivery: JSON) -> dict[str, Any]:
    arrival = delivery.get("arrival", {})
    return {
        "id": delivery["id"],
        "host": delivery["host"],
        "event": delivery["event"],
        "kind": delivery["kind"],
        "repository": delivery["repository"],
        "actor": delivery["actor"],
        "verdict": delivery["verdict"],
        "reason": delivery["reason"],
        "releases": delivery["releases"],
        "received_at": moment(delivery["received_at"]),
        "repeats": delivery["repeats"],
        "changes": delivery["changes"],
        "decisions": [DecisionView(**each) for each in delivery["decisions"]],
        "replay_of": delivery.get("replay_of"),
        "sender": arrival.get("sender"),
        "signed_by": arrival.get("signed_by"),
        "sha256": arrival.get("sha256"),
        "size": arrival.get("size"),
    }


def verdict_view(delivery_id: str, verdict: Verdict) -> VerdictView:
    """Return what a delivery came to."""
    return VerdictView(
        delivery=delivery_id,
        verdict=verdict.verdict,
        reason=verdict.reason,
        releases=list(verdict.releases),
    )


def standing_view(facts: JSON | None) -> StandingView | None:
    """Return a freeze, a pin or a hold."""
    if facts is None:
        return None
    return StandingView(
        author=facts.get("author"), reason=facts.get("reason"), until=_until(facts.get("until"))
    )


def workspace_view(standing: Standing, facts: JSON) -> WorkspaceView:
    """Return a workspace of ours with its entry of the ledger."""
    release = standing.release
    return WorkspaceView(
        id=str(standing.workspace),
        release=release.id if release else facts.get("release"),
        number=release.number if release else facts.get("number"),
        project=release.project if release else None,
        lane=release.lane if release else facts.get("lane"),
        commit=release.commit if release else facts.get("commit"),
        state=standing.state,
        why=standing.why,
        since=moment_or_none(standing.since),
        until=moment_or_none(standing.until),
        facts=facts,
    )


def _until(value: object) -> str | None:
    return moment(value) if isinstance(value, int | float) else None


def _step(step: StepRecord) -> StepView:
    return StepView(
        name=step.name,
        status=step.status,
        started_at=moment_or_none(step.started_at),
        finished_at=moment_or_none(step.finished_at),
        attempt=step.attempt,
        detail=step.detail,
    )


def _downtime(downtime: Downtime | None) -> DowntimeView | None:
    if downtime is None:
        return None
    return DowntimeView(
        probes=downtime.probes,
        failed=downtime.failed,
        longest_gap_ms=downtime.longest_gap_ms,
        interval_ms=downtime.interval_ms,
        unobserved_ms=downtime.unobserved_ms,
    )


def _failure(failure: Failure | None) -> FailureView | None:
    if failure is None:
        return None
    return FailureView(cause=failure.cause, step=failure.step, message=failure.message, log=list(failure.log))
