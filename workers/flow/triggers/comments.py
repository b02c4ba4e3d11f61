"""Comment commands: who may, and which commit is meant.

In a preview project a command releases the head of the change; everywhere else the head of the branch that
the change goes into: what runs in production was merged. What comes from a fork never gets our secrets.
"""

from __future__ import annotations

import re

from config.globs import matches
from config.triggers import CommentTrigger
from workers.flow.triggers.commands import command_in
from workers.flow.triggers.model import (
    TRIGGERS,
    Candidate,
    ProjectRules,
    Ruling,
    candidate_of,
    place_of,
    token_hint,
)
from workers.flow.triggers.questions import DefaultBranch, HeadOfBranch, HeadOfChange, Inquiry, MayRelease
from workers.releases.events import Event
from workers.releases.origin import OpenChange, Permission, is_full_commit

_CREATED = (None, "", "created", "create", "added")
"""Actions of a new comment. Some hosts have another event for it and say no action."""
_BOT = re.compile(r".*\[bot\]|(?:project|group)_[0-9]+_bot(?:_\w+)?", re.ASCII | re.IGNORECASE | re.DOTALL)
"""How GitHub names Apps, and GitLab the users of project and group tokens."""

AT_LEAST = {"write": Permission.WRITE, "maintain": Permission.MAINTAIN, "admin": Permission.ADMIN}


def judge_comment(event: Event, project: ProjectRules, inquiry: Inquiry) -> list[Ruling]:
    """Say what a project does with a comment: the first trigger one of whose commands it holds decides."""
    triggers = [each for each in project.triggers if isinstance(each, CommentTrigger)]
    if not triggers:
        return [Ruling(f"project {project.name} has no trigger for comment events", rule=TRIGGERS)]
    fault = _unheard(event)
    if fault is not None:
        return [Ruling(fault)]
    body = str(event.facts.get("body") or "")
    for trigger in triggers:
        command = command_in(body, trigger.commands)
        if command is not None:
            ruling = _obey(event, project, trigger, command, inquiry)
            return [ruling._replace(rule=place_of(project, trigger))]
    known = ", ".join(command for trigger in triggers for command in trigger.commands)
    reason = f"the comment has no line that is only {known}, outside of quotes and code"
    return [Ruling(reason, rule=TRIGGERS)]


def _unheard(event: Event) -> str | None:
    facts, author = event.facts, _author(event)
    if facts.get("deleted") is True or facts.get("action") not in _CREATED:
        return "only new comments count, not edited or deleted ones"
    if author is None:
        return "the event does not say who wrote the comment"
    if facts.get("by_bot") is True or _BOT.fullmatch(author):
        return f"{author} is a bot"
    return None


def _author(event: Event) -> str | None:
    author = event.facts.get("author") or event.actor
    return author if isinstance(author, str) else None


def _obey(
    event: Event, project: ProjectRules, trigger: CommentTrigger, command: str, inquiry: Inquiry
) -> Ruling:
    author = _author(event) or ""
    number, on_change = event.facts.get("number"), event.facts.get("on_change") is True
    if trigger.on == "changes" and not on_change:
        return Ruling(f"{command} counts only on a change; the trigger does not say on: anywhere")
    right = MayRelease(author, AT_LEAST[trigger.by])
    said = f"{author} wrote {command}"
    if inquiry.is_open(right):
        return Ruling(f"{said}; {right} is asked", None, right)
    if not inquiry.is_known(right):
        return Ruling(f"{said}, but {right} is not known; {token_hint(project)}")
    if inquiry.answers.to(right) < right.at_least:
        return Ruling(f"{said}, but has no right to {trigger.by} in {project.repository}")
    if project.flow == "preview":
        return _preview(event, project, number if on_change else None, said, inquiry)
    return _production(event, project, trigger, number if on_change else None, said, inquiry)


def _preview(event: Event, project: ProjectRules, number: int | None, said: str, inquiry: Inquiry) -> Ruling:
    if not isinstance(number, int):
        return Ruling(f"{said}, but a preview is of a change, and this is none")
    if event.facts.get("from_fork") is True:
        return Ruling(
            f"{said}, but change {number} comes from a fork, which never gets this project's secrets"
        )
    question = HeadOfChange(number)
    if inquiry.is_open(question):
        return Ruling(f"{said}; {question} is asked", None, question)
    change = inquiry.answers.to(question) if inquiry.is_known(question) else None
    if change is None:
        return Ruling(
            f"{said}, but no open change {number} is known: it is closed, or cannot be asked for; "
            f"{token_hint(project)}"
        )
    if change.from_fork:
        return Ruling(
            f"{said}, but change {number} comes from a fork, which never gets this project's secrets"
        )
    if not is_full_commit(change.head):
        return _head_of(event, project, change.head_branch, f"{said} on change {number}", inquiry)
    candidate = _candidate(event, project, change.head_branch, change.head, said)
    return Ruling(f"{said}; the head of change {number} is {change.head[:12]}", candidate)


def _production(
    event: Event,
    project: ProjectRules,
    trigger: CommentTrigger,
    number: int | None,
    said: str,
    inquiry: Inquiry,
) -> Ruling:
    base = event.facts.get("base_branch")
    if not isinstance(base, str) and number is not None:
        question = HeadOfChange(number)
        if inquiry.is_open(question):
            return Ruling(f"{said}; {question} is asked", None, question)
        change: OpenChange | None = inquiry.answers.to(question) if inquiry.is_known(question) else None
        base = None if change is None else change.base_branch
    if trigger.branches and isinstance(base, str):
        if not matches(trigger.branches, base):
            return Ruling(f"{said}, but {base} matches none of the patterns {', '.join(trigger.branches)}")
        return _head_of(event, project, base, said, inquiry)
    return _default_branch(event, project, trigger, base, said, inquiry)


def _default_branch(
    event: Event,
    project: ProjectRules,
    trigger: CommentTrigger,
    base: str | None,
    said: str,
    inquiry: Inquiry,
) -> Ruling:
    """Release the default branch; a change that goes elsewhere needs a trigger that names its branch."""
    default, question = event.default_branch, DefaultBranch()
    if default is None and inquiry.is_open(question):
        return Ruling(f"{said}; {question} is asked", None, question)
    if default is None and inquiry.is_known(question):
        default = inquiry.answers.to(question)
    if default is None:
        return Ruling(f"{said}, but the default branch is not known; {token_hint(project)}")
    if base is not None and base != default:
        return Ruling(f"{said}, but the change goes into {base}, not into {default}; add branches: [{base}]")
    if trigger.branches and not matches(trigger.branches, default):
        return Ruling(f"{said}, but {default} matches none of the patterns {', '.join(trigger.branches)}")
    return _head_of(event, project, default, said, inquiry)


def _head_of(event: Event, project: ProjectRules, branch: str, said: str, inquiry: Inquiry) -> Ruling:
    question = HeadOfBranch(branch)
    if inquiry.is_open(question):
        return Ruling(f"{said}; {question} is asked", None, question)
    commit = inquiry.answers.to(question) if inquiry.is_known(question) else None
    if commit is None:
        return Ruling(f"{said}, but the head of {branch} is not known: there is no such branch, or no answer")
    return Ruling(
        f"{said}; the head of {branch} is {commit[:12]}", _candidate(event, project, branch, commit, said)
    )


def _candidate(event: Event, project: ProjectRules, branch: str, commit: str, said: str) -> Candidate:
    ref = f"refs/heads/{branch}"
    return candidate_of(event, project, "comment", ref, commit, said, actor=_author(event))
