"""What is remembered of a delivery for those that come later: refs, checks, and ids of repositories. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from config.projects import ProjectSettings
from config.triggers import PushTrigger
from workers.flow.triggers import Decision, Green, NamedRef, same_repository
from workers.flow.triggers.pushes import trigger_for
from workers.flow.triggers.repositories import stranger
from workers.releases.codec import dumps
from workers.releases.events import Change, Event
from workers.releases.model import JSON
from workers.releases.origin import is_full_commit

_OF_CI: Final = frozenset({"ci_finished", "ci_status"})
_OF_PUSHES: Final = (None, "", "push")


def repository_field(project: ProjectSettings) -> str:
    """Return under which name the id of a project's repository is stored.

    The repository's name is a part of it, so that an edited configuration begins anew.
    """
    return "\n".join((project.name, project.host, project.repository.casefold()))


def ids_of(fields: Mapping[str, str], projects: Iterable[ProjectSettings]) -> dict[str, str]:
    """Return the known ids of the projects' repositories by the project's name, from what is stored."""
    found = {project.name: fields.get(repository_field(project)) for project in projects}
    return {name: known for name, known in found.items() if known is not None}


def learned(event: Event, projects: Iterable[ProjectSettings], ids: Mapping[str, str]) -> dict[str, str]:
    """Return the ids that an event tells of repositories matched by name, as they are stored."""
    if event.repository_id is None or event.repository is None:
        return {}
    return {
        repository_field(project): event.repository_id
        for project in projects
        if project.name not in ids and same_repository(event.repository, project.repository)
    }


def awaits_ci(project: ProjectSettings) -> bool:
    """Tell whether a push of the project may wait for CI."""
    return any(isinstance(each, PushTrigger) and each.when == "ci" for each in project.triggers)


def named_by(event: Event, projects: Sequence[ProjectSettings], ids: Mapping[str, str]) -> list[JSON]:
    """Return what a push named, for each project that waits for CI on such a ref."""
    return [
        {
            "project": project.name,
            "commit": change.commit,
            "ref": change.ref,
            "text": _remembered(event, change),
        }
        for project in _followers(event, projects, ids, frozenset({"push"}))
        for change in event.changes
        if change.commit is not None and _waits(change, project)
    ]


def checks_of(event: Event, projects: Sequence[ProjectSettings], ids: Mapping[str, str]) -> list[JSON]:
    """Return which named check an event of CI tells of, for each project that waits for that check."""
    commit, name = event.facts.get("commit"), event.facts.get("name") or event.facts.get("context")
    if not isinstance(commit, str) or not is_full_commit(commit) or not isinstance(name, str):
        return []
    if event.facts.get("trigger") not in _OF_PUSHES:
        return []
    green = "1" if event.facts.get("success") is True else ""
    return [
        {"project": project.name, "commit": commit, "name": name, "green": green}
        for project in _followers(event, projects, ids, _OF_CI)
        if any(isinstance(each, PushTrigger) and name in each.checks for each in project.triggers)
    ]


def named_ref(document: JSON, *, now: float, green: tuple[str, ...] = ()) -> NamedRef:
    """Return what is remembered of a push in the words of the triggers; `now` in the store's seconds."""
    paths = document.get("paths")
    return NamedRef(
        ref=document["ref"],
        before=document.get("before"),
        forced=document.get("forced"),
        host_time=document.get("host_time"),
        actor=document.get("actor"),
        message=document.get("message"),
        paths=None if paths is None else tuple(paths),
        age=max(0.0, now - document["at"] / 1000),
        green=green,
    )


def waits_of(event: Event, decision: Decision) -> list[JSON]:
    """Return the refs of a push whose CI the decision waits for, as the scripts take them."""
    commits = {question.commit for question in decision.questions if isinstance(question, Green)}
    return [
        {
            "ref": change.ref,
            "commit": change.commit,
            "before": change.before or "",
            "time": "" if change.pushed_at is None else f"{change.pushed_at:.3f}",
        }
        for change in event.changes
        if change.commit in commits
    ]


def _followers(
    event: Event, projects: Sequence[ProjectSettings], ids: Mapping[str, str], kinds: frozenset[str]
) -> Iterator[ProjectSettings]:
    """Yield the projects that wait for CI and whose repository the event, of one of the kinds, is about."""
    if event.kind in kinds:
        for project in projects:
            if awaits_ci(project) and stranger(event, project, ids.get(project.name)) is None:
                yield project


def _waits(change: Change, project: ProjectSettings) -> bool:
    trigger, _, _ = trigger_for(change, project)
    return trigger is not None and trigger.when == "ci"


def _remembered(event: Event, change: Change) -> str:
    known: JSON = {
        "before": change.before,
        "forced": change.forced,
        "host_time": change.pushed_at,
        "actor": event.actor,
        "message": change.message,
        "paths": change.paths,
    }
    return dumps({name: value for name, value in known.items() if value is not None})
