"""Pushes: which refs a project's rules take, and what keeps a taken one from being released."""

from __future__ import annotations

from config.globs import matches
from config.triggers import PushTrigger
from workers.flow.triggers.green import green
from workers.flow.triggers.model import TRIGGERS, Candidate, ProjectRules, Ruling, subject_of, token_hint
from workers.flow.triggers.questions import ChangedPaths, Inquiry
from workers.releases.events import Change, Event, RefType

_PLURAL = {RefType.BRANCH: "branches", RefType.TAG: "tags"}

_LONGEST_PATH = 200

OF_THE_HOST = ("gh-readonly-queue/", "refs/")
"""How refs begin that the host makes for itself: merge queues, pull requests, notes."""


def judge_change(
    event: Event, change: Change, project: ProjectRules, inquiry: Inquiry, *, proven: bool = False
) -> Ruling:
    """Say what a project does with one ref that a push moved; `proven`: CI is known to be green for it."""
    what = f"{change.ref_type.value} {change.name}"
    if change.after is None:
        return Ruling(f"the {what} was deleted")
    if change.before == change.after:
        return Ruling(f"the push did not move the {what}; hosts send such pushes as a test")
    if change.commit is None:
        return Ruling(f"the {what} does not name a commit")
    trigger, reason, rule = trigger_for(change, project)
    if trigger is None:
        return Ruling(reason, rule=rule)
    skipped = _skipped(change, trigger, what)
    if skipped is not None:
        return Ruling(skipped, rule=rule)
    candidate = _candidate(event, change, trigger, project)
    if not trigger.paths and (proven or trigger.when == "pushed"):
        return Ruling(reason, candidate, None, rule)
    held = _held(change, trigger, inquiry, Ruling(reason, candidate), project, proven=proven)
    return held._replace(rule=rule)


def trigger_for(change: Change, project: ProjectRules) -> tuple[PushTrigger | None, str, str]:
    """Return the first push trigger that takes the ref, or None; why; and where the rule stands."""
    what = f"{change.ref_type.value} {change.name}"
    branch, name = change.ref_type is RefType.BRANCH, change.name
    known: list[str] = []
    for index, trigger in enumerate(project.triggers):
        if not isinstance(trigger, PushTrigger):
            continue
        patterns = trigger.branches if branch else trigger.tags
        known += patterns
        if matches(patterns, name) and not (name.startswith(OF_THE_HOST) and not _literally(patterns, name)):
            reason = f"{what} matches the push patterns {', '.join(patterns)}"
            return trigger, reason, f"{TRIGGERS}[{index}].push"
    if not known:
        reason = f"{what}: project {project.name} has no push patterns for {_PLURAL[change.ref_type]}"
    elif name.startswith(OF_THE_HOST):
        reason = f"{what} is the host's own (merge queue, pull request or notes), and no pattern names it"
    else:
        reason = f"{what} matches none of the push patterns {', '.join(known)}"
    return None, reason, TRIGGERS


def branch_is_taken(branch: str, project: ProjectRules) -> bool:
    """Tell whether a push trigger of the project takes the branch."""
    change = Change(RefType.BRANCH, branch, "update", before=None, after=None, commit=None)
    return trigger_for(change, project)[0] is not None


def _literally(patterns: tuple[str, ...], name: str) -> bool:
    own = next(prefix for prefix in OF_THE_HOST if name.startswith(prefix))
    return any(pattern.startswith(own) for pattern in patterns)


def _skipped(change: Change, trigger: PushTrigger, what: str) -> str | None:
    if not change.message or not trigger.skip:
        return None
    message = change.message.casefold()
    for looked_for, phrase in trigger.skips:
        if looked_for in message:
            return f"{what}: the message of its head commit says {phrase}"
    return None


def _candidate(event: Event, change: Change, trigger: PushTrigger, project: ProjectRules) -> Candidate:
    if change.commit is None:
        raise ValueError(f"{change.ref} names no commit")
    return Candidate(
        project.name,
        change.ref,
        change.commit,
        change.before,
        change.forced,
        change.pushed_at,
        event.actor,
        subject_of(change.message),
        event.clone_url,
        trigger.forced,
        # A sweep and a poll tell what they found as pushes.
        event.facts.get("found_by", "push"),
    )


def _held(
    change: Change,
    trigger: PushTrigger,
    inquiry: Inquiry,
    ruling: Ruling,
    project: ProjectRules,
    *,
    proven: bool,
) -> Ruling:
    """Apply what needs to be known beyond the names of the refs: the paths, then CI."""
    ruling = _by_paths(change, trigger, inquiry, ruling, project)
    if ruling.candidate is None or proven or trigger.when == "pushed":
        return ruling
    return green(trigger, inquiry, ruling, project)


def _by_paths(
    change: Change, trigger: PushTrigger, inquiry: Inquiry, ruling: Ruling, project: ProjectRules
) -> Ruling:
    if not trigger.paths or change.ref_type is RefType.TAG:
        return ruling
    patterns = ", ".join(trigger.paths)
    if change.paths is not None:
        return _fitting(change.paths, trigger, ruling, complete=True)
    if change.before is None or change.after is None:
        reason = f"{ruling.reason}; the branch is new, so that everything may have changed"
        return ruling._replace(reason=reason)
    question = ChangedPaths(change.before, change.after, trigger.paths)
    if inquiry.is_open(question):
        return Ruling(f"{ruling.reason}; whether a changed path fits {patterns} is asked", None, question)
    if not inquiry.is_known(question):
        hint = f"the changed paths are not known, so that everything may have changed; {token_hint(project)}"
        return ruling._replace(reason=f"{ruling.reason}; {hint}")
    comparison = inquiry.answers.to(question)
    if comparison is None:
        reason = f"{ruling.reason}; the host cannot compare the commits, so that everything may have changed"
        return ruling._replace(reason=reason)
    return _fitting(comparison.paths, trigger, ruling, complete=comparison.complete)


def _fitting(paths: tuple[str, ...], trigger: PushTrigger, ruling: Ruling, *, complete: bool) -> Ruling:
    patterns = ", ".join(trigger.paths)
    fitting = next((path for path in paths if matches(trigger.paths, path)), None)
    if fitting is not None:
        return ruling._replace(reason=f"{ruling.reason}; {fitting[:_LONGEST_PATH]} fits the paths {patterns}")
    if not complete:
        reason = (
            f"{ruling.reason}; the host lists only some of the changed paths, so that any may have changed"
        )
        return ruling._replace(reason=reason)
    return Ruling(f"{ruling.reason}, but none of {len(paths)} changed paths fits {patterns}")
