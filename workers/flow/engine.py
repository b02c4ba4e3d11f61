"""The engine: take a release, look, write the intent, call, write the outcome, and let go.

It is driven from outside by wake-ups that may come late, twice or not at all; whatever dies in between,
the next look finds everything it needs in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from config.projects import ProjectSettings
from workers.errors import (
    Effect,
    Gone,
    IllegalMove,
    LeaseLost,
    NotFound,
    PlatformError,
    Refused,
    TryAgain,
)
from workers.flow import cleanup, rollback
from workers.flow.moves import BLOCKED_LOOK_SECONDS, Writer, note
from workers.flow.outcomes import (
    Call,
    CleanedUp,
    End,
    Enter,
    Fail,
    Outcome,
    Skip,
    Wait,
)
from workers.flow.ports import Platform, Web
from workers.flow.steps.base import Step
from workers.flow.steps.build import Build
from workers.flow.steps.create import Create
from workers.flow.steps.gates import Gate
from workers.flow.steps.observe import Observe
from workers.flow.steps.run import Run
from workers.flow.steps.switch import Switch
from workers.flow.steps.verify import Verify
from workers.flow.turn import Turn
from workers.flow.waiting import back_off
from workers.flow.watchdog import is_stuck
from workers.releases.model import JSON, Cause, Lease, Move, Release, Taken
from workers.releases.moves import Applied, Blocked, Moved, Stopped
from workers.releases.places import Stage
from workers.releases.probing import Tally
from workers.releases.status import Status

log = logging.getLogger(__name__)

ZERO_DOWNTIME: tuple[Step, ...] = (
    Create(),
    Build(Stage.PREPARE),
    Build(Stage.TEST),
    Run(),
    Verify(),
    Gate("checks", "outside checks"),
    Gate("approval", "approval"),
    Switch(),
    Observe(),
)
STEPS: Mapping[str, Mapping[str, Step]] = {"zero-downtime": {step.name: step for step in ZERO_DOWNTIME}}

MOST_MOVES = 10
MOST_SECONDS = 5.0
"""So much one wake-up does under one lease; a call per wake-up would cost seconds per release."""
MOST_ATTEMPTS = 3
MOST_EXPIRIES = 5
"""A release whose lease runs out so often in a row without a move kills its worker."""
CLEANUP_GIVES_UP_SECONDS = 7 * 24 * 3600.0
CLEANUP_FIRST_SECONDS, CLEANUP_LAST_SECONDS = 300.0, 6 * 3600.0
"""A refused deletion is tried again after as long as it has been due, within these bounds."""
UNWATCHED_STEPS = frozenset({"switch", "observe"})


class Store(Protocol):
    """The part of the store that the engine needs (`workers.store.releases.ReleaseStore`)."""

    def take(self, release_id: str, owner: str, *, only_called: bool = True) -> Taken | None:
        """Take the lease of a release, or None."""
        ...

    def apply(self, move: Move, lease: Lease) -> Applied:
        """Write a move, or nothing."""
        ...

    def now(self) -> float:
        """Return the store's time in seconds."""
        ...

    def settings(self, digest: str) -> JSON:
        """Return the project settings that a release began with."""
        ...


class Probes(Protocol):
    """What the probers counted (`workers.store.probes.ProbeStore`)."""

    def read(self, release_id: str) -> Tally | None:
        """Return the tally of a release's probes, or None when there are none."""
        ...


class Held(Protocol):
    """A lease that somebody keeps renewing (`workers.leases.HeldLease`)."""

    @property
    def lost(self) -> bool:
        """Tell whether the lease has passed on, by our own clock as well."""
        ...

    def renewed(self, asked_at: float) -> None:
        """Note that the store kept the lease; `asked_at` is our monotonic time before it was asked."""
        ...


class Keeper(Protocol):
    """Renews leases while their releases are worked on (`workers.leases.Renewer`)."""

    def hold(self, lease: Lease, *, since: float | None = None) -> AbstractContextManager[Held]:
        """Renew a lease for as long as the block lasts."""
        ...


