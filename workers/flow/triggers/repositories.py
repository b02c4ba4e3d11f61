"""Whether an event is about the repository that a project follows, also when it was renamed."""

from __future__ import annotations

from workers.flow.triggers.model import ProjectRules
from workers.releases.events import Event


def same_repository(one: str, other: str, *, one_id: str | None = None, other_id: str | None = None) -> bool:
    """Tell whether two full names are one repository; hosts do not heed case.

    Where the host's ids of both are known they alone decide: a name may pass to another repository.
    """
    if one_id is not None and other_id is not None:
        return one_id == other_id
    return one.casefold() == other.casefold()


def stranger(event: Event, project: ProjectRules, known_id: str | None) -> str | None:
    """Return why the event is not about the project's repository, or None when it is.

    `known_id` is the id that the host had for the project's repository when it was last seen.
    """
    if known_id is not None and event.repository_id is not None:
        return _other_id(event, project, known_id)
    if event.repository is None:
        return f"the {event.kind} event names no repository"
    if not same_repository(event.repository, project.repository):
        return f"project {project.name} follows {project.repository}, not {event.repository}"
    return None


def _other_id(event: Event, project: ProjectRules, known_id: str) -> str | None:
    if event.repository_id == known_id:
        return None
    if event.repository is None or not same_repository(event.repository, project.repository):
        other = event.repository or f"the repository with the id {event.repository_id}"
        return f"project {project.name} follows {project.repository}, not {other}"
    return (
        f"{event.repository} has the id {event.repository_id}, but the repository of project {project.name} "
        f"has {known_id}: another repository took its name; if that is meant: "
        f"switchover forget-repository {project.name}"
    )
