"""From an event to one decision per project, and from a decision with questions to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from workers.flow.triggers.changes import judge_merged, judge_published
from workers.flow.triggers.ci import judge_ci
from workers.flow.triggers.comments import judge_comment
from workers.flow.triggers.model import TRIGGERS, Basis, Decision, ProjectRules, Ruling
from workers.flow.triggers.pushes import judge_change, trigger_for
from workers.flow.triggers.questions import (
    NOTHING_KNOWN,
    UNASKED,
    Answers,
    Inquiry,
    NamedBy,
    NamedRef,
    Question,
)
from workers.flow.triggers.repositories import stranger
from workers.flow.triggers.times import judge_schedule
from workers.releases.events import Event

_NO_IDS: Final[Mapping[str, str]] = MappingProxyType({})
_QUIET: Final[Mapping[str, str]] = {
    "ping": "a ping only asks whether somebody listens",
    "other": "no rule uses this kind of event",
}
_MOST_ROUNDS: Final = 5
"""More questions than this never follow from one another."""
_MAY_COME_FROM_A_FORK: Final = frozenset({"change_merged", "comment"})
"""What was merged is the project's own by now; whose commit a comment means is asked later."""

Judge = Callable[[Event, ProjectRules, Inquiry], list[Ruling]]


def decide(
    event: Event, projects: Iterable[ProjectRules], ids: Mapping[str, str] = _NO_IDS
) -> tuple[Decision, ...]:
    """Return one decision per project, in the order given. The projects are those of the event's host.

    `ids` are the host's ids of the projects' repositories as they were last seen, by the project's name: they
    follow a repository that was renamed or transferred, and give away one that took a former name.
    """
    return tuple(_decide(event, project, ids.get(project.name), UNASKED) for project in projects)


def settle(decision: Decision, answers: Answers, *, late: bool = False) -> Decision:
    """Return what becomes of a decision with the answers to its questions; others stay as they are.

    A question of the decision that has no answer counts as one that nobody can answer, and the safe way is
    taken. The result may ask further questions, at most three times in a row; it asks the same ones again
    while CI is under way, until `late` says that the time for it is over.
    """
    basis = decision.basis
    if decision.verdict != "ask" or basis is None:
        return decision
    before = basis.inquiry
    closed = before.closed | {question for question in decision.questions if question not in answers}
    inquiry = Inquiry(before.answers | answers, closed, late=late)
    return _decide(basis.event, basis.project, basis.known_id, inquiry)


def without_answers(decision: Decision) -> Decision:
    """Return what becomes of a decision when nothing (more) can be asked: the safe way, never `ask`."""
    for _ in range(_MOST_ROUNDS):
        if decision.verdict != "ask":
            return decision
        decision = settle(decision, NOTHING_KNOWN)
    # What is left is CI that was looked at and is under way.
    return settle(decision, NOTHING_KNOWN, late=True)


def decide_ci(
    event: Event,
    projects: Iterable[ProjectRules],
    named: Sequence[NamedRef],
    ids: Mapping[str, str] = _NO_IDS,
) -> tuple[Decision, ...]:
    """Return the decisions on an event of CI where the pushes that named its commit are at hand."""
    return tuple(_with_names(decision, named) for decision in decide(event, projects, ids))


def _with_names(decision: Decision, named: Sequence[NamedRef]) -> Decision:
    known: dict[Question[Any], object] = {
        each: tuple(named) for each in decision.questions if isinstance(each, NamedBy)
    }
    return settle(decision, Answers(known)) if known else decision


def _decide(event: Event, project: ProjectRules, known_id: str | None, inquiry: Inquiry) -> Decision:
    blocked = _blocked(event, project, known_id)
    if blocked is not None:
        return Decision(project.name, "ignore", blocked.reason, rule=blocked.rule)
    rulings = _rulings(event, project, inquiry)
    if len(rulings) == 1 and rulings[0].candidate is not None:
        ruling = rulings[0]
        return Decision(project.name, "release", ruling.reason, (rulings[0].candidate,), rule=ruling.rule)
    decision = _joined(rulings, Basis(event, project, known_id, inquiry))
    kept_back = _kept_back(event, project, rulings)
    return replace(decision, kept_back=kept_back) if kept_back else decision


def _kept_back(event: Event, project: ProjectRules, rulings: Sequence[Ruling]) -> tuple[tuple[str, str], ...]:
    """Return the refs of a push that a trigger takes and that are not released, each with its commit."""
    if event.kind != "push":
        return ()
    return tuple(
        (change.ref, change.commit)
        for change, ruling in zip(event.changes, rulings, strict=True)
        if ruling.candidate is None
        and change.commit is not None
        and change.before != change.after
        and trigger_for(change, project)[0] is not None
    )


def _joined(rulings: Sequence[Ruling], basis: Basis) -> Decision:
    """Make one decision of several rulings; while one of them asks, the others wait for it."""
    name = basis.project.name
    asking = [ruling for ruling in rulings if ruling.question is not None]
    wanted = [ruling for ruling in rulings if ruling.candidate is not None]
    if asking:
        questions = dict.fromkeys(ruling.question for ruling in asking if ruling.question is not None)
        said = [*wanted, *asking]
        return Decision(
            name, "ask", _reasons(said), questions=tuple(questions), basis=basis, rule=_rules(said)
        )
    if not wanted:
        return Decision(name, "ignore", _reasons(rulings), rule=_rules(rulings))
    candidates = tuple(ruling.candidate for ruling in wanted if ruling.candidate is not None)
    return Decision(name, "release", _reasons(wanted), candidates, rule=_rules(wanted))


def _rules(rulings: Iterable[Ruling]) -> str | None:
    return ", ".join(dict.fromkeys(ruling.rule for ruling in rulings if ruling.rule is not None)) or None


def _reasons(rulings: Iterable[Ruling]) -> str:
    return "; ".join(dict.fromkeys(ruling.reason for ruling in rulings))


def _blocked(event: Event, project: ProjectRules, known_id: str | None) -> Ruling | None:
    """Return why the event cannot concern the project whatever its rules are, or None."""
    if event.kind in _QUIET:
        return Ruling(_QUIET[event.kind])
    foreign = stranger(event, project, known_id)
    if foreign is not None:
        return Ruling(foreign, rule="repository")
    if event.facts.get("from_fork") is True and event.kind not in _MAY_COME_FROM_A_FORK:
        return Ruling("the commit comes from a fork, which never gets this project's secrets")
    if event.kind == "push":
        return None if event.changes else Ruling("the push moved no branch and no tag")
    if event.kind in _JUDGES:
        return None
    return Ruling(f"project {project.name} has no trigger for {event.kind} events", rule=TRIGGERS)


def _rulings(event: Event, project: ProjectRules, inquiry: Inquiry) -> list[Ruling]:
    if event.kind == "push":
        return [judge_change(event, change, project, inquiry) for change in event.changes]
    return _JUDGES[event.kind](event, project, inquiry)


_JUDGES: Final[Mapping[str, Judge]] = {
    "release_published": judge_published,
    "change_merged": judge_merged,
    "comment": judge_comment,
    "ci_finished": judge_ci,
    "ci_status": judge_ci,
    "schedule": judge_schedule,
}
