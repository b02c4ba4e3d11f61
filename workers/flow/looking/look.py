"""One look at one repository: what is missing, and writing it down."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from config.projects import ProjectSettings
from workers.flow.looking.found import Admission, delivery_id
from workers.flow.looking.heads import BRANCH, compare, named_by, patterns_of, taken_by
from workers.flow.looking.places import Place
from workers.flow.looking.resending import LogStore, Resender
from workers.flow.ports import GitHost
from workers.flow.triggers import lost_pushes
from workers.releases.events import DeliveryFacts, Event
from workers.releases.looks import CATCH_UP, Known
from workers.releases.origin import RepositoryFacts

GRACE_SECONDS = 15.0
"""What a sweep finds may be on its way: it is written down when a look so much later still finds it."""
MOST_BRANCHES = 20
"""So many branches of one repository are written down, or asked for by name, in one look at the most."""
_SUSPECT = "suspect:"
_LOG = "log"

log = logging.getLogger(__name__)


class LookStore(LogStore, Protocol):
    """Where looks leave what they found (`workers.store.sweeps.SweepStore`)."""

    def findings(self, name: str) -> dict[str, str]:
        """Return what the last look of this name left."""
        ...

    def keep_findings(self, name: str, findings: Mapping[str, str]) -> None:
        """Leave this for the next look."""
        ...

    def known(self, project: str, refs: Sequence[str]) -> Known:
        """Return what a project knows of these full refs."""
        ...

    def release_of(self, project: str, ref: str, commit: str) -> str | None:
        """Return the release that a commit on a ref made last, or None."""
        ...

    def was_there(self, project: str, ref: str, commit: str) -> bool:
        """Tell whether the ref may have stood at the commit before."""
        ...

    def looked(
        self,
        project: str,
        *,
        repository: str,
        patterns: str,
        note: Mapping[str, str],
        forget: Sequence[str] = (),
    ) -> None:
        """Write down with what a project was looked after, and heads to take as they are."""
        ...


class Look:
    """One look at one place."""

    def __init__(
        self,
        store: LookStore,
        admission: Admission,
        resender: Resender,
        host: GitHost,
        place: Place,
        now: float,
    ) -> None:
        self._store = store
        self._admission = admission
        self._resender = resender
        self._host = host
        self._place = place
        self._now = now
        self._facts: RepositoryFacts | None = None

    def run(self, public_url: str | None) -> float:
        """Look, and return in how many seconds to look again."""
        place = self._place
        before = self._store.findings(place.name)
        left: dict[str, str] = {}
        if place.found_by == CATCH_UP:
            left[_LOG] = self._resender.send_again(self._host, place, public_url, before.get(_LOG), self._now)
        missing = self._missing()
        for branch, head in missing.items():
            suspicion = before.get(_SUSPECT + branch, "")
            if not suspicion.startswith(f"{head} "):
                suspicion = f"{head} {self._now:.3f}"
            left[_SUSPECT + branch] = suspicion
        # Before anything is written down: what dies in between is found again, with the same id.
        self._store.keep_findings(place.name, left)
        ripe = [branch for branch, head in missing.items() if self._is_ripe(branch, head, left)]
        for branch in ripe[:MOST_BRANCHES]:
            self._write_down(branch)
        if len(ripe) == len(missing) and len(ripe) <= MOST_BRANCHES:
            return place.every
        return min(GRACE_SECONDS, place.every)

    def _missing(self) -> dict[str, str]:
        """Return the branches that some project misses, with their heads; notes what is taken as it is."""
        place = self._place
        listed = self._host.branch_heads(place.repository)
        heads = dict(listed.heads)
        if not listed.complete:
            for branch in sorted(named_by(place.projects) - heads.keys())[:MOST_BRANCHES]:
                head = self._host.branch_head(place.repository, branch)
                if head is not None:
                    heads[branch] = head
        missing: dict[str, str] = {}
        for project in place.projects:
            taken = taken_by(project, heads)
            known = self._store.known(project.name, [BRANCH + branch for branch in taken])
            patterns = patterns_of(project)
            found = compare(
                taken,
                known,
                repository=place.spot,
                patterns=patterns,
                all_heads=heads if listed.complete else None,
            )
            missing |= found.missing
            if known.repository != place.spot:
                log.info(
                    "first look at %s for project %s: %d branches are taken as they are",
                    place.repository,
                    project.name,
                    len(found.note),
                )
            if (known.repository, known.patterns) != (place.spot, patterns) or found.note or found.gone:
                self._store.looked(
                    project.name,
                    repository=place.spot,
                    patterns=patterns,
                    note=found.note,
                    forget=found.gone,
                )
        return missing

    def _is_ripe(self, branch: str, head: str, left: Mapping[str, str]) -> bool:
        """Tell whether what is missing should be written down by this look.

        A poll does not wait, as it may be all that there is, but for a head that was there before: then the
        host's list may merely be old.
        """
        since = float(left[_SUSPECT + branch].partition(" ")[2])
        if self._now - since >= min(GRACE_SECONDS, self._place.every):
            return True
        return self._place.found_by != CATCH_UP and not any(
            self._store.was_there(project.name, BRANCH + branch, head) for project in self._place.projects
        )

    def _write_down(self, branch: str) -> None:
        """Ask for the head once more, after reading what was accepted, and have the rules decide."""
        ref = BRANCH + branch
        known = {project.name: self._store.known(project.name, [ref]) for project in self._place.projects}
        head = self._host.branch_head(self._place.repository, branch)
        if head is None:
            return
        missing: dict[str | None, list[ProjectSettings]] = {}
        for project in self._place.projects:
            if taken_by(project, {branch: head}) and not known[project.name].is_told(ref, head):
                missing.setdefault(_before(known[project.name], ref), []).append(project)
        for before, projects in missing.items():
            self._admit(branch, head, before, projects, known)

    def _admit(
        self,
        branch: str,
        head: str,
        before: str | None,
        projects: Sequence[ProjectSettings],
        known: Mapping[str, Known],
    ) -> None:
        place, ref = self._place, BRANCH + branch
        event = self._event(branch, head, before)
        if event is None:
            return
        # A branch may go the same way twice; the release it stood at tells the two ways apart.
        names = [project.name for project in projects]
        made = [self._store.release_of(name, ref, before) or "" for name in names] if before else []
        delivery = delivery_id(
            place.found_by, place.host, place.repository.casefold(), ref, before or "", head, *names, *made
        )
        stood = {(name, ref): known[name].accepted.get(ref, "") for name in names}
        facts = DeliveryFacts(place.host, delivery, place.found_by)
        verdict = self._admission.admit(facts, event, projects, stood=stood, host=self._host)
        log.info(
            "%s of %s at %s: %s was moved from %s to %s, and nothing had told so: %s (%s)",
            place.found_by,
            place.repository,
            place.host,
            branch,
            (before or "nothing known")[:13],
            head[:12],
            verdict.verdict,
            verdict.reason,
        )

    def _event(self, branch: str, head: str, before: str | None) -> Event | None:
        place = self._place
        seen = {} if before is None else {branch: before}
        event = lost_pushes(place.repository, {branch: head}, seen, place.found_by)
        if event is None:
            return None
        if self._facts is None:
            self._facts = self._host.repository(place.repository)
        # The rules want to know what a push would have said.
        message = self._host.message(place.repository, head)
        change = replace(event.changes[0], message=message, pushed_at=self._now)
        return replace(
            event,
            changes=(change,),
            repository_id=self._facts.id,
            default_branch=self._facts.default_branch,
            clone_url=self._facts.clone_url,
        )


def _before(known: Known, ref: str) -> str | None:
    """Return what the head is compared with: what was released, else what was taken as it was."""
    return known.accepted.get(ref) or known.kept_back.get(ref)
