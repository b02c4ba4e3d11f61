"""What an event asks of each project, and why: pure decisions, before the store is asked.

What only the store knows (duplicates, newer commits, freezes) is decided at admission.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from config.triggers import ManualTrigger, PushTrigger
from workers.releases.events import Change, Event, RefType

Verdict = Literal["release", "ignore"]
MovedBack = Literal["release", "ignore"]

_SUBJECT = 200
_QUIET = {
    "ping": "a ping only asks whether somebody listens",
    "other": "no rule uses this kind of event",
}


class ProjectRules(Protocol):
    """What of a project's settings the decision needs; `config.projects.ProjectSettings` has it."""

    @property
    def name(self) -> str:
        """The project's name."""
        ...

    @property
    def repository(self) -> str:
        """The full name of the repository that the project follows."""
        ...

    @property
    def triggers(self) -> Sequence[PushTrigger | ManualTrigger]:
        """What makes the project release by itself; the first that takes a ref decides."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit that a project's rules want released.

    `host_time` is when the host took the push (seconds since 1970), None where it does not say.
    `moved_back` tells what to do when the push moved the ref back to a commit released before.
    """

    project: str
    ref: str
    commit: str
    before: str | None
    forced: bool | None
    host_time: float | None
    actor: str | None
    message: str | None
    """First line of the commit's message, at most 200 characters."""
    clone_url: str | None
    moved_back: MovedBack


@dataclass(frozen=True, slots=True)
class Decision:
    """What one project does with an event. There are candidates exactly when the verdict is `release`."""

    project: str
    verdict: Verdict
    reason: str
    candidates: tuple[Candidate, ...] = ()


def decide(event: Event, projects: Iterable[ProjectRules]) -> tuple[Decision, ...]:
    """Return one decision per project, in the order given. The projects are those of the event's host."""
    return tuple(_decide(event, project) for project in projects)


def same_repository(one: str, other: str) -> bool:
    """Tell whether two full names are one repository; hosts do not heed case."""
    return one.casefold() == other.casefold()


def _decide(event: Event, project: ProjectRules) -> Decision:
    blocked = _blocked(event, project)
    if blocked is not None:
        return Decision(project.name, "ignore", blocked)
    judged = [(change, *_judge(change, project)) for change in event.changes]
    wanted = [(change, reason, trigger) for change, reason, trigger in judged if trigger is not None]
    if not wanted:
        return Decision(project.name, "ignore", "; ".join(reason for _, reason, _ in judged))
    candidates = tuple(_candidate(event, change, trigger, project) for change, _, trigger in wanted)
    return Decision(project.name, "release", "; ".join(reason for _, reason, _ in wanted), candidates)


def _blocked(event: Event, project: ProjectRules) -> str | None:
    """Return why the event cannot concern the project whatever its rules are, or None."""
    if event.kind in _QUIET:
        return _QUIET[event.kind]
    if event.repository is None:
        return f"the {event.kind} event names no repository"
    if not same_repository(event.repository, project.repository):
        return f"project {project.name} follows {project.repository}, not {event.repository}"
    if event.kind != "push":
        return f"project {project.name} has no trigger for {event.kind} events"
    return None if event.changes else "the push moved no branch and no tag"


def _judge(change: Change, project: ProjectRules) -> tuple[str, PushTrigger | None]:
    """Return the reason, and the trigger that wants the change, or None when none does."""
    what = f"{change.ref_type.value} {change.name}"
    if change.after is None:
        return f"the {what} was deleted", None
    if change.before == change.after:
        return f"the push did not move the {what}; hosts send such pushes as a test", None
    if change.commit is None:
        return f"the {what} does not name a commit", None
    triggers = [trigger for trigger in project.triggers if isinstance(trigger, PushTrigger)]
    patterns = ", ".join(pattern for trigger in triggers for pattern in _patterns(trigger, change.ref_type))
    if not patterns:
        return f"{what}: project {project.name} has no push patterns for {_PLURAL[change.ref_type]}", None
    for trigger in triggers:
        if _takes(trigger, change):
            return f"{what} matches the push patterns {patterns}", trigger
    return f"{what} matches none of the push patterns {patterns}", None


_PLURAL = {RefType.BRANCH: "branches", RefType.TAG: "tags"}


def _patterns(trigger: PushTrigger, ref_type: RefType) -> tuple[str, ...]:
    return trigger.branches if ref_type is RefType.BRANCH else trigger.tags


def _takes(trigger: PushTrigger, change: Change) -> bool:
    if change.ref_type is RefType.BRANCH:
        return trigger.takes_branch(change.name)
    return trigger.takes_tag(change.name)


def _candidate(event: Event, change: Change, trigger: PushTrigger, project: ProjectRules) -> Candidate:
    if change.commit is None:
        raise ValueError(f"{change.ref} names no commit")
    return Candidate(
        project=project.name,
        ref=change.ref,
        commit=change.commit,
        before=change.before,
        forced=change.forced,
        host_time=change.pushed_at,
        actor=event.actor,
        message=_subject(change.message),
        clone_url=event.clone_url,
        moved_back=trigger.forced,
    )


def _subject(message: str | None) -> str | None:
    lines = (message or "").strip().splitlines()
    return lines[0][:_SUBJECT] if lines else None
