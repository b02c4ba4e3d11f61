"""From an outcome to the move that writes it down. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from config.projects import ProjectSettings
from workers.flow import late
from workers.flow.outcomes import (
    Call,
    CleanedUp,
    Done,
    End,
    Enter,
    Fail,
    Note,
    OperationFailed,
    Outcome,
    PutRight,
    RolledBack,
    Settled,
    Skip,
    TakenBack,
    Wait,
)
from workers.flow.records import memory_with, memory_without_scratch, next_step, restarted, steps_with
from workers.flow.reports import with_report
from workers.flow.turn import Turn
from workers.flow.waiting import next_look
from workers.releases.codec import dumps
from workers.releases.model import FLOWS, JSON, Cause, Failure, Intent, Move, Release
from workers.releases.status import Status, StepStatus, check_move

LOCKED_LOOK_SECONDS = 1.0
"""Nobody tells a release that the target's lock is free: it may belong to another lane."""
BLOCKED_LOOK_SECONDS = 10.0
"""What blocks a release nudges it when it ends; this is for what nobody tells us of."""

Receivers = Callable[[ProjectSettings, str], Sequence[str]]
"""The receivers of a project that want a kind of notice."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Makes moves; knows only who is to be told, and a source of chance for jitter."""

    receivers: Receivers
    jitter: Callable[[], float]

    def move(self, turn: Turn, outcome: Outcome) -> Move:
        """Return the move that writes an outcome down (for a call: its intent)."""
        return with_report(turn, self._with_what_was_put_right(turn, self._moved(turn, outcome)))

    def _moved(self, turn: Turn, outcome: Outcome) -> Move:
        match outcome:
            case Wait():
                return self._wait(turn, outcome)
            case Note() | Settled():
                return _noted(turn, outcome)
            case Call():
                return _intended(turn, outcome)
            case Done():
                return self._done(turn, outcome)
            case Skip():
                return self._step_ends(turn, StepStatus.SKIPPED, outcome.detail, {}, {})
            case Enter():
                return _entered(turn, outcome)
            case Fail() | End() | TakenBack():
                return self._ended(turn, outcome)
            case RolledBack():
                return self._rolled_back(turn, outcome)
            case OperationFailed():
                return _operation_failed(turn, outcome)
            case PutRight():
                return Move(_without_operation(turn), turn.release.status, effects=outcome.effects)
            case CleanedUp():
                return _cleaned_up(turn, outcome)

    def _with_what_was_put_right(self, turn: Turn, move: Move) -> Move:
        """Tell people of a late call that was put right, whatever else the move says."""
        told = move.effects.get("put_right")
        if told is None:
            return move
        effects = {name: value for name, value in move.effects.items() if name != "put_right"}
        # Whoever hears of what was taken back hears of this, too.
        body = notice_body(turn, "put_right", told)
        notices = tuple((receiver, body) for receiver in self.receivers(turn.project, "rolled_back"))
        return replace(
            move, events=(*move.events, note(told)), notices=(*move.notices, *notices), effects=effects
        )

    def blocked(self, turn: Turn, why: str) -> Move:
        """Return the move that says what stands in the way, and lets go."""
        release = turn.release
        news = () if release.blocked_by == why else (note(why),)
        # Whoever may wait for days behind a freeze keeps the target from nobody, and has nothing to watch.
        locked = bool(turn.scratch.get("locked"))
        scratch: JSON = {"patience_from": turn.now}
        if locked:
            scratch |= {"locked": None, "watched": None}
        return Move(
            replace(release, blocked_by=why, waiting_for=why, memory=memory_with(turn, {}, scratch)),
            was=release.status,
            events=news,
            effects={"unlock": turn.place.key, "unwatch": True} if locked else {},
            due=LOCKED_LOOK_SECONDS if why.startswith("the target is held") else BLOCKED_LOOK_SECONDS,
            let_go=True,
        )

    def answered(self, turn: Turn, call: Call, answer: JSON) -> Move:
        """Return the move that writes the answer of a call down."""
        scratch = {"errors": 0, **answer.get("scratch", {})}
        memory = {name: value for name, value in answer.items() if name not in ("scratch", "workspace_id")}
        workspace_id = answer.get("workspace_id", turn.release.workspace_id)
        release = replace(
            turn.release, memory=memory_with(turn, memory, scratch), intent=None, workspace_id=workspace_id
        )
        arrived = late.answered(turn.intent.data) if turn.release.intent is not None else {}
        return Move(release, was=release.status, effects={**_ledger(release, answer), **arrived}, events=())

    def unanswered(self, turn: Turn, wait: Wait, *, settled: bool) -> Move:
        """Return the move for a call that failed; `settled` when it surely had no effect."""
        move = self._wait(turn, wait)
        if not settled:
            return move
        effects = {**move.effects, **late.answered(turn.intent.data)}
        return replace(move, release=replace(move.release, intent=None), effects=effects)

    def _wait(self, turn: Turn, wait: Wait) -> Move:
        release = turn.release
        waited = turn.waited if release.unfinished else LONG_WAIT
        after = next_look(waited, turn.poll_interval, self.jitter()) if wait.after is None else wait.after
        news = () if release.waiting_for == wait.why else (note(wait.why),)
        if not release.unfinished and release.operation is None:
            release = replace(release, cleanup=wait.why)
        if wait.new_attempt:
            release = replace(release, attempt=release.attempt + 1, steps=restarted(release))
        scratch = {"errors": 0, **wait.scratch}
        return Move(
            replace(release, waiting_for=wait.why, blocked_by=None, memory=memory_with(turn, {}, scratch)),
            was=release.status,
            events=news,
            notices=self._stuck(turn, wait) if wait.scratch.get("stuck_told") else (),
            effects=wait.effects,
            due=max(after, 0.0),
            let_go=True,
        )

    def _stuck(self, turn: Turn, wait: Wait) -> tuple[tuple[str, JSON], ...]:
        seconds = f"{turn.waited:.0f} s"
        return self._notices(
            turn, "stuck", f"{turn.release.step} has been going on for {seconds}; waiting for: {wait.why}"
        )

    def _done(self, turn: Turn, done: Done) -> Move:
        took: JSON = {"took": [turn.release.step, int(turn.waited * 1000)]}
        return self._step_ends(turn, StepStatus.DONE, done.detail, done.memory, {**done.effects, **took})

    def _step_ends(self, turn: Turn, status: StepStatus, detail: str, memory: JSON, effects: JSON) -> Move:
        release = turn.release
        steps = steps_with(release, release.step or "", status, turn.now, detail)
        following = next_step(release)
        kept = {name: value for name, value in turn.memory.items() if name != "scratch"} | memory
        events = (step_line(release.step or "", status, detail),)
        moved = replace(release, steps=steps, memory=kept, waiting_for=None, blocked_by=None)
        if following is None:
            return self._live(turn, moved, effects, events)
        begun = steps_with(moved, following, StepStatus.RUNNING, turn.now, None)
        return Move(
            replace(moved, step=following, steps=begun),
            was=release.status,
            events=(*events, step_line(following, StepStatus.RUNNING, None)),
            effects=effects,
        )

    def _live(self, turn: Turn, release: Release, effects: JSON, events: tuple[JSON, ...]) -> Move:
        former = turn.lane.live if turn.lane.live != release.id else None
        live = _to(
            release,
            Status.LIVE,
            f"live on {turn.project.target.domain}",
            previous=former,
            downtime=turn.tally.downtime(turn.project.observe.every, turn.now) if turn.tally else None,
        )
        more: JSON = {**effects, "live": str(release.number), "leave": True}
        return Move(live, release.status, events, self._notices(turn, "live", live.reason), more)

    def _ended(self, turn: Turn, outcome: Fail | End | TakenBack) -> Move:
        release = turn.release
        effects: JSON
        kind: str | None
        if isinstance(outcome, End):
            ended, effects = _to(release, outcome.to, outcome.reason), {"stop_heard": True}
            kind = None
        else:
            to = Status.FAILED if isinstance(outcome, Fail) else Status.ROLLED_BACK
            failure = _failure(release, outcome)
            ended = _to(release, to, failure.message, failure=failure)
            effects = {"failed": True, **outcome.effects, "stop_heard": True}
            kind = to.value
        ended = _with_ended_step(ended, turn)
        effects["leave"] = True
        if "place" in turn.memory:
            effects |= {"unlock": turn.place.key, "unwatch": True}
        if isinstance(outcome, Fail) and outcome.hold:
            effects["hold"] = hold_text(outcome.hold)
        notices = self._notices(turn, kind, ended.reason) if kind else ()
        return Move(ended, release.status, _end_lines(ended), notices, effects)

    def _rolled_back(self, turn: Turn, outcome: RolledBack) -> Move:
        release = replace(
            _to(turn.release, Status.ROLLED_BACK, outcome.reason), memory=memory_without_scratch(turn)
        )
        return Move(
            release,
            turn.release.status,
            (note(outcome.reason),),
            self._notices(turn, "rolled_back", outcome.reason),
            outcome.effects,
        )

    def _notices(self, turn: Turn, kind: str, reason: str) -> tuple[tuple[str, JSON], ...]:
        body = notice_body(turn, kind, reason)
        return tuple((receiver, body) for receiver in self.receivers(turn.project, kind))


