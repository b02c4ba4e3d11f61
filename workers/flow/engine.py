"""The engine: take a release, look, write the intent, call, write the outcome, and let go.

It is driven from outside by wake-ups that may come late, twice or not at all; whatever dies in between,
the next look finds everything it needs in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

from config.projects import ProjectSettings
from workers.errors import Effect, Gone, IllegalMove, LeaseLost, Refused, TryAgain
from workers.flow import late
from workers.flow.decisions import decide, given_up, in_time, unconfigured
from workers.flow.moves import Writer
from workers.flow.outcomes import Call, Outcome, Wait, with_effects
from workers.flow.ports import GitHost, Platform, Web
from workers.flow.turn import Turn
from workers.flow.waiting import back_off
from workers.releases.model import JSON, Lease, Move, Release, Taken
from workers.releases.moves import Applied, Blocked, Moved, Stopped
from workers.releases.probing import Tally
from workers.releases.sent import SentMap

log = logging.getLogger(__name__)

MOST_MOVES = 10
MOST_SECONDS = 5.0
"""So much one wake-up does under one lease; a call per wake-up would cost seconds per release."""
PROBED_STEPS = frozenset({"switch", "observe"})
"""Steps that read what the probers counted."""


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

    def unanswered(self, target: str) -> Sequence[SentMap]:
        """Return the switch calls to a target that nobody answered, newest first."""
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

    So is `git_hosts`, which returns None for one that cannot be asked.

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
        git_hosts: Callable[[str], GitHost | None] = lambda _: None,
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
        self._git_hosts = git_hosts
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
            self._apply(unconfigured(taken.release, self._project(taken.release)), taken.lease, held)
            return
        began, expiries = self._clock(), taken.expiries
        for _ in range(MOST_MOVES):
            outcome = self._outcome(turn, expiries)
            expiries = 0  # a move that was written ends the row, as it does in the store
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
            git_host=self._git_hosts(project.host),
            usual={release.step or "": taken.usual},
            unanswered=self._store.unanswered,
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
            outcome = given_up(turn, error)
        return in_time(turn, outcome)

    def _with_tally(self, turn: Turn) -> Turn:
        if turn.release.step not in PROBED_STEPS or not turn.release.unfinished:
            return turn
        return replace(turn, tally=self._probes.read(turn.release.id))

    def _backed_off(self, turn: Turn, error: TryAgain) -> Wait:
        errors = int(turn.scratch.get("errors", 0)) + 1
        return Wait(
            f"the platform does not answer as it should: {error}",
            after=back_off(errors, error.wait, self._writer.jitter()),
            scratch={"errors": errors, "last_error": str(error), "doubtful": error.doubtful},
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
            arrived = late.answered(turn.intent.data)
            turn = replace(turn, release=replace(turn.release, intent=None))
            outcome = call.refused(str(error)) if call.refused else given_up(turn, error)
            return self._carry_out(turn, with_effects(outcome, arrived), lease, held)
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
