"""Schedules: each time is dealt with once, by whichever worker comes first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from config.projects import ProjectSettings
from config.settings import Settings
from config.triggers import ScheduleTrigger
from workers.errors import PlatformError, TryAgain
from workers.flow.admission import Stood
from workers.flow.looking.found import Admission, Admitting, Ids, delivery_id
from workers.flow.looking.heads import BRANCH
from workers.flow.ports import GitHost
from workers.flow.triggers import next_time, schedule_event, schedules_of
from workers.releases.events import DeliveryFacts
from workers.releases.looks import Known, Taken

LATE_SECONDS = 3600.0
"""A time that was missed is made up for within so long; of several the latest."""
TRY_AGAIN_SECONDS = 30.0
"""Where the host did not answer, it is asked again after so long."""

log = logging.getLogger(__name__)


class ScheduleStore(Protocol):
    """Where it stands which times were dealt with (`workers.store.sweeps.SweepStore`)."""

    def handled(self) -> dict[str, float]:
        """Return the time that was last dealt with, by the name of the schedule."""
        ...

    def handle(self, schedule: str, time: float) -> None:
        """Note that a schedule's time was dealt with, and those before it."""
        ...

    def take(self, names: Sequence[str], *, lease: float) -> Taken | None:
        """Take a turn that is due, for so many seconds."""
        ...

    def known(self, project: str, refs: Sequence[str]) -> Known:
        """Return what a project knows of these full refs."""
        ...


def due_time(schedule: ScheduleTrigger, handled: float, now: float) -> float | None:
    """Return the latest time of the schedule that is later than `handled`, or None.

    Times are seconds since 1970. None also where that time is `LATE_SECONDS` ago, or longer.
    """
    found = None
    after = max(handled, now - LATE_SECONDS)
    while True:
        try:
            after = next_time(schedule, after)
        except ValueError:  # the calendar has no such time any more
            return found
        if after > now:
            return found
        found = after


def name_of(project: ProjectSettings, schedule: ScheduleTrigger) -> str:
    """Return what a schedule goes by; one that is changed is another."""
    return f"{project.name} {schedule.cron} {schedule.zone} {schedule.branch or '(default)'}"


class Scheduler:
    """Releases the heads of branches when their times have come."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings],
        hosts: Callable[[str], GitHost | None],
        store: ScheduleStore,
        intake: Admitting,
        now: Callable[[], float],
        ids: Ids,
    ) -> None:
        self._settings = settings
        self._hosts = hosts
        self._store = store
        self._admission = Admission(settings, intake, ids)
        self._now = now

    def run(self) -> None:
        """Deal with every time that has come. `StoreAway` when that cannot be told."""
        projects = [each for each in self._settings().projects.values() if schedules_of(each)]
        if not projects:
            return
        handled, now = self._store.handled(), self._now()
        for project in projects:
            for schedule in schedules_of(project):
                self._look_at(project, schedule, handled, now)

    def _look_at(
        self, project: ProjectSettings, schedule: ScheduleTrigger, handled: Mapping[str, float], now: float
    ) -> None:
        name = name_of(project, schedule)
        if name not in handled:
            self._store.handle(name, now)  # nothing was missed before we knew of it
            return
        time = due_time(schedule, handled[name], now)
        if time is None or self._store.take([f"schedule {name}"], lease=TRY_AGAIN_SECONDS) is None:
            return
        try:
            self._release(project, schedule, time)
        except TryAgain as error:
            log.warning("schedule %s of %s waits for the host: %s", schedule.cron, project.name, error)
        except PlatformError as error:
            log.warning("schedule %s of %s released nothing: %s", schedule.cron, project.name, error)
            self._store.handle(name, time)
        else:
            self._store.handle(name, time)

    def _release(self, project: ProjectSettings, schedule: ScheduleTrigger, time: float) -> None:
        host = self._hosts(project.host)
        event = schedule_event(project, schedule)
        stood: Stood = {}
        branch = schedule.branch
        if host is not None:
            facts = host.repository(project.repository)
            branch = branch or facts.default_branch
            event = replace(event, repository_id=facts.id, clone_url=facts.clone_url)
        if branch is not None:
            # Read before the host is asked for the head, so that a push in between is noticed.
            ref = BRANCH + branch
            known = self._store.known(project.name, [ref])
            stood = {(project.name, ref): known.accepted.get(ref, "")}
        minute = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%MZ")
        delivery = delivery_id("schedule", project.host, name_of(project, schedule), minute)
        verdict = self._admission.admit(
            DeliveryFacts(project.host, delivery, "schedule"), event, [project], stood=stood, host=host
        )
        log.info(
            "schedule %s of %s, %s: %s (%s)",
            schedule.cron,
            project.name,
            minute,
            verdict.verdict,
            verdict.reason,
        )
