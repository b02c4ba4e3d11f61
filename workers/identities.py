"""The hosts' ids of the projects' repositories, kept at hand so that no delivery has to wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from config.projects import ProjectSettings
from workers.errors import NotFound
from workers.flow.remembering import ids_of, repository_field

Projects = Mapping[str, ProjectSettings]


class Stored(Protocol):
    """Where the ids stand (`workers.store.inquiries.RepositoryIds`)."""

    def all(self) -> Mapping[str, str]:
        """Return every id by its field; `StoreAway`."""
        ...

    def forget(self, field: str) -> bool:
        """Forget an id; False when there was none; `StoreAway`."""
        ...


class Identities:
    """What `refresh` read last. Until it did, repositories are told by their names."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._fields: Mapping[str, str] = {}
        self._made: tuple[Mapping[str, str], Projects, Mapping[str, str]] | None = None

    def refresh(self) -> None:
        """Read the ids anew; `StoreAway`, and what was known stays."""
        found = self._stored.all()
        if found != self._fields:
            self._fields = found

    def of(self, projects: Projects) -> Mapping[str, str]:
        """Return the known ids by project, made again only where ids or projects are others."""
        made = self._made
        if made is None or made[0] is not self._fields or made[1] is not projects:
            fields = self._fields
            made = self._made = (fields, projects, ids_of(fields, projects.values()))
        return made[2]

    def forget(self, project: ProjectSettings) -> None:
        """Let the next event of the repository's name tell its id anew; `NotFound` where none is known."""
        if not self._stored.forget(repository_field(project)):
            raise NotFound(f"no id of {project.repository} is known for project {project.name}")
        self.refresh()
