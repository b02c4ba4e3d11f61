"""CI events: a success for a commit that a push named before, for triggers that say `when: ci`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.durations import format_duration
from config.triggers import PushTrigger
from workers.flow.triggers.green import Light, is_ours, light_of
from workers.flow.triggers.model import TRIGGERS, ProjectRules, Ruling, token_hint
from workers.flow.triggers.pushes import judge_change, trigger_for
from workers.flow.triggers.questions import Green, Inquiry, NamedBy, NamedRef
from workers.releases.events import Change, Event, RefType
from workers.releases.origin import is_full_commit


def judge_ci(event: Event, project: ProjectRules, inquiry: Inquiry) -> list[Ruling]:
    """Say what a project does with an event of CI, one ruling for each ref that a push set to its commit."""
    waiting = [each for each in project.triggers if isinstance(each, PushTrigger) and each.when == "ci"]
    if not waiting:
        hint = "a push trigger may say when: ci"
        reason = f"project {project.name} has no trigger for {event.kind} events; {hint}"
        return [Ruling(reason, rule=TRIGGERS)]
    fault = _useless(event, waiting)
    if fault is not None:
        return [Ruling(fault)]
    question = NamedBy(event.facts["commit"])
    if inquiry.is_open(question):
        return [
            Ruling(f"CI is green for {question.commit[:12]}; which push named it is asked", None, question)
        ]
    named = inquiry.answers.to(question) if inquiry.is_known(question) else ()
    if not named:
        return [Ruling(f"no push that is still remembered named {question.commit[:12]}")]
    return [_judge_ref(event, each, question.commit, project, inquiry) for each in named]


def pushed_as(named: NamedRef, commit: str) -> Change:
    """Return the push that set a ref to the commit, as far as it is remembered."""
    kind, _, name = named.ref.removeprefix("refs/").partition("/")
    return Change(
        ref_type=RefType.TAG if kind == "tags" else RefType.BRANCH,
        name=name,
        action="update" if named.before else "create",
        before=named.before or None,
        after=commit,
        commit=commit,
        forced=named.forced,
        message=named.message,
        pushed_at=named.host_time,
        paths=named.paths,
    )


def _useless(event: Event, waiting: Sequence[PushTrigger]) -> str | None:
    facts = event.facts
    commit = facts.get("commit")
    if facts.get("success") is not True:
        return "CI is not green: only a success releases"
    if not isinstance(commit, str) or not is_full_commit(commit):
        return "the event does not name a whole commit"
    if facts.get("trigger") not in (None, "", "push"):
        return f"CI ran because of {facts['trigger']}, not because of a push"
    name = _name(facts)
    if name is not None and is_ours(name):
        return f"{name} is a status of our own"
    if name is not None and all(each.checks and name not in each.checks for each in waiting):
        wanted = ", ".join(check for each in waiting for check in each.checks)
        return f"{name} is none of the checks that are waited for: {wanted}"
    return None


def _name(facts: Mapping[str, Any]) -> str | None:
    name = facts.get("name") or facts.get("context")
    return name if isinstance(name, str) else None


def _judge_ref(event: Event, named: NamedRef, commit: str, project: ProjectRules, inquiry: Inquiry) -> Ruling:
    change = pushed_as(named, commit)
    trigger, reason, rule = trigger_for(change, project)
    if trigger is None:
        return Ruling(reason, rule=rule)
    return _judge_taken(event, named, change, trigger, reason, project, inquiry)._replace(rule=rule)


def _judge_taken(
    event: Event,
    named: NamedRef,
    change: Change,
    trigger: PushTrigger,
    reason: str,
    project: ProjectRules,
    inquiry: Inquiry,
) -> Ruling:
    if trigger.when != "ci":
        return Ruling(f"{reason}, and is released when it is pushed, whatever CI says")
    if named.age is not None and named.age > trigger.within:
        allowed = format_duration(trigger.within)
        return Ruling(f"{reason}, but CI took longer than {allowed} after the push")
    pushed = Event("push", clone_url=event.clone_url, actor=named.actor or event.actor)
    ruling = judge_change(pushed, change, project, inquiry, proven=True)
    return ruling if ruling.candidate is None else _proven(event, named, trigger, ruling, project, inquiry)


def _proven(
    event: Event,
    named: NamedRef,
    trigger: PushTrigger,
    ruling: Ruling,
    project: ProjectRules,
    inquiry: Inquiry,
) -> Ruling:
    name, commit = _name(event.facts), event.facts["commit"]
    missing = [check for check in trigger.checks if check != name and check not in named.green]
    if trigger.checks and not missing:
        return ruling._replace(reason=f"{ruling.reason}; {', '.join(trigger.checks)} succeeded")
    question = Green(commit, trigger.checks, trigger.within)
    if inquiry.is_open(question):
        return Ruling(f"{ruling.reason}; {question} is asked", None, question)
    if inquiry.is_known(question):
        return _by_host(inquiry, question, ruling)
    if trigger.checks:
        return Ruling(
            f"{ruling.reason}, but whether {', '.join(missing)} succeeded is not known; {token_hint(project)}"
        )
    words = f"the host says that {name or 'CI'} succeeded (whether all of CI did, only a token could tell)"
    return ruling._replace(reason=f"{ruling.reason}; {words}")


def _by_host(inquiry: Inquiry, question: Green, ruling: Ruling) -> Ruling:
    light, words = light_of(inquiry.answers.to(question), question.checks)
    if light is Light.GREEN:
        return ruling._replace(reason=f"{ruling.reason}; CI is green: {words}")
    if light is Light.RED:
        return Ruling(f"{ruling.reason}, but CI is red: {words}")
    # The push's own decision goes on asking, and so does the next event of CI.
    return Ruling(f"{ruling.reason}, but CI is not through yet: {words}")
