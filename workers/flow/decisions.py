"""What follows for a release as it stands: pure but for the looks that its step takes.

Every way in which a platform can fail, or a step take too long, becomes an outcome here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from config.projects import ProjectSettings
from workers.errors import PlatformError
from workers.flow import cleanup, repair, rollback, standing
from workers.flow.flows import STEPS, step_of
from workers.flow.moves import BLOCKED_LOOK_SECONDS, note
from workers.flow.outcomes import Call, CleanedUp, End, Enter, Fail, Outcome, Skip, Wait
from workers.flow.steps.base import Step
from workers.flow.turn import Turn
from workers.flow.waiting import back_off
from workers.flow.watchdog import is_stuck
from workers.releases.model import Cause, Move, Release
from workers.releases.status import Status

MOST_ATTEMPTS = 3
MOST_EXPIRIES = 5
"""A release whose lease runs out so often in a row without a move kills its worker."""
CLEANUP_GIVES_UP_SECONDS = 7 * 24 * 3600.0
CLEANUP_FIRST_SECONDS, CLEANUP_LAST_SECONDS = 300.0, 6 * 3600.0
"""A refused deletion is tried again after as long as it has been due, within these bounds."""


def decide(turn: Turn, expiries: int) -> Outcome:
    """Return what follows for a release as it stands. Reads platform and Git host, changes nothing."""
    release = turn.release
    if not release.unfinished:
        return _after_the_end(turn, expiries)
    if expiries >= MOST_EXPIRIES:
        return Fail(
            Cause.APPLICATION,
            f"{expiries} workers in a row died or froze while they worked on this release",
            hold=f"release #{release.number} stopped in the middle of its switch"
            if release.past_switch
            else None,
        )
    if release.stop is not None and not release.past_switch:
        return End(release.stop.to, release.stop.reason)
    if release.flow not in STEPS:
        return Fail(Cause.CONFIGURATION, f"this version of Switchover does not carry out flow {release.flow}")
    if release.status is Status.QUEUED:
        return Enter(effects={"by_person": True} if release.by_person else {})
    step = step_of(release)
    if release.intent is not None:
        return step.settle(turn)
    return standing.look(turn, step) or _done_before(turn, step) or step.look(turn)


def _done_before(turn: Turn, step: Step) -> Skip | None:
    """Skip what the failed release had done already in the workspace that its retry took over."""
    resume_at, order = turn.memory.get("resume_at"), list(STEPS[turn.release.flow])
    if resume_at is None or not 0 < order.index(step.name) < order.index(resume_at):
        return None
    return Skip(f"done by release #{turn.memory.get('resumed_from')}, whose workspace this one took over")


class Asked(Protocol):
    """What may be asked of a release that has ended."""

    def look(self, turn: Turn) -> Outcome:
        """Look once and say what follows."""
        ...

    def settle(self, turn: Turn) -> Outcome:
        """Find out what became of the call of the open intent."""
        ...

    def failed(self, turn: Turn, why: str) -> Outcome:
        """Say that it cannot be done."""
        ...


def _after_the_end(turn: Turn, expiries: int) -> Outcome:
    if expiries >= MOST_EXPIRIES:
        return _set_aside(turn, f"{expiries} workers in a row died or froze while they worked on it")
    asked = _asked(turn)
    if asked is not None:
        return asked.settle(turn) if turn.release.intent is not None else asked.look(turn)
    return cleanup.look(turn)


def _asked(turn: Turn) -> Asked | None:
    """Return what was asked of a release that has ended: a rollback of a live one, a repair, or nothing."""
    if turn.release.operation is None:
        return None
    if turn.release.operation["kind"] == repair.KIND:
        return repair
    return rollback if turn.release.status is Status.LIVE else None


def unconfigured(release: Release, project: ProjectSettings) -> Move:
    """Return the move that says which platform is missing, and lets go: the settings may bring it back."""
    why = f"platform {project.target.platform} is not configured any more; put it back into platforms"
    return Move(
        replace(release, blocked_by=why, waiting_for=why),
        was=release.status,
        events=() if release.blocked_by == why else (note(why),),
        due=BLOCKED_LOOK_SECONDS,
        let_go=True,
    )


def _set_aside(turn: Turn, why: str) -> Outcome:
    """End what a release that kills its workers still wanted, and leave its workspace for a person."""
    asked = _asked(turn)
    if asked is not None:
        return asked.failed(turn, why)
    return CleanedUp(f"left: {why}")


def given_up(turn: Turn, error: PlatformError) -> Outcome:
    """Say what follows when the platform refuses for good."""
    if turn.release.unfinished:
        return Fail(Cause.REFUSED, str(error), hold=_unknown(turn, error))
    asked = _asked(turn)
    if asked is not None:
        return asked.failed(turn, str(error))
    since = turn.release.finished_at or turn.now
    if turn.now - since > CLEANUP_GIVES_UP_SECONDS:
        return CleanedUp(f"left: {error}")
    seldom = min(max(turn.now - since, CLEANUP_FIRST_SECONDS), CLEANUP_LAST_SECONDS)
    return Wait(f"the workspace cannot be removed yet: {error}", after=seldom)


def _unknown(turn: Turn, error: PlatformError) -> str | None:
    """Return why the lane must be held when the platform refuses after the switch began, or None."""
    if not turn.release.past_switch:
        return None
    return (
        f"what {turn.project.target.domain} leads to could not be found out after the switch of release "
        f"#{turn.release.number} ({error}): check it, then release the hold"
    )


def in_time(turn: Turn, outcome: Outcome) -> Outcome:
    """Let a step's deadline count on everything that waits or calls (again), errors included."""
    if not isinstance(outcome, Wait | Call) or not turn.release.unfinished or turn.release.step is None:
        return outcome
    step = step_of(turn.release)
    begun = turn.release.record(step.name).started_at or turn.now
    patience_from = max(begun, float(turn.scratch.get("patience_from", 0.0)))
    waited, timeout = turn.now - patience_from, step.timeout(turn.project)
    if waited < timeout:
        return _watched(turn, outcome, waited, timeout)
    last, platforms_fault = _seen_last(turn, outcome)
    over = step.overdue(turn, last, Cause.TRANSIENT if platforms_fault else Cause.APPLICATION)
    return _once_more(turn, over) if isinstance(over, Fail) else over


