"""Puts right what a late switch call of ours put while nothing ran in the lane, on the live release."""

from __future__ import annotations

from workers.flow import late
from workers.flow.connections import in_words, on_paths, same
from workers.flow.outcomes import Note, OperationFailed, Outcome, PutRight, Settled, Wait
from workers.flow.steps.switch import connect, connections_now
from workers.flow.turn import Turn
from workers.releases.model import JSON

KIND = "repair"
"""What the request for it is called, beside a rollback's."""
TRIES = 3
DEADLINE_SECONDS = 300.0
"""A repair that could not be sent for so long is given up, and asked for once more at the most."""
LOOK_SECONDS = 0.5


def request() -> JSON:
    """Return the request for it."""
    return {"kind": KIND, "by": "Switchover"}


def look(turn: Turn) -> Outcome:
    """Do the next of: lock the target, see that a late call of ours stands there, put it right, confirm."""
    began = float(turn.scratch.get("began", turn.now))
    if not turn.scratch.get("locked"):
        return Note(scratch={"locked": True, "began": began}, effects={"lock": turn.place.key})
    if turn.now - began >= DEADLINE_SECONDS or int(turn.scratch.get("puts", 0)) >= TRIES:
        last = turn.scratch.get("last_error") or turn.release.blocked_by or "the platform does not show it"
        return failed(turn, f"last seen: {last}")
    return _put(turn)


def settle(turn: Turn) -> Outcome:
    """Find out by a read whether an unanswered call took effect."""
    if same(connections_now(turn), turn.intent.data["to"]):
        return Settled(effects=late.took_effect(turn.intent.data))
    if turn.may_still_take_effect:
        return Wait("the call that puts a late switch right went unanswered", after=LOOK_SECONDS)
    return Settled(text="the unanswered call took no effect; calling again")


def failed(turn: Turn, why: str) -> OperationFailed:
    """Return the end of a repair that cannot be done; what stands there is reported as somebody's change."""
    return OperationFailed(why, effects={**_over(turn), **late.given_up(turn)})


def _put(turn: Turn) -> Outcome:
    target, wanted = turn.project.target, late.standing(turn)
    whole = turn.platform.domain(turn.place.team_id, target.domain).connections
    current = on_paths(whole, target.paths)
    if wanted is None or same(current, wanted):
        # Without a late call noted by then, somebody else was quicker.
        told = late.put_right(turn, current)
        return PutRight(effects={**_over(turn), **told})
    sent = late.recognised(turn, current)
    if sent is None:
        return failed(turn, f"somebody changed {target.domain} meanwhile: it leads {in_words(current)}")
    why = f"{late.in_sentence(sent)}; putting {target.domain} right: {in_words(wanted)}"
    effects: JSON = {"switch": turn.place.key, "by_operation": True}
    return connect(turn, KIND, why, current, wanted, whole, effects=effects, over=sent)


def _over(turn: Turn) -> JSON:
    return {"unlock": turn.place.key, "operation_done": True}
