"""The ledger against the platforms: what stands with our mark, and whether it should.

Deciding is pure (`judge`). Nothing here deletes: a workspace that nobody needs is given back to the engine,
whose clean-up finds it by its mark and makes sure once more that no domain names it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Protocol

from config.projects import ProjectSettings
from workers.errors import Gone, NotAllowed, NotFound, PlatformError
from workers.flow.connections import Routes, named_in
from workers.flow.ports import Platform
from workers.releases.identity import MARK, is_ours
from workers.releases.model import JSON, Release
from workers.releases.places import Workspace
from workers.releases.status import Status

MOST_HANDED_OVER = 20
"""A workspace passes from retry to retry so often at the most before we stop following it."""
BY = "the reconciliation: the workspace is gone"

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What follows for a workspace."""

    NEEDED = "needed"
    ADOPT = "adopt"  # its release will find it by itself
    RETIRE = "retire"  # the engine is told to clean up after its release again
    REPORT = "report"  # a person has to look
    DROP = "drop"  # it is on the ledger, and gone


@dataclass(frozen=True, slots=True)
class Finding:
    """One workspace, what follows for it, and why.

    `release` is the one that answers for it (for a drop: whose clean-up still waits for it), `named` the
    `domain/path` that leads to it, `entry` the release that the ledger has it under.
    """

    kind: Kind
    workspace: int
    why: str
    name: str | None = None
    release: str | None = None
    named: str | None = None
    entry: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows: releases by id, and which of them are looked at again by themselves."""

    releases: Mapping[str, Release]
    due: Collection[str] = frozenset()

    def owner(self, release_id: str) -> Release | None:
        """Return the release that answers for a workspace: the last that took it over, or None."""
        release = self.releases.get(release_id)
        for _ in range(MOST_HANDED_OVER):
            if release is None or release.handed_over is None:
                return release
            release = self.releases.get(release.handed_over)
        return None

    def unsettled(self, workspace_id: int) -> Release | None:
        """Return a release whose call may still connect a domain to the workspace, or None."""
        return next(
            (release for release in self.releases.values() if workspace_id in _at_stake(release)), None
        )


def judge(
    workspaces: Iterable[Workspace],
    domains: Sequence[tuple[str, Routes]],
    ledger: Mapping[int, str],
    known: Known,
) -> list[Finding]:
    """Return what follows for each workspace of a team that carries our mark or stands on the ledger.

    `ledger` maps workspaces to the releases that made them. What is not ours yields nothing at all.
    """
    standing = list(workspaces)
    listed = {workspace.id for workspace in standing}
    found = [
        _judged(workspace, named_in(workspace.id, domains), known)
        for workspace in standing
        if is_ours(workspace.mark)
    ]
    missing = [
        _missing(workspace_id, release_id, known)
        for workspace_id, release_id in ledger.items()
        if workspace_id not in listed
    ]
    return found + missing


def _judged(workspace: Workspace, named: str | None, known: Known) -> Finding:
    release_id = (workspace.mark or "").removeprefix(MARK)
    owner = known.owner(release_id)

    def finding(kind: Kind, why: str) -> Finding:
        owner_id = release_id if owner is None else owner.id
        return Finding(kind, workspace.id, why, workspace.name, owner_id, named)

    if owner is None:
        return finding(
            Kind.REPORT,
            f"its mark names release {release_id}, which this store does not know (another Switchover's, or "
            "forgotten): delete it on the platform if nobody needs it",
        )
    label = f"release #{owner.number} of {owner.project}"
    if owner.unfinished:
        return finding(*_of_unfinished(workspace, owner, label))
    if owner.workspace_id == workspace.id and owner.status is Status.LIVE:
        return finding(Kind.NEEDED, f"{label} is live")
    if owner.workspace_id == workspace.id and owner.id in known.due:
        return finding(Kind.NEEDED, f"{label} {owner.status}: {owner.cleanup or 'cleaning up'}")
    if named is not None:
        return finding(Kind.REPORT, f"{label} does not need it, but {named} names it: disconnect it there")
    unsettled = known.unsettled(workspace.id)
    if unsettled is not None:
        return finding(Kind.REPORT, f"a call of release #{unsettled.number} that names it is not settled yet")
    if (owner.cleanup or "").startswith("left"):
        return finding(Kind.REPORT, f"{label} {owner.cleanup}: delete it on the platform")
    return finding(Kind.RETIRE, f"{label} has ended ({owner.status}) and does not need it")


def _of_unfinished(workspace: Workspace, owner: Release, label: str) -> tuple[Kind, str]:
    if owner.workspace_id == workspace.id:
        return Kind.NEEDED, f"{label} is {owner.status}"
    if owner.workspace_id is None:
        return Kind.ADOPT, f"{label} is {owner.status} and finds it by itself"
    return Kind.REPORT, f"a second workspace of {label}: it goes once that has ended"


def _missing(workspace_id: int, release_id: str, known: Known) -> Finding:
    owner = known.owner(release_id)
    if owner is None:
        return Finding(Kind.DROP, workspace_id, "gone, and so is its release", entry=release_id)
    label = f"release #{owner.number} of {owner.project}"
    its_own = owner.workspace_id == workspace_id
    if its_own and (owner.unfinished or owner.status is Status.LIVE):
        why = f"{label} is {owner.status}, and the platform does not list its workspace: release again"
        return Finding(Kind.REPORT, workspace_id, why, release=owner.id, entry=release_id)
    waits = owner.id if its_own and owner.id in known.due else None
    return Finding(
        Kind.DROP, workspace_id, f"gone; {label} is {owner.status}", release=waits, entry=release_id
    )


def _at_stake(release: Release) -> set[int]:
    """Return the workspaces that an open call of a release names."""
    data = release.intent.data if release.intent is not None else {}
    maps = [data[name] for name in ("from", "to") if isinstance(data.get(name), Mapping)]
    return {workspace_id for routes in maps for ids in routes.values() for workspace_id in ids}


@dataclass(frozen=True, slots=True)
class Review:
    """What one look at all teams found. `faults` name the teams that could not be looked at."""

    at: float
    findings: tuple[Finding, ...]
    faults: tuple[str, ...] = ()

    def as_json(self) -> JSON:
        """Return it for the store."""
        found = [asdict(finding) for finding in self.findings]
        return {"at": self.at, "findings": found, "faults": list(self.faults)}


def review_from(document: JSON) -> Review:
    """Return the review that the store has."""
    findings = tuple(Finding(**each | {"kind": Kind(each["kind"])}) for each in document["findings"])
    return Review(document["at"], findings, tuple(document["faults"]))


class Looking(Protocol):
    """The part of the store that reads (`workers.store.reading.Reading`)."""

    def ledger(self) -> Mapping[str, JSON]:
        """Return every workspace that we made and that still stands, by its id."""
        ...

    def releases(self, ids: Sequence[str]) -> Sequence[Release]:
        """Return those of the releases that exist."""
        ...

    def busy(self) -> Sequence[str]:
        """Return the running and the live release of every lane."""
        ...

    def due(self, ids: Sequence[str]) -> set[str]:
        """Return those of the releases that will be looked at again by themselves."""
        ...


class Acting(Protocol):
    """The part of the store that takes requests (`workers.store.releases.ReleaseStore`)."""

    def now(self) -> float:
        """Return the store's time in seconds."""
        ...

    def recheck(self, release_id: str) -> None:
        """Have an ended release's clean-up look again."""
        ...

    def retire(self, release_id: str, by: str) -> None:
        """Ask for an ended release's workspace to go now."""
        ...

    def strike(self, workspace_id: int, release_id: str) -> bool:
        """Take a workspace off the ledger, if it stands there for this release."""
        ...

    def note_review(self, review: JSON) -> None:
        """Keep what was found."""
        ...


