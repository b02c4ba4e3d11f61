"""What people ask for: start, retry, cancel, roll back, freeze. Each is one write to the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from config.projects import ProjectSettings
from workers.errors import NotAllowed, NotFound
from workers.flow.admission import candidate_json, git_url_of, lane_of, new_release
from workers.flow.git_addresses import no_address
from workers.releases.codec import state_of
from workers.releases.identity import mark_of
from workers.releases.model import JSON, Cause, Release, Trigger
from workers.releases.status import Status

STAGGER_SECONDS = 0.5
"""So much later than the one before begins each of many retries."""

RESUMED_AT: Mapping[str, str] = {
    "test": "test",
    "run": "run",
    "verify": "verify",
    "checks": "verify",
    "approval": "verify",
    "switch": "verify",
}
"""Where a retry goes on that took a workspace over, by the step that failed."""


class Moving(Protocol):
    """The part of the store that takes requests (`workers.store.releases.ReleaseStore`)."""

    def start(
        self, candidate: JSON, *, retry_of: str | None, force: bool, idempotency: str | None
    ) -> tuple[str, bool]:
        """Queue a release; returns its id and whether it was made just now."""
        ...

    def stop(self, release_id: str, by: str, reason: str | None) -> None:
        """Ask a release to end."""
        ...

    def operate(self, release_id: str, request: JSON) -> None:
        """Ask for a rollback."""
        ...


class Looking(Protocol):
    """The part of the store that reads (`workers.store.reading.Reading`)."""

    def release(self, release_id: str) -> Release:
        """Return one release, or raise `NotFound`."""
        ...

    def failed(self) -> Sequence[Release]:
        """Return the failed queue, newest first."""
        ...

    def last_commit(self, project: str, ref: str) -> str | None:
        """Return the commit that was last accepted on a ref, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A release that somebody asked for, and whether it was made just now (or joined)."""

    release: Release
    made: bool


class Operations:
    """Carries out what people ask for. Raises `NotFound`, `NotAllowed` (with the reason), `StoreAway`.

    `projects` is asked each time, so that a re-read configuration counts at once; it returns the projects
    by name, `drivers` the driver of each host, and `api_urls` where own installations have their API.
    """

    def __init__(
        self,
        moving: Moving,
        looking: Looking,
        projects: Callable[[], Mapping[str, ProjectSettings]],
        drivers: Callable[[], Mapping[str, str]],
        api_urls: Callable[[], Mapping[str, str | None]] = dict,
    ) -> None:
        self._moving = moving
        self._looking = looking
        self._projects = projects
        self._drivers = drivers
        self._api_urls = api_urls

    def project(self, name: str) -> ProjectSettings:
        """Return a configured project, or raise `NotFound` naming those that are."""
        projects = self._projects()
        if name not in projects:
            known = ", ".join(sorted(projects)) or "none"
            raise NotFound(f"there is no project {name}; configured are: {known}")
        return projects[name]

    def start(
        self,
        project_name: str,
        *,
        actor: str,
        commit: str | None = None,
        branch: str | None = None,
        reason: str | None = None,
        idempotency: str | None = None,
    ) -> Asked:
        """Release a commit; without one, the last that was pushed to `branch` (default: main)."""
        project = self.project(project_name)
        ref = f"refs/heads/{branch}" if branch else None
        commit_named = commit is not None
        if commit is None:
            ref = ref or "refs/heads/main"
            commit = self._looking.last_commit(project_name, ref)
            if commit is None:
                raise NotAllowed(f"nothing was pushed to {ref} of {project_name} yet; name a commit")
        release = new_release(
            project,
            commit=commit.lower(),
            ref=ref,
            git_url=self._git_url(project),
            trigger=Trigger("manual", actor=actor),
            reason=reason or f"started by {actor}",
            by_person=True,
        )
        if commit_named:
            release = replace(release, memory={"vouched": f"{actor} named the commit"})
        return self._queue(release, project, retry_of=None, force=True, idempotency=idempotency)

    def retry(
        self,
        release_id: str,
        *,
        actor: str,
        force: bool = False,
        idempotency: str | None = None,
        **more: bool | int,
    ) -> Asked:
        """Release a failed, cancelled, superseded or rolled-back release's commit again, as a new one.

        Who named the commit for the old one, or forces the retry, answers for a commit that is on no branch.

        `sweep` (true) leaves the lane's older failed releases `superseded`; `delay` is in milliseconds.
        """
        old = self._looking.release(release_id)
        if old.unfinished:
            raise NotAllowed(f"release #{old.number} is {old.status}; a retry needs one that ended")
        if old.status in (Status.LIVE, Status.REPLACED):
            raise NotAllowed(f"release #{old.number} is {old.status}; start a new release instead")
        project = self.project(old.project)
        release = new_release(
            project,
            commit=old.commit,
            ref=old.ref,
            git_url=old.git_url or self._git_url(project),
            trigger=Trigger("retry", old.trigger.host, old.trigger.event, old.trigger.delivery, actor),
            reason=f"retry of #{old.number} by {actor}",
            by_person=True,
            retry_of=old.id,
        )
        if release.lane != old.lane:
            raise NotAllowed(
                f"project {old.project} releases to {lane_of(project)} now, not {old.lane}; start anew"
            )
        vouched = f"{actor} forced the retry" if force else old.memory.get("vouched")
        if vouched is not None:
            release = replace(release, memory={"vouched": vouched})
        resumed = resume(release, old)
        takeover = {"takeover": state_of(resumed)} if resumed is not None else {}
        return self._queue(
            release, project, retry_of=old.id, force=force, idempotency=idempotency, **takeover, **more
        )

    def retry_all(
        self, *, actor: str, project: str | None = None, cause: Cause | None = None
    ) -> list[Release]:
        """Retry the newest failed release of each lane; the others leave the queue with it."""
        newest: dict[str, Release] = {}
        for release in self._looking.failed():
            mine = project is None or release.project == project
            fits = cause is None or (release.failure is not None and release.failure.cause is cause)
            if (
                mine
                and fits
                and release.order > (newest[release.lane].order if release.lane in newest else 0)
            ):
                newest[release.lane] = release
        retried: list[Release] = []
        for release in newest.values():
            try:
                retried.append(self._retry(release, actor, len(retried)))
            except (NotAllowed, NotFound):
                continue  # something newer is live or on its way: nothing to retry in this lane
        return retried

    def _retry(self, release: Release, actor: str, number: int) -> Release:
        """Retry one of many: a little later than the one before, so that no outage ends in a stampede."""
        delay = int(number * STAGGER_SECONDS * 1000)
        return self.retry(release.id, actor=actor, sweep=True, delay=delay).release

    def cancel(self, release_id: str, *, actor: str, reason: str | None = None) -> Release:
        """Ask a release to end; one that is queued has ended when this returns."""
        self._moving.stop(release_id, actor, reason)
        return self._looking.release(release_id)

    def rollback(
        self,
        release_id: str,
        *,
        actor: str,
        to: str | None = None,
        reason: str | None = None,
        pin: bool = True,
        force: bool = False,
    ) -> Release:
        """Take a live release back to the connections before it, or to the parked release `to`."""
        release = self._looking.release(release_id)
        if release.status is not Status.LIVE:
            raise NotAllowed(
                f"release #{release.number} is {release.status}; only a live one can be taken back"
            )
        if to is None and not release.memory.get("former"):
            raise NotAllowed(f"nothing stood on the paths of release #{release.number} before it")
        revive = self._former_of(release) if to is None else self._parked(release, to)
        request: JSON = {"kind": "rollback", "by": actor, "reason": reason, "pin": pin, "force": force}
        if revive is not None:
            request["revive"] = revive.id
        if to is not None and revive is not None:
            request["to_workspace"] = revive.workspace_id
        self._moving.operate(release_id, request)
        return self._looking.release(release_id)

    def _former_of(self, release: Release) -> Release | None:
        """Return our own release that stood there before, or None where it was somebody else's."""
        if release.previous is None:
            return None
        previous = self._looking.release(release.previous)
        former = release.memory.get("former", {})
        ours = all(ids == [previous.workspace_id] for ids in former.values())
        if ours and previous.cleanup == "gone":
            raise NotAllowed(f"the workspace of release #{previous.number} is not parked any more")
        return previous if ours and previous.status is Status.REPLACED else None

    def _parked(self, release: Release, to: str) -> Release:
        other = self._looking.release(to)
        if other.lane != release.lane:
            raise NotAllowed(f"release #{other.number} belongs to {other.lane}, not to {release.lane}")
        if other.status is not Status.REPLACED or other.workspace_id is None or other.cleanup == "gone":
            raise NotAllowed(f"the workspace of release #{other.number} is not parked any more")
        return other

    def _git_url(self, project: ProjectSettings) -> str:
        driver, api_url = self._drivers().get(project.host, ""), self._api_urls().get(project.host)
        found = git_url_of(project, driver, None, api_url)
        if not found:
            raise NotAllowed(f"nothing says where {project.repository} is cloned from; {no_address(project)}")
        return found

    def _queue(
        self,
        release: Release,
        project: ProjectSettings,
        *,
        retry_of: str | None,
        force: bool,
        idempotency: str | None,
        **more: Any,
    ) -> Asked:
        release_id, made = self._moving.start(
            candidate_json(release, project, **more), retry_of=retry_of, force=force, idempotency=idempotency
        )
        return Asked(self._looking.release(release_id), made)


def resume(release: Release, old: Release) -> Release | None:
    """Return the retry as it begins with the failed release's kept workspace, or None to start afresh.

    Safe only where prepare had succeeded under the same settings and nothing was switched. The create step
    still checks target, HEAD and pipeline file, and verify asks for health anew.
    """
    kept = old.cleanup is not None and old.cleanup.startswith("kept") and "workspace" in old.memory
    if not kept or old.status is not Status.FAILED or old.past_switch or release.config != old.config:
        return None
    if old.step is None or old.step not in RESUMED_AT:
        return None
    memory: JSON = {
        **release.memory,
        "workspace": old.memory["workspace"],
        "mark": old.memory.get("mark") or mark_of(old.id),
        "kept_place": old.memory["place"],
        "resume_at": RESUMED_AT[old.step],
        "resumed_from": old.number,
    }
    return replace(release, memory=memory, workspace_id=old.workspace_id)
