"""A person takes the live release back: its target returns to the connections that stood before it."""

from __future__ import annotations

from workers.errors import Gone, Refused
from workers.flow import late
from workers.flow.connections import Routes, in_words, on_paths, same
from workers.flow.outcomes import Note, OperationFailed, Outcome, RolledBack, Settled, Wait
from workers.flow.steps.switch import connect, connections_now
from workers.flow.steps.verify import health_fault
from workers.flow.turn import Turn
from workers.releases.codec import dumps
from workers.releases.identity import is_ours
from workers.releases.model import JSON

TRIES = 3
DEADLINE_SECONDS = 300.0
"""A rollback that could not be sent for so long is given up: the target is not locked for ever."""


def look(turn: Turn) -> Outcome:
    """Do the next of: lock the target, check what we go back to, put it, confirm."""
    began = float(turn.scratch.get("began", turn.now))
    if not turn.scratch.get("locked"):
        return Note(scratch={"locked": True, "began": began}, effects={"lock": turn.place.key})
    if turn.scratch.get("put"):
        return _confirm(turn)
    if turn.now - began >= DEADLINE_SECONDS:
        last = turn.scratch.get("last_error") or turn.release.blocked_by or "nothing was answered"
        return failed(turn, f"it did not begin within 5m; last seen: {last}")
    return _put(turn)


def settle(turn: Turn) -> Outcome:
    """Find out by a read whether an unanswered call took effect."""
    current = connections_now(turn)
    if same(current, turn.intent.data["to"]):
        return Settled(scratch={"put": True}, effects=late.took_effect(turn.intent.data))
    if turn.may_still_take_effect:
        return Wait("the rollback call went unanswered; reading the domain until it is settled")
    return Settled(text="the unanswered rollback call took no effect; calling again")


def failed(turn: Turn, why: str) -> OperationFailed:
    """Return the end of a rollback that cannot be done; the release stays live."""
    return OperationFailed(why, effects={"unlock": turn.place.key, "operation_done": True})


def request(turn: Turn) -> JSON:
    """Return what the person asked for."""
    return turn.release.operation or {}


def _wanted(turn: Turn) -> Routes:
    """Return the connections to go back to: those found before, or a parked release's workspace."""
    workspace_id = request(turn).get("to_workspace")
    if workspace_id is not None:
        return {path: [workspace_id] for path in turn.project.target.paths}
    former: Routes = turn.memory.get("former", {})
    return former


def _put(turn: Turn) -> Outcome:
    wanted, target, asked = _wanted(turn), turn.project.target, request(turn)
    if int(turn.scratch.get("puts", 0)) >= TRIES:
        return failed(turn, f"the platform took the rollback {TRIES} times and does not show it")
    if not asked.get("force"):
        fault = _unhealthy(turn, wanted)
        if fault is not None:
            return failed(turn, f"{fault}; roll back with force to return there all the same")
    whole = turn.platform.domain(turn.place.team_id, target.domain).connections
    current = on_paths(whole, target.paths)
    if same(current, wanted):
        return Note(scratch={"put": True})
    ours = on_paths(turn.lane.connections or {}, target.paths)
    sent = None if same(current, ours) else late.recognised(turn, current)
    if sent is None and not same(current, ours) and not asked.get("force"):
        return failed(turn, f"somebody changed {target.domain}: it leads {in_words(current)}")
    why = f"taking {target.domain} back to {in_words(wanted)}"
    effects: JSON = {"switch": turn.place.key, "by_operation": True}
    if asked.get("revive"):
        effects["needs_parked"] = asked["revive"]
    return connect(turn, "rollback", why, current, wanted, whole, effects=effects, over=sent)


def _unhealthy(turn: Turn, wanted: Routes) -> str | None:
    """Return why a workspace we would go back to is not well, or None when all are."""
    for workspace_id in dict.fromkeys(id_ for ids in wanted.values() for id_ in ids):
        try:
            workspace = turn.platform.workspace(workspace_id)
        except (Refused, Gone) as error:
            return f"workspace {workspace_id} cannot be returned to: {error}"
        if workspace.address is None:
            return f"workspace {workspace_id} has no address to check"
        # The key of the API opens only what we made ourselves.
        headers = turn.platform.access_headers(workspace) if is_ours(workspace.mark) else {}
        fault = health_fault(turn, workspace.address, headers)
        if fault is not None:
            return f"workspace {workspace_id} is not healthy: {fault.text}"
    return None


def _confirm(turn: Turn) -> Outcome:
    wanted, asked = _wanted(turn), request(turn)
    current = connections_now(turn)
    if not same(current, wanted):
        return Note(scratch={"put": False}, text="the platform took the rollback but does not show it yet")
    why = asked.get("reason") or "no reason given"
    effects: JSON = {
        "unlock": turn.place.key,
        "operation_done": True,
        "connections": dumps(wanted),
        "bar": turn.release.commit,
        "failed": True,
        **late.put_right(turn, wanted),
    }
    effects["revive" if asked.get("revive") else "dethrone"] = asked.get("revive") or True
    if asked.get("pin", True):
        pin = {
            "author": asked["by"],
            "reason": f"rolled back from #{turn.release.number}: {why}",
            "until": None,
        }
        effects["pin"] = dumps(pin)
    return RolledBack(f"rolled back by {asked['by']}: {why}", effects=effects)
