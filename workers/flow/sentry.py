"""While nothing runs in a lane: looks where production leads, for as long as a call of ours may still arrive.

Nearly always no call is unanswered, and then this asks the store and no platform.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from config.projects import ProjectSettings
from workers.errors import NotAllowed, NotFound, PlatformError
from workers.flow import late, repair
from workers.flow.connections import in_words, on_paths, same
from workers.flow.ports import Platform
from workers.releases.model import JSON, Release
from workers.releases.sent import Watched

log = logging.getLogger(__name__)


class Watching(Protocol):
    """What is asked of the store (`workers.store.sent.SentStore`)."""

    def watched(self) -> Sequence[Watched]:
        """Return the lanes to look at."""
        ...

    def note_drift(self, watched: Watched, routes: JSON | None) -> bool:
        """Note what somebody else put there (None: nothing), unless we may have switched since."""
        ...

    def repair(self, release_id: str, request: JSON) -> None:
        """Ask an ended release to put a late switch right."""
        ...


class Looking(Protocol):
    """The part of the store that reads (`workers.store.reading.Reading`)."""

    def releases(self, ids: Sequence[str]) -> Sequence[Release]:
        """Return those of the releases that exist."""
        ...


class Sentry:
    """Reads, decides, and has the engine put right what a late call put."""

    def __init__(
        self,
        *,
        watching: Watching,
        looking: Looking,
        platforms: Callable[[str], Platform | None],
        projects: Callable[[], Mapping[str, ProjectSettings]],
    ) -> None:
        self._watching = watching
        self._looking = looking
        self._platforms = platforms
        self._projects = projects

    def look(self) -> None:
        """Look at every lane that needs it. Raises `StoreAway`; a platform that is away is asked again."""
        for watched in self._watching.watched():
            release = self._responsible(watched)
            if release is None:
                continue
            try:
                self._look_at(watched, release)
            except PlatformError as error:
                log.warning("what production of %s leads to was not seen: %s", watched.lane.name, error)
            except (NotAllowed, NotFound) as error:  # it changed meanwhile: the next look decides anew
                log.debug("nothing is put right in %s: %s", watched.lane.name, error)

    def _responsible(self, watched: Watched) -> Release | None:
        """Return the release that puts right: the live one, else the last ended one that sent a call."""
        lane = watched.lane
        senders = [sent.release for sent in watched.unanswered if sent.lane == lane.name]
        found = self._looking.releases([lane.live] if lane.live else senders)
        return next((release for release in found if not release.unfinished), None)

    def _look_at(self, watched: Watched, release: Release) -> None:
        project = self._projects().get(release.project)
        platform = self._platforms(project.target.platform) if project is not None else None
        place = release.memory.get("place")
        if project is None or platform is None or place is None or watched.lane.standing is None:
            return
        paths = project.target.paths
        current = on_paths(platform.domain(place["team_id"], project.target.domain).connections, paths)
        lane = watched.lane
        if same(current, on_paths(lane.standing or {}, paths)):
            return
        sent = late.among(watched.unanswered, current, paths)
        if sent is None or same(current, on_paths(lane.connections or {}, paths)):
            ours = same(current, on_paths(lane.connections or {}, paths))
            self._watching.note_drift(watched, None if ours else dict(current))
            return
        if lane.hold is not None:  # a person was asked to look, and may be at it
            log.warning("%s of %s: %s", late.in_sentence(sent), lane.name, in_words(current))
            return
        log.warning("%s in %s; putting it right", late.in_sentence(sent), lane.name)
        self._watching.repair(release.id, repair.request())
