"""What a step sees when it looks: the release, its settings, the outside, and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.projects import ProjectSettings
from workers.flow.ports import GitHost, Platform, Web
from workers.releases.identity import mark_of
from workers.releases.model import JSON, Intent, Lane, Release
from workers.releases.places import Pipeline, Place, Service, Workspace
from workers.releases.probing import Tally
from workers.releases.sent import SentMap


def nothing_sent(_target: str) -> Sequence[SentMap]:
    """Return that no switch call to a target went unanswered."""
    return ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One look at one release. `now` is the store's time in seconds."""

    release: Release
    lane: Lane
    project: ProjectSettings
    platform: Platform
    web: Web
    now: float
    poll_interval: float
    tally: Tally | None = None
    """What the probes of production saw so far, where they were asked for."""
    target_holder: str | None = None
    """The release that holds the target's lock, looked up for cleaning up only."""
    git_host: GitHost | None = None
    """What asks the project's Git host, or None when it cannot be asked."""
    usual: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """How long (seconds) the step that the turn began with took the last times, by its name."""
    late: float = 0.0
    """How late (seconds) the look is, counted from when it was due."""
    unanswered: Callable[[str], Sequence[SentMap]] = nothing_sent
    """The switch calls to a target (by its key) that nobody answered, newest first; asks the store."""

    @property
    def scratch(self) -> JSON:
        """Return what this step noted for itself."""
        noted: JSON = self.release.memory.get("scratch", {})
        return noted

    @property
    def memory(self) -> JSON:
        """Return what the release noted for all its steps."""
        return self.release.memory

    @property
    def waited(self) -> float:
        """Return for how many seconds the current step has been going on."""
        started = self.release.record(self.release.step or "").started_at
        return 0.0 if started is None else max(0.0, self.now - started)

    @property
    def mark(self) -> str:
        """Return the mark of the release's workspace; a taken-over one carries its first owner's."""
        mark: str = self.memory.get("mark") or mark_of(self.release.id)
        return mark

    @property
    def intent(self) -> Intent:
        """Return the open intent; only asked where there is one."""
        if self.release.intent is None:
            raise ValueError(f"release {self.release.id} has no open intent")
        return self.release.intent

    @property
    def may_still_take_effect(self) -> bool:
        """Tell whether the call of the open intent may yet be carried out."""
        return self.now < self.intent.settle_at

    @property
    def place(self) -> Place:
        """Return the resolved target, as the create step noted it, or the one taken over from did."""
        return place_from(self.memory.get("place") or self.memory["kept_place"])

    @property
    def workspace(self) -> Workspace:
        """Return the release's workspace, as the create step noted it."""
        return Workspace(**self.memory["workspace"])

    @property
    def pipeline(self) -> Pipeline:
        """Return what the pipeline file asks for, as the create step noted it."""
        return pipeline_from(self.memory["pipeline"])


def place_from(noted: dict[str, Any]) -> Place:
    """Decode a noted place."""
    return Place(**noted | {"warnings": tuple(noted.get("warnings", ()))})


def pipeline_from(noted: dict[str, Any]) -> Pipeline:
    """Decode a noted pipeline."""
    services = tuple(Service(**service) for service in noted["services"])
    return Pipeline(**noted | {"services": services, "warnings": tuple(noted.get("warnings", ()))})
