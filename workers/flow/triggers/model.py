"""The words of a decision: rules, candidates, rulings on single refs, and the decision of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from config.triggers import AnyTrigger
from workers.flow.triggers.questions import Inquiry, Question
from workers.releases.events import Event

Verdict = Literal["release", "ignore", "ask"]
MovedBack = Literal["release", "ignore"]

_SUBJECT = 200


class ProjectRules(Protocol):
    """What of a project's settings the decision needs; `config.projects.ProjectSettings` has it."""

    @property
    def name(self) -> str:
        """The project's name."""
        ...

    @property
    def host(self) -> str:
        """The name of the host that the project's repository is on."""
        ...

    @property
    def repository(self) -> str:
        """The full name of the repository that the project follows."""
        ...

    @property
    def flow(self) -> str:
        """How it is released; `preview` shows changes before they are merged."""
        ...

    @property
    def triggers(self) -> Sequence[AnyTrigger]:
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
    trigger: str = "push"
    """The kind of trigger that wants it."""


class Ruling(NamedTuple):
    """What the rules say of one ref: a candidate to release, a question to ask first, or neither."""

    reason: str
    candidate: Candidate | None = None
    question: Question[Any] | None = None
    rule: str | None = None
    """Where in the project's settings the rule stands that says so; None: it is built in."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision was made of, to make it again with more answers."""

    event: Event
    project: ProjectRules
    known_id: str | None
    inquiry: Inquiry


@dataclass(frozen=True, slots=True)
class Decision:
    """What one project does with an event.

    There are candidates exactly when the verdict is `release`, and questions exactly when it is `ask`: then
    `settle` makes the final decision once somebody has asked them.
    """

    project: str
    verdict: Verdict
    reason: str
    candidates: tuple[Candidate, ...] = ()
    questions: tuple[Question[Any], ...] = ()
    kept_back: tuple[tuple[str, str], ...] = ()
    """Refs that a push trigger takes, each with its commit that is not, or not yet, to be released."""
    basis: Basis | None = field(default=None, compare=False, repr=False)
    rule: str | None = None
    """Where in the project's settings the rule stands that decided: `triggers[1].push`; `triggers` where none
    of them fits, `repository` where the event is about another one; None: a rule that is built in."""


def candidate_of(
    event: Event,
    project: ProjectRules,
    trigger: str,
    ref: str,
    commit: str,
    message: str,
    *,
    actor: str | None = None,
) -> Candidate:
    """Return a candidate that no push brought: nothing is known of what the ref named before.

    `actor` is who asked for it, by default who the event names.
    """
    return Candidate(
        project=project.name,
        ref=ref,
        commit=commit,
        before=None,
        forced=None,
        host_time=None,
        actor=event.actor if actor is None else actor,
        message=subject_of(message),
        clone_url=event.clone_url,
        moved_back="release",
        trigger=trigger,
    )


def subject_of(message: str | None) -> str | None:
    """Return the first line of a commit's message, at most 200 characters, or None where it says nothing."""
    lines = (message or "").strip().split("\n", 1)
    return lines[0].strip()[:_SUBJECT] or None


TRIGGERS = "triggers"
"""The rule that decided where no trigger fits: the list as a whole."""


def place_of(project: ProjectRules, trigger: AnyTrigger) -> str:
    """Return where a trigger of the project stands in its settings."""
    index = next(index for index, each in enumerate(project.triggers) if each is trigger)
    return f"{TRIGGERS}[{index}].{trigger.kind}"


def token_hint(project: ProjectRules) -> str:
    """Say what to configure so that the host can be asked."""
    return f"set hosts.{project.host}.token, so that the host can be asked"
