"""What releases by the clock: schedules, sweeps and polls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config.triggers import CatchUpTrigger, PollTrigger, ScheduleTrigger
from workers.flow.triggers.model import TRIGGERS, ProjectRules, Ruling, candidate_of, place_of, token_hint
from workers.flow.triggers.questions import DefaultBranch, HeadOfBranch, Inquiry
from workers.releases.events import Event

_LONGEST_GAP = timedelta(days=2)
"""No clock was ever put forward by more than a day."""
_MINUTE = timedelta(minutes=1)
_CATCH_UP = CatchUpTrigger()


def next_time(schedule: ScheduleTrigger, after: float) -> float:
    """Return the next moment, later than `after`, at which the schedule runs; both in seconds since 1970.

    A time that the clocks skip runs at the first minute after the gap, once however many are skipped; a
    time that they repeat runs the first time. ValueError where the calendar ends first.
    """
    zone = schedule.clock
    local = datetime.fromtimestamp(after, zone).replace(tzinfo=None, fold=0)
    moment = schedule.times.next_from(local.replace(second=0, microsecond=0))
    while moment is not None:
        found = _instant(moment, zone).timestamp()
        # Instants never run backwards as local times go on, so the first one that is later is the next.
        if found > after:
            return found
        moment = schedule.times.next_from(moment + _MINUTE)
    raise ValueError("the calendar has no such time within eight years")


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when a clock in the zone first shows the time, or the first minute after a gap that skips it."""
    end = local + _LONGEST_GAP
    while local < end:
        moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == local:
            break
        local += _MINUTE
    return moment


def schedules_of(project: ProjectRules) -> tuple[ScheduleTrigger, ...]:
    """Return the project's schedules, in the order of the file."""
    return tuple(each for each in project.triggers if isinstance(each, ScheduleTrigger))


def schedule_event(project: ProjectRules, schedule: ScheduleTrigger) -> Event:
    """Return the event that `decide` takes when a schedule's time has come."""
    return Event(
        "schedule", repository=project.repository, facts={"branch": schedule.branch, "cron": schedule.cron}
    )


def judge_schedule(event: Event, project: ProjectRules, inquiry: Inquiry) -> list[Ruling]:
    """Say which commit a schedule releases: the head of its branch."""
    branch, cron = event.facts.get("branch"), event.facts.get("cron")
    schedule = next(
        (each for each in schedules_of(project) if (each.branch, each.cron) == (branch, cron)), None
    )
    if schedule is None:
        return [Ruling(f"project {project.name} no longer has this schedule", rule=TRIGGERS)]
    ruling = _scheduled(event, project, branch, f"the schedule {cron} has come", inquiry)
    return [ruling._replace(rule=place_of(project, schedule))]


def _scheduled(event: Event, project: ProjectRules, branch: object, said: str, inquiry: Inquiry) -> Ruling:
    if branch is None:
        default = DefaultBranch()
        if inquiry.is_open(default):
            return Ruling(f"{said}; {default} is asked", None, default)
        branch = inquiry.answers.to(default) if inquiry.is_known(default) else None
    if not isinstance(branch, str):
        return Ruling(f"{said}, but the default branch is not known; {token_hint(project)}")
    return _head_of(event, project, branch, said, inquiry)


def _head_of(event: Event, project: ProjectRules, branch: str, said: str, inquiry: Inquiry) -> Ruling:
    question = HeadOfBranch(branch)
    if inquiry.is_open(question):
        return Ruling(f"{said}; {question} is asked", None, question)
    if not inquiry.is_known(question):
        return Ruling(f"{said}, but {question} is not known; {token_hint(project)}")
    commit = inquiry.answers.to(question)
    if commit is None:
        return Ruling(f"{said}, but there is no branch {branch}")
    candidate = candidate_of(event, project, "schedule", f"refs/heads/{branch}", commit, said)
    return Ruling(f"{said}; the head of {branch} is {commit[:12]}", candidate)


def catch_up_every(project: ProjectRules, *, has_token: bool) -> float | None:
    """Return how often (seconds) the project's branches are swept for lost pushes, or None for never.

    Without an entry of its own every project is swept, wherever the host has a token.
    """
    trigger = next((each for each in project.triggers if isinstance(each, CatchUpTrigger)), _CATCH_UP)
    return trigger.every if has_token and trigger.enabled else None


def poll_every(project: ProjectRules, *, has_token: bool) -> float | None:
    """Return how often (seconds) the host is asked for new commits, or None for never."""
    trigger = next((each for each in project.triggers if isinstance(each, PollTrigger)), None)
    return trigger.every if has_token and trigger is not None else None
