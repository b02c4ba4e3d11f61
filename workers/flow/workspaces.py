"""The workspaces that Switchover made, for people: why each still stands, and letting one go early."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from config.projects import ProjectSettings
from workers.errors import NotAllowed, NotFound
from workers.flow.reconcile import MOST_HANDED_OVER, Finding, Kind, Review, review_from
from workers.releases.model import JSON, Lane, Release
from workers.releases.status import Status

State = Literal["in work", "live", "parked", "kept", "retiring", "named", "leftover", "unknown", "gone"]
"""What a workspace is there for; `named`: only because a domain leads to it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A workspace and why it stands. Times are seconds by the store's clock."""

    workspace: int
    release: Release | None
    state: State
    why: str
    since: float | None = None
    until: float | None = None


class LaneView(Protocol):
    """A lane with what stands around it."""

    @property
    def lane(self) -> Lane:
        """Return the lane."""
        ...


class Looking(Protocol):
    """The part of the store that reads (`workers.store.reading.Reading`)."""

    def ledger(self) -> Mapping[str, JSON]:
        """Return every workspace that we made and that still stands, by its id."""
        ...

    def review(self) -> JSON | None:
        """Return what the last reconciliation found."""
        ...

    def releases(self, ids: Sequence[str]) -> Sequence[Release]:
        """Return those of the releases that exist."""
        ...

    def lane(self, name: str) -> LaneView:
        """Return one lane."""
        ...


class Acting(Protocol):
    """The part of the store that takes requests (`workers.store.releases.ReleaseStore`)."""

    def settings(self, digest: str) -> JSON:
        """Return the project settings that a release began with."""
        ...

    def retire(self, release_id: str, by: str) -> None:
        """Ask for an ended release's workspace to go now."""
        ...

    def recheck(self, release_id: str) -> None:
        """Have an ended release's clean-up look again."""
        ...


class Workspaces:
    """Raises `NotFound`, `NotAllowed` (with the reason), `StoreAway`. Asks the store only, no platform."""

    def __init__(self, looking: Looking, acting: Acting) -> None:
        self._looking = looking
        self._acting = acting

    def standing(self) -> list[Standing]:
        """Return the ledger and what the last reconciliation found beside it, by id."""
        ledger = {int(name): str(facts["release"]) for name, facts in self._looking.ledger().items()}
        review = self._review()
        found = {finding.workspace: finding for finding in review.findings}
        owners = self._owners({**{name: each.release for name, each in found.items()}, **ledger})
        lanes = {owner.lane: self._looking.lane(owner.lane).lane for owner in owners.values() if owner}
        extra = {name for name, each in found.items() if each.kind in (Kind.RETIRE, Kind.REPORT)}
        return [
            why_it_stands(workspace, owners[workspace], lanes, self._project, found.get(workspace), review.at)
            for workspace in sorted(ledger.keys() | extra)
        ]

    def retire(self, workspace: str, *, by: str) -> None:
        """Let a workspace go before its time; the engine deletes it once no domain names it."""
        found = next((each for each in self.standing() if str(each.workspace) == workspace), None)
        if found is None:
            raise NotFound(f"Switchover has no workspace {workspace}; `workspaces list` names those it has")
        if found.release is None or found.state in ("named", "unknown", "gone"):
            raise NotAllowed(f"workspace {workspace} stays: {found.why}")
        if found.state == "leftover":
            self._acting.recheck(found.release.id)
            return
        try:
            self._acting.retire(found.release.id, by)
        except NotAllowed as error:
            raise NotAllowed(f"workspace {workspace} stays: {error}") from None

    def _review(self) -> Review:
        document = self._looking.review()
        return Review(0.0, ()) if document is None else review_from(document)

    def _owners(self, wanted: Mapping[int, str | None]) -> dict[int, Release | None]:
        """Return the release that answers for each workspace: the last that took it over."""
        by_id: dict[str, Release] = {}
        unread = {release_id for release_id in wanted.values() if release_id}
        for _ in range(MOST_HANDED_OVER):
            by_id |= {release.id: release for release in self._looking.releases(sorted(unread))}
            unread = {each.handed_over for each in by_id.values() if each.handed_over} - by_id.keys()
            if not unread:
                break
        return {workspace: _last(by_id, release_id) for workspace, release_id in wanted.items()}

    def _project(self, release: Release) -> ProjectSettings:
        return ProjectSettings.from_snapshot(self._acting.settings(release.config))


def why_it_stands(
    workspace: int,
    owner: Release | None,
    lanes: Mapping[str, Lane],
    project: Callable[[Release], ProjectSettings],
    finding: Finding | None,
    reviewed_at: float,
) -> Standing:
    """Return why a workspace stands, from what the store has and what was last seen of it."""
    if owner is None or (finding is not None and finding.kind is Kind.DROP):
        why = finding.why if finding is not None else "its release is not known any more"
        return Standing(workspace, owner, "gone" if owner is not None else "unknown", why)
    if owner.unfinished and owner.workspace_id == workspace:
        return Standing(workspace, owner, "in work", f"the release is {owner.status}", owner.started_at)
    if owner.status is Status.LIVE and owner.workspace_id == workspace:
        return Standing(workspace, owner, "live", "the release is live", owner.finished_at)
    since = _free_since(owner, lanes[owner.lane])
    named = _named(workspace, owner, finding, since, reviewed_at)
    if named is not None:
        return Standing(workspace, owner, "named", named, since)
    if owner.workspace_id != workspace:
        why = finding.why if finding is not None else "its release has another workspace"
        return Standing(workspace, owner, "leftover", why)
    return _after_the_end(workspace, owner, lanes[owner.lane], project, since)


def _after_the_end(
    workspace: int,
    owner: Release,
    lane: Lane,
    project: Callable[[Release], ProjectSettings],
    since: float | None,
) -> Standing:
    if owner.retire_asked is not None:
        return Standing(workspace, owner, "retiring", f"it goes: asked by {owner.retire_asked}", since)
    words = owner.cleanup or "its clean-up has not begun yet"
    begun = since or owner.created_at
    if any(release_id == owner.id for release_id, _ in lane.parked):
        until = begun + project(owner).park.duration
        return Standing(workspace, owner, "parked", "it stands by for a rollback", since, until)
    if owner.status is Status.FAILED and words.startswith("kept"):
        until = begun + project(owner).workspace.keep_failed
        return Standing(workspace, owner, "kept", words, since, until)
    if words == "gone" or words.startswith("left"):
        return Standing(workspace, owner, "leftover", words, since)
    return Standing(workspace, owner, "retiring", words, since)


def _free_since(owner: Release, lane: Lane) -> float | None:
    """Return since when nobody needs the release's workspace for production."""
    return dict(lane.parked).get(owner.id, owner.finished_at)


def _named(
    workspace: int, owner: Release, finding: Finding | None, since: float | None, reviewed_at: float
) -> str | None:
    """Return which domain names the workspace, as far as it was seen since nobody needs it any more."""
    if (owner.cleanup or "").startswith(f"workspace {workspace} stands because"):
        return owner.cleanup
    if finding is not None and finding.named is not None and reviewed_at > (since or 0.0):
        return f"{finding.named} names it: disconnect it there first"
    return None


def _last(by_id: Mapping[str, Release], release_id: str | None) -> Release | None:
    release = by_id.get(release_id or "")
    for _ in range(MOST_HANDED_OVER):
        if release is None or release.handed_over is None:
            return release
        release = by_id.get(release.handed_over)
    return None