@dataclass(frozen=True, slots=True)
class PlatformBinding:
    """A configured platform: its driver and its usual time between two looks (seconds)."""

    platform: Platform
    poll_interval: float


class Engine:
    """Moves releases. `platforms` is asked by name each time and returns None for one not configured.

    `bound` ends all that this thread sends and receives after so many seconds, counted from now.
    """

    def __init__(
        self,
        *,
        store: Store,
        probes: Probes,
        keeper: Keeper,
        platforms: Callable[[str], PlatformBinding | None],
        web: Web,
        writer: Writer,
        owner: str,
        clock: Callable[[], float],
        bound: Callable[[float], AbstractContextManager[None]],
    ) -> None:
        self._store = store
        self._probes = probes
        self._keeper = keeper
        self._platforms = platforms
        self._web = web
        self._writer = writer
        self._owner = owner
        self._clock = clock
        self._bound = bound
        self._projects: dict[str, ProjectSettings] = {}

    def advance(self, release_id: str) -> None:
        """Do what is due for a release, if somebody called for it and nobody else holds it.

        Raises `StoreAway` when the store cannot be reached: the release is due again by itself.
        """
        asked_at = self._clock()
        taken = self._store.take(release_id, self._owner)
        if taken is None:
            return
        with self._keeper.hold(taken.lease, since=asked_at) as held:
            try:
                self._work(taken, held)
            except (LeaseLost, IllegalMove) as error:
                # A queued release may be cancelled or superseded while we look: the script refuses then.
                log.info("let go of release %s: %s", release_id, error)

    def _work(self, taken: Taken, held: Held) -> None:
        turn = self._turn(taken)
        if turn is None:
            self._apply(_unconfigured(taken.release, self._project(taken.release)), taken.lease, held)
            return
        began = self._clock()
        for _ in range(MOST_MOVES):
            outcome = self._outcome(turn, taken.expiries)
            turn, go_on = self._carry_out(turn, outcome, taken.lease, held)
            if not go_on:
                return
            if self._clock() - began >= MOST_SECONDS:
                break
        self._apply(Move(turn.release, turn.release.status, due=0.0, let_go=True), taken.lease, held)

    def _turn(self, taken: Taken) -> Turn | None:
        release = taken.release
        project = self._project(release)
        binding = self._platforms(project.target.platform)
        if binding is None:
            return None
        return Turn(
            release=release,
            lane=taken.lane,
            project=project,
            platform=binding.platform,
            web=self._web,
            now=taken.now,
            poll_interval=binding.poll_interval,
            target_holder=taken.target_holder,
            usual={release.step or "": taken.usual},
        )

    def _project(self, release: Release) -> ProjectSettings:
        project = self._projects.get(release.config)
        if project is None:
            project = ProjectSettings.from_snapshot(self._store.settings(release.config))
            self._projects[release.config] = project
        return project

    def _outcome(self, turn: Turn, expiries: int) -> Outcome:
        """Look once; every way in which a platform can fail becomes an outcome here."""
        turn = self._with_tally(turn)
        try:
            outcome = decide(turn, expiries)
        except TryAgain as error:
            outcome = self._backed_off(turn, error)
        except (Refused, Gone) as error:
            outcome = _given_up(turn, error)
        return _in_time(turn, outcome)

    def _with_tally(self, turn: Turn) -> Turn:
        if turn.release.step not in UNWATCHED_STEPS or not turn.release.unfinished:
            return turn
        return replace(turn, tally=self._probes.read(turn.release.id))

    def _backed_off(self, turn: Turn, error: TryAgain) -> Wait:
        errors = int(turn.scratch.get("errors", 0)) + 1
        return Wait(
            f"the platform does not answer as it should: {error}",
            after=back_off(errors, error.wait, self._writer.jitter()),
            scratch={"errors": errors, "last_error": str(error)},
        )

    def _carry_out(self, turn: Turn, outcome: Outcome, lease: Lease, held: Held) -> tuple[Turn, bool]:
        """Write an outcome down, make its call if it is one, and say whether to go on at once."""
        turn = self._with_tally(turn)
        if isinstance(outcome, Call):
            # The look before it may have been slow, and a call may take effect for so long from its sending.
            turn = replace(turn, now=self._store.now())
        move = self._writer.move(turn, outcome)
        applied = self._apply(move, lease, held)
        if isinstance(applied, Stopped):
            self._apply(Move(turn.release, turn.release.status, due=0.0, let_go=True), lease, held)
            return turn, False
        if isinstance(applied, Blocked):
            self._apply(self._writer.blocked(turn, applied.why), lease, held)
            return turn, False
        turn = replace(turn, release=move.release, now=applied.now)
        if isinstance(outcome, Call):
            return self._send(turn, outcome, lease, held)
        return turn, not move.let_go

    def _send(self, turn: Turn, call: Call, lease: Lease, held: Held) -> tuple[Turn, bool]:
        try:
            answer = self._sent(call, lease, held)
        except TryAgain as error:
            wait = self._backed_off(turn, error)
            move = self._writer.unanswered(turn, wait, settled=error.effect is Effect.NONE)
            self._apply(move, lease, held)
            return turn, False
        except (Refused, Gone) as error:
            turn = replace(turn, release=replace(turn.release, intent=None))
            outcome = call.refused(str(error)) if call.refused else _given_up(turn, error)
            return self._carry_out(turn, outcome, lease, held)
        move = self._writer.answered(turn, call, answer)
        applied = self._apply(move, lease, held)
        now = applied.now if isinstance(applied, Moved) else turn.now
        return replace(turn, release=move.release, now=now), True

    def _sent(self, call: Call, lease: Lease, held: Held) -> JSON:
        with nullcontext() if call.at_most is None else self._bound(call.at_most):
            if held.lost:
                raise LeaseLost(f"release {lease.release}: the lease ran out before the call was sent")
            return call.send()

    def _apply(self, move: Move, lease: Lease, held: Held) -> Applied:
        asked_at = self._clock()
        applied = self._store.apply(move, lease)
        if isinstance(applied, Moved):
            held.renewed(asked_at)
        return applied