def _seen_last(turn: Turn, outcome: Wait | Call) -> tuple[str, bool]:
    """Return what was seen last, and whether it was the platform that did not do its part."""
    error = turn.scratch.get("last_error")
    errors = bool(outcome.scratch.get("errors") or turn.scratch.get("errors"))
    if isinstance(outcome, Call):  # called again and again, or it would not be called this late
        return error or outcome.why, errors or error is not None
    if turn.release.intent is None or errors:
        return outcome.why, errors
    return f"{outcome.why} ({error})" if error else outcome.why, True


def _watched(turn: Turn, outcome: Wait | Call, waited: float, timeout: float) -> Outcome:
    """Tell people once in a step that it takes suspiciously long."""
    usual = turn.usual.get(turn.release.step or "", ())
    told = bool(turn.scratch.get("stuck_told"))
    if told or not isinstance(outcome, Wait) or not is_stuck(waited, usual, timeout):
        return outcome
    return replace(outcome, scratch={**outcome.scratch, "stuck_told": True})


def _once_more(turn: Turn, over: Fail) -> Outcome:
    """A platform that was away for a step's whole time gets it again, a bounded number of times.

    After the switch began nothing is tried again by itself: production must not wait for that.
    """
    release = turn.release
    if over.cause is not Cause.TRANSIENT or release.past_switch or release.attempt >= MOST_ATTEMPTS:
        return over
    return Wait(
        f"{over.message}; attempt {release.attempt + 1} of {MOST_ATTEMPTS} follows",
        after=back_off(release.attempt + 4, None, 0.5),
        scratch={"patience_from": turn.now, "errors": None, "stuck_told": None},
        new_attempt=True,
    )
