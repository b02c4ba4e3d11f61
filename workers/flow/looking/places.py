"""Which repositories are looked at, for which projects, and how often. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from config.projects import ProjectSettings
from config.settings import Settings
from config.triggers import PushTrigger
from workers.flow.triggers import FoundBy, catch_up_every, poll_every


@dataclass(frozen=True, slots=True)
class Place:
    """A repository that is looked at in one way. `every` is in seconds, the shortest that a project wants."""

    found_by: FoundBy
    host: str
    repository: str
    projects: tuple[ProjectSettings, ...]
    every: float

    @property
    def name(self) -> str:
        """Return what the turns of this look go by."""
        return f"{self.found_by} {self.spot}"

    @property
    def spot(self) -> str:
        """Return where it looks; hosts do not heed the case of names."""
        return f"{self.host} {self.repository.casefold()}"


def places_of(settings: Settings, can_ask: Callable[[str], bool]) -> list[Place]:
    """Return every place: each repository once for each kind of look. `can_ask` tells which hosts answer us.

    Polled are only repositories with a project that takes branches.
    """
    found: dict[str, Place] = {}
    asked = {name: can_ask(name) for name in settings.hosts}
    for project in settings.projects.values():
        has_token = asked.get(project.host, False)
        for place in _places_of(project, has_token=has_token):
            found[place.name] = _joined(found.get(place.name), place)
    return list(found.values())


def _joined(before: Place | None, place: Place) -> Place:
    if before is None:
        return place
    return replace(before, projects=(*before.projects, *place.projects), every=min(before.every, place.every))


def _places_of(project: ProjectSettings, *, has_token: bool) -> list[Place]:
    catch_up = catch_up_every(project, has_token=has_token)
    poll = poll_every(project, has_token=has_token)
    places = []
    if catch_up is not None and any(each.kind in _TOLD_BY_HOOKS for each in project.triggers):
        places.append(Place("catch-up", project.host, project.repository, (project,), catch_up))
    if poll is not None and takes_branches(project):
        places.append(Place("poll", project.host, project.repository, (project,), poll))
    return places


_TOLD_BY_HOOKS = frozenset({"push", "release", "merged", "comment"})


def takes_branches(project: ProjectSettings) -> bool:
    """Tell whether a push to some branch may release the project."""
    return any(isinstance(each, PushTrigger) and each.branches for each in project.triggers)
