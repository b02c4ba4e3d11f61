"""What a sweep or a poll found: branch heads that no push told us of, as the event that `decide` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from config.triggers import PushTrigger
from workers.flow.triggers.model import ProjectRules
from workers.releases.events import Change, Event, RefType

FoundBy = Literal["catch-up", "poll"]


def lost_pushes(
    repository: str, heads: Mapping[str, str], seen: Mapping[str, str], found_by: FoundBy
) -> Event | None:
    """Return a push event of the branches whose heads we have not seen, or None where nothing is missing.

    `seen` is the commit that each branch had when we last heard of it. A branch that is not in it counts as
    new: before the very first look at a repository, note the heads instead of asking for what is lost.
    """
    changes = tuple(
        Change(
            ref_type=RefType.BRANCH,
            name=branch,
            action="update" if branch in seen else "create",
            before=seen.get(branch),
            after=head,
            commit=head,
        )
        for branch, head in heads.items()
        if seen.get(branch) != head
    )
    return Event("push", repository, changes=changes, facts={"found_by": found_by}) if changes else None


def needs_token(project: ProjectRules) -> tuple[str, ...]:
    """Return what of a project's triggers does nothing, or guesses, while its host has no token."""
    found: dict[str, None] = {}
    for trigger in project.triggers:
        if trigger.kind in _MEANINGS:
            found[_MEANINGS[trigger.kind]] = None
        if isinstance(trigger, PushTrigger) and trigger.paths:
            found[_PATHS] = None
        if isinstance(trigger, PushTrigger) and trigger.when == "ci":
            found[_CI] = None
    return tuple(found)


_PATHS = "push.paths: a push whose files the host does not list is released whatever it changed"
_CI = "push.when: CI is known only from the events that the host sends"
_MEANINGS = {
    "release": "release: where the host does not tell the commit of a release's tag, nothing is released",
    "comment": "comment: nobody's rights are known, so that no command is obeyed",
    "schedule": "schedule: the head of the branch is not known, so that nothing is released",
    "poll": "poll: nothing can be asked",
}
