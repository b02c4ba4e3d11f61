"""Targets, and the lanes that lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import BriefRelease, LaneView, LockView, TargetList, TargetView, moment
from bot.api.views import brief, standing_view
from config.projects import ProjectSettings
from workers.flow.admission import lane_of
from workers.releases.model import Release
from workers.releases.status import Status
from workers.wiring import WebServices

PATH: Final = "/api/v1/targets"


def list_targets(call: Call) -> Reply:
    """Give every target with its lanes."""
    return Reply(TargetList(targets=targets_of(call.services)))


def targets_of(services: WebServices) -> list[TargetView]:
    """Return every target that is configured or that ever had a release, by name."""
    projects = {lane_of(project): project for project in services.settings.current.projects.values()}
    known = {view.lane.name for view in services.reading.lanes()}
    by_target: dict[str, list[str]] = {}
    for lane in sorted(known | projects.keys()):
        by_target.setdefault(lane.partition("@")[2], []).append(lane)
    return [
        _target(name, lanes, projects.get(lanes[0]), services) for name, lanes in sorted(by_target.items())
    ]


def why_not_live(newest: Release | None, obstacles: Sequence[str]) -> str | None:
    """Say why the newest release of a lane is not live; `obstacles` are freeze, pin and hold in words."""
    if newest is None or newest.status in (Status.LIVE, Status.REPLACED):
        return None
    if newest.status is Status.QUEUED:
        return "; ".join(obstacles) or newest.blocked_by or f"queued: {newest.reason}"
    if newest.status is Status.WAITING:
        return f"waits for {newest.waiting_for or newest.reason}"
    if newest.status is Status.RUNNING:
        why = newest.blocked_by or newest.waiting_for
        return f"running, at {newest.step}" + (f": {why}" if why else "")
    return f"{newest.status}: {newest.failure.message if newest.failure else newest.reason}"


def _target(
    name: str, lanes: Sequence[str], project: ProjectSettings | None, services: WebServices
) -> TargetView:
    target = project.target if project else None
    views: list[LaneView] = []
    holders: list[Release] = []
    for lane in lanes:
        view, candidates = _lane(lane, services)
        views.append(view)
        holders += candidates
    return TargetView(
        name=name,
        platform=target.platform if target else None,
        team=str(target.team) if target else None,
        configured=target is not None,
        address=target.public_url if target else None,
        lock=_lock(holders, services),
        lanes=views,
    )


def _lane(name: str, services: WebServices) -> tuple[LaneView, list[Release]]:
    """Return the lane, and those of its releases that may hold the target's lock."""
    view = services.reading.lane(name)
    lane = view.lane
    wanted = [release_id for release_id in (lane.live, lane.running, *view.queued) if release_id]
    found = {release.id: release for release in services.reading.releases(wanted)}
    newest = _newest(found.values(), view.project, name, services)
    standing = {"freeze": view.freeze, "pin": lane.pin, "hold": lane.hold}
    obstacles = [f"{word}: {facts.get('reason')}" for word, facts in standing.items() if facts]
    running = found.get(lane.running or "")
    shown = LaneView(
        name=name,
        project=view.project,
        live=_brief(found.get(lane.live or "")),
        running=_brief(running),
        queued=[brief(found[release_id]) for release_id in view.queued if release_id in found],
        parked=list(view.parked),
        barred=list(view.barred),
        freeze=standing_view(view.freeze),
        pin=standing_view(lane.pin),
        hold=standing_view(lane.hold),
        newest=_brief(newest),
        not_live_because=why_not_live(newest, obstacles),
    )
    # The live one holds it while it is rolled back.
    return shown, [each for each in (running, found.get(lane.live or "")) if each is not None]


def _newest(found: Iterable[Release], project: str, lane: str, services: WebServices) -> Release | None:
    page, _ = services.reading.page(project=project, status=None, limit=10, before=None)
    return next((release for release in page if release.lane == lane), next(iter(found), None))


def _lock(candidates: Iterable[Release], services: WebServices) -> LockView | None:
    """Return the holder of the lock that the releases' target has, named as their worker named it."""
    names = dict.fromkeys(each.memory["place"]["key"] for each in candidates if "place" in each.memory)
    facts = next((facts for name in names if (facts := services.reading.lock(name)) is not None), None)
    if facts is None:
        return None
    return LockView(
        release=facts["release"],
        since=moment(facts["since"]),
        age_seconds=round(max(0.0, services.store.now() - facts["since"]), 3),
    )


def _brief(release: Release | None) -> BriefRelease | None:
    return None if release is None else brief(release)


ENDPOINTS = (
    Endpoint(
        "GET", PATH, "Targets, their lanes, and why the newest commit is not live", "targets", "viewer",
        list_targets, answer=TargetList, refusals=(401, 402, 403),
    ),
)  # fmt: skip