class Reconciler:
    """Looks at every configured target's team once, decides, and has the engine act.

    `platforms` and `projects` are asked each time, so that a re-read configuration counts at once.
    """

    def __init__(
        self,
        *,
        looking: Looking,
        acting: Acting,
        platforms: Callable[[str], Platform | None],
        projects: Callable[[], Mapping[str, ProjectSettings]],
    ) -> None:
        self._looking = looking
        self._acting = acting
        self._platforms = platforms
        self._projects = projects
        self._told: frozenset[Finding] = frozenset()

    def look(self) -> Review:
        """Read and judge; changes nothing. Raises `StoreAway`; a platform that is away is a fault in it."""
        at = self._acting.now()
        # The ledger before the platform: what is made in between is on neither, and not on one alone.
        ledger = {
            int(workspace): str(facts["release"]) for workspace, facts in self._looking.ledger().items()
        }
        findings: dict[tuple[str, int], Finding] = {}
        faults: list[str] = []
        for (name, team), projects in self._teams(faults).items():
            platform = self._platforms(name)
            if platform is None:
                continue
            try:
                found = self._look_at(platform, team, projects, ledger)
            except PlatformError as error:
                faults.append(f"team {team} of {name} was not looked at: {error}")
                continue
            for finding in found:
                # Of two teams the one that lists a workspace knows more than the one that misses it.
                if finding.name is not None or (name, finding.workspace) not in findings:
                    findings[name, finding.workspace] = finding
        return Review(at, tuple(findings[place] for place in sorted(findings)), tuple(faults))

    def run(self) -> Review:
        """Look, have the engine act, and keep what was found."""
        review = self.look()
        for finding in review.findings:
            try:
                self._act(finding)
            except (NotAllowed, NotFound) as error:  # it changed meanwhile: the next look decides anew
                log.debug("workspace %d stays as it is: %s", finding.workspace, error)
        self._tell(review)
        self._acting.note_review(review.as_json())
        return review

    def _teams(self, faults: list[str]) -> dict[tuple[str, int], set[str]]:
        """Return the projects of each platform's team."""
        teams: dict[tuple[str, int], set[str]] = {}
        for project in self._projects().values():
            name, team = project.target.platform, project.target.team
            platform = self._platforms(name)
            if platform is None:
                continue
            try:
                teams.setdefault((name, platform.team_id(team)), set()).add(project.name)
            except PlatformError as error:
                faults.append(f"team {team} of {name} was not looked at: {error}")
        return teams

    def _look_at(
        self, platform: Platform, team: int, projects: Collection[str], ledger: Mapping[int, str]
    ) -> list[Finding]:
        workspaces = platform.workspaces(team)
        domains = [(domain.name, domain.connections) for domain in platform.domains(team)]
        marked = {(each.mark or "").removeprefix(MARK) for each in workspaces if is_ours(each.mark)}
        known = self._known({*marked, *ledger.values(), *self._looking.busy()})
        mine = {
            workspace: release
            for workspace, release in ledger.items()
            if _stood_in(known.owner(release), team, projects)
        }
        return [_proven(finding, platform) for finding in judge(workspaces, domains, mine, known)]

    def _known(self, ids: Iterable[str]) -> Known:
        """Read releases, and those that took their workspaces over."""
        releases: dict[str, Release] = {}
        wanted = sorted(set(ids))
        for _ in range(MOST_HANDED_OVER):
            releases |= {release.id: release for release in self._looking.releases(wanted)}
            taken_by = {release.handed_over for release in releases.values() if release.handed_over}
            wanted = sorted(taken_by - releases.keys())
            if not wanted:
                break
        return Known(releases, self._looking.due(list(releases)))

    def _act(self, finding: Finding) -> None:
        if finding.kind is Kind.RETIRE and finding.release is not None:
            self._acting.recheck(finding.release)
        if finding.kind is Kind.DROP and finding.entry is not None:
            self._acting.strike(finding.workspace, finding.entry)
            if finding.release is not None:  # whoever stands by for it must not go on doing so
                self._acting.retire(finding.release, BY)

    def _tell(self, review: Review) -> None:
        """Log what a person may want to know, once for as long as it stands."""
        told = frozenset(each for each in review.findings if each.kind not in (Kind.NEEDED, Kind.ADOPT))
        for finding in sorted(told - self._told, key=lambda each: each.workspace):
            log.warning("%s workspace %d: %s", finding.kind, finding.workspace, finding.why)
        for fault in review.faults:
            log.warning("%s", fault)
        self._told = told


def _stood_in(owner: Release | None, team: int, projects: Collection[str]) -> bool:
    """Tell whether a release's workspace should be in this team's list; one that nobody knows may be."""
    if owner is None:
        return True
    place = owner.memory.get("place") or owner.memory.get("kept_place")
    return owner.project in projects and place is not None and place["team_id"] == team


def _proven(finding: Finding, platform: Platform) -> Finding:
    """Ask for what the list leaves out: a list may lag, and what stands is never struck off."""
    if finding.kind is not Kind.DROP:
        return finding
    try:
        platform.workspace(finding.workspace)
    except Gone:
        return finding
    return replace(finding, kind=Kind.REPORT, why="the platform does not list it, but has it")