LONG_WAIT = 1200.0
"""Cleaning up is in no hurry: it is looked at as seldom as a step that has been going on for so long."""


def note(text: str) -> JSON:
    """Return a line of history that is a plain sentence."""
    return {"type": "note", "text": text}


def step_line(name: str, status: StepStatus, detail: str | None) -> JSON:
    """Return a line of history about a step."""
    return {"type": "step", "step": name, "status": status.value, "detail": detail}


def hold_text(reason: str) -> str:
    """Return a lane's hold for the store."""
    return dumps({"reason": reason})


def notice_body(turn: Turn, kind: str, reason: str) -> JSON:
    """Return what a notice is worded from; holds no secret."""
    release, target = turn.release, turn.project.target
    return {
        "kind": kind,
        "release": release.id,
        "project": release.project,
        "number": release.number,
        "commit": release.commit,
        "ref": release.ref,
        "step": release.step,
        "reason": reason,
        "domain": target.domain,
        "url": target.public_url,
        "at": turn.now,
    }


def _noted(turn: Turn, outcome: Note | Settled) -> Move:
    memory = {name: value for name, value in outcome.memory.items() if name != "workspace_id"}
    # That a read told what became of an unanswered call does not make the next such call come sooner.
    errors = {} if isinstance(outcome, Settled) else {"errors": 0}
    release = replace(
        turn.release,
        memory=memory_with(turn, memory, {**errors, **outcome.scratch}),
        workspace_id=outcome.memory.get("workspace_id", turn.release.workspace_id),
        intent=None if isinstance(outcome, Settled) else turn.release.intent,
    )
    events = (note(outcome.text),) if outcome.text else ()
    effects = {**outcome.effects, **_ledger(release, outcome.memory)}
    return Move(release, was=turn.release.status, events=events, effects=effects)