def decide(turn: Turn, expiries: int) -> Outcome:
    """Return what follows for a release as it stands. Reads the platform, changes nothing."""
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
    return _done_before(turn, step) or step.look(turn)


def _done_before(turn: Turn, step: Step) -> Skip | None:
    """Skip what the failed release had done already in the workspace that its retry took over."""
    resume_at, order = turn.memory.get("resume_at"), list(STEPS[turn.release.flow])
    if resume_at is None or not 0 < order.index(step.name) < order.index(resume_at):
        return None
    return Skip(f"done by release #{turn.memory.get('resumed_from')}, whose workspace this one took over")


def step_of(release: Release) -> Step:
    """Return the step that a release is at."""
    step = STEPS.get(release.flow, {}).get(release.step or "")
    if step is None:
        raise NotFound(f"release {release.id}: flow {release.flow} has no step {release.step}")
    return step


def _after_the_end(turn: Turn, expiries: int) -> Outcome:
    if expiries >= MOST_EXPIRIES:
        return _set_aside(turn, f"{expiries} workers in a row died or froze while they worked on it")
    if turn.release.operation is not None and turn.release.status is Status.LIVE:
        return rollback.settle(turn) if turn.release.intent is not None else rollback.look(turn)
    return cleanup.look(turn)


def _unconfigured(release: Release, project: ProjectSettings) -> Move:
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
    if turn.release.operation is not None and turn.release.status is Status.LIVE:
        return rollback.failed(turn, why)
    return CleanedUp(f"left: {why}")


def _given_up(turn: Turn, error: PlatformError) -> Outcome:
    """Say what follows when the platform refuses for good."""
    if turn.release.unfinished:
        return Fail(Cause.REFUSED, str(error), hold=_unknown(turn, error))
    if turn.release.operation is not None and turn.release.status is Status.LIVE:
        return rollback.failed(turn, str(error))
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


def _in_time(turn: Turn, outcome: Outcome) -> Outcome:
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
