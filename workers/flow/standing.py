"""Whether the commit is still where it was pushed: its Git host is asked once, before anything is made.

It only reads, so whatever dies meanwhile, it is asked again. Where no host can be asked nothing is checked. A
host that does not answer cannot stop releases; one that says no ends the release as `superseded`: the
application did nothing wrong, and what replaced the commit is a push of its own. A commit that only a fork
has is on none of our branches, so it never gets a workspace and the secrets in it.
"""

from __future__ import annotations

from config.projects import ProjectSettings
from workers.errors import PlatformError, TryAgain
from workers.flow.outcomes import End, Note, Outcome, Wait
from workers.flow.ports import GitHost
from workers.flow.steps.base import Step, in_words
from workers.flow.triggers.standing import Standing, at_tag, on_branch
from workers.flow.turn import Turn
from workers.flow.waiting import back_off
from workers.releases.model import Release
from workers.releases.status import Status

PATIENCE_SECONDS = 120.0
"""So long a host that is away holds a release up, and never longer than a part of the step's own time."""
PART_OF_STEP = 4
LOOKS = 3
BETWEEN_LOOKS_SECONDS = 5.0
"""Hosts deliver a push before all of their API has heard of it: only so many noes in a row are one."""

_BRANCH, _TAG = "refs/heads/", "refs/tags/"


def look(turn: Turn, step: Step) -> Outcome | None:
    """Return what follows from the host's word, or None where there is nothing to ask (any more).

    A few calls, no waiting. `memory["standing"]` keeps what came of it: `checked`, `stands` and `reason`.
    """
    host = turn.git_host
    if host is None or "standing" in turn.memory or "place" in turn.memory or not _is_first(turn):
        return None
    seconds = step.timeout(turn.project)
    try:
        found = _asked(turn.release, turn.project, host)
    except TryAgain as error:
        return _away(turn, error, min(PATIENCE_SECONDS, seconds / PART_OF_STEP))
    except PlatformError as error:
        return _unchecked(turn, str(error))
    if found.stands:
        return _known(found, f"{turn.project.host} says that {found.reason}")
    return _gone(turn, found, min(BETWEEN_LOOKS_SECONDS, seconds / PART_OF_STEP / LOOKS))


def _is_first(turn: Turn) -> bool:
    return bool(turn.release.steps) and turn.release.steps[0].name == turn.release.step


def _asked(release: Release, project: ProjectSettings, host: GitHost) -> Standing:
    """Ask about the release's branch or tag; about the default branch, where a person named only a commit."""
    repository, ref, commit = project.repository, release.ref or "", release.commit
    if ref.startswith(_TAG):
        tag = ref.removeprefix(_TAG)
        return at_tag(tag, commit, host.tag_commit(repository, tag))
    if ref.startswith(_BRANCH):
        return _on(ref.removeprefix(_BRANCH), commit, repository, host)
    branch = host.repository(repository).default_branch
    if branch is None:
        return Standing(stands=False, reason=f"{repository} has no default branch yet")
    found = _on(branch, commit, repository, host)
    return found if found.stands else Standing(stands=False, reason=f"{commit[:12]} is not on {branch}")


def _on(branch: str, commit: str, repository: str, host: GitHost) -> Standing:
    head = host.branch_head(repository, branch)
    comparison = None if head is None or head == commit else host.compare(repository, commit, head)
    return on_branch(branch, commit, head, comparison)


def _gone(turn: Turn, found: Standing, between: float) -> Outcome:
    name, vouched = turn.project.host, turn.memory.get("vouched")
    if vouched is not None:
        return _known(found, f"{name} says that {found.reason}; it is released all the same, since {vouched}")
    noes = int(turn.scratch.get("noes", 0)) + 1
    if noes < LOOKS:
        why = f"{name} says that {found.reason}; asking again, since a host may lag behind what it delivers"
        return Wait(why, after=between, scratch={"noes": noes})
    return End(Status.SUPERSEDED, f"{found.reason}, says {name}; nothing was made for it")


def _away(turn: Turn, error: TryAgain, patience: float) -> Outcome:
    left = patience - turn.waited
    if left <= 0 or (error.wait or 0.0) >= left:
        return _unchecked(
            turn, f"{error}, for {in_words(round(turn.waited))}" if turn.waited >= 1 else str(error)
        )
    errors = int(turn.scratch.get("errors", 0)) + 1
    after = min(back_off(errors, error.wait, _chance(turn.release)), left)
    late = f"after {in_words(patience)} the release goes on unchecked"
    why = f"{turn.project.host} does not answer as it should: {error}; {late}"
    return Wait(why, after=after, scratch={"errors": errors})


def _chance(release: Release) -> float:
    """Return a number in [0, 1) that differs from release to release, so that they do not ask in step."""
    return sum(map(ord, release.id)) % 10 / 10


def _known(found: Standing, text: str) -> Note:
    return Note(
        memory={"standing": {"checked": True, "stands": found.stands, "reason": found.reason}}, text=text
    )


def _unchecked(turn: Turn, why: str) -> Note:
    text = f"not checked with {turn.project.host} ({why}): it goes on, since a host must not stop releases"
    return Note(memory={"standing": {"checked": False, "stands": True, "reason": why}}, text=text)