def _intended(turn: Turn, call: Call) -> Move:
    release = turn.release
    intent = Intent(call.kind, turn.now, turn.now + call.settle_seconds, call.data)
    scratch = {"sent_at": turn.now, **call.scratch}
    effects: JSON = dict(call.effects)
    if release.unfinished and not release.past_switch:
        effects["unless_stopped"] = True
    return Move(
        replace(
            release,
            intent=intent,
            waiting_for=call.why,
            blocked_by=None,
            past_switch=release.past_switch or "switch" in call.effects,
            memory=memory_with(turn, call.memory, scratch),
        ),
        was=release.status,
        events=(note(call.why),),
        effects=effects,
    )


def _entered(turn: Turn, enter: Enter) -> Move:
    release = turn.release
    first = FLOWS[release.flow][0]
    steps = steps_with(release, first, StepStatus.RUNNING, turn.now, None)
    begun = replace(
        release,
        status=Status.RUNNING,
        reason=release.reason,
        step=first,
        steps=steps,
        started_at=turn.now,
        blocked_by=None,
        waiting_for=None,
    )
    check_move(release.id, release.status, begun.status)
    line = step_line(first, StepStatus.RUNNING, None)
    return Move(begun, release.status, (line,), effects={**enter.effects, "enter": True})


def _operation_failed(turn: Turn, outcome: OperationFailed) -> Move:
    repair = (turn.release.operation or {}).get("kind") == "repair"
    what = "the late switch was not put right" if repair else "the rollback was not done"
    line = note(f"{what}: {outcome.reason}")
    return Move(_without_operation(turn), turn.release.status, (line,), effects=outcome.effects)


def _without_operation(turn: Turn) -> Release:
    return replace(
        turn.release, memory=memory_without_scratch(turn), intent=None, waiting_for=None, operation=None
    )


def _cleaned_up(turn: Turn, outcome: CleanedUp) -> Move:
    release = replace(
        turn.release,
        cleanup=outcome.state,
        waiting_for=None,
        intent=None,
        memory=memory_without_scratch(turn),
    )
    news = () if turn.release.cleanup == outcome.state else (note(f"workspace: {outcome.state}"),)
    return Move(release, turn.release.status, news, effects=outcome.effects, let_go=True, finished=True)


def _to(release: Release, to: Status, reason: str, **changes: object) -> Release:
    check_move(release.id, release.status, to)
    moved = replace(release, status=to, reason=reason, waiting_for=None, blocked_by=None)
    return replace(moved, **changes)  # type: ignore[arg-type]  # the callers name fields of Release


def _failure(release: Release, outcome: Fail | TakenBack) -> Failure:
    if isinstance(outcome, Fail):
        return Failure(outcome.cause, release.step, outcome.message, outcome.log)
    return Failure(Cause.APPLICATION, release.step, outcome.message)


def _with_ended_step(release: Release, turn: Turn) -> Release:
    """Close the step that was going on, keep what only cleaning up still needs, and note the downtime."""
    steps = release.steps
    if release.step and release.record(release.step).status is StepStatus.RUNNING:
        steps = steps_with(release, release.step, StepStatus.FAILED, turn.now, release.reason)
    downtime = turn.tally.downtime(turn.project.observe.every, turn.now) if turn.tally else None
    # Only a create call can still make something; every other open call has lost its meaning.
    intent = release.intent if release.intent is not None and release.intent.kind == "create" else None
    return replace(
        release,
        steps=steps,
        downtime=downtime,
        intent=intent,
        cleanup="pending",
        memory=memory_without_scratch(turn),
    )


def _end_lines(release: Release) -> tuple[JSON, ...]:
    if release.step is None:
        return ()
    lines: list[JSON] = [step_line(release.step, StepStatus.FAILED, release.reason)]
    if release.failure is not None and release.failure.log:
        lines.append({"type": "log", "step": release.step, "lines": list(release.failure.log)})
    return tuple(lines)


def _ledger(release: Release, noted: JSON) -> JSON:
    if "workspace_id" not in noted:
        return {}
    entry = {"release": release.id, "number": release.number, "lane": release.lane, "commit": release.commit}
    return {"ledger": {str(noted["workspace_id"]): dumps(entry)}}
