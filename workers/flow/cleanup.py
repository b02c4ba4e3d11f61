"""What is left to do once a release has ended: park its workspace, retire it, or leave it and say why."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from workers.errors import Gone
from workers.flow import late
from workers.flow.connections import named_in
from workers.flow.outcomes import Call, CleanedUp, Note, Outcome, Settled, Wait
from workers.flow.turn import Turn
from workers.releases.model import JSON
from workers.releases.places import Connections, Workspace
from workers.releases.status import Status

UNCONNECTED_SECONDS = 10.0
"""Requests under way may still end on a workspace that no domain names any more."""
LONGEST_LOOK_SECONDS = 3600.0
DELETE_SETTLE_SECONDS = 10.0


def look(turn: Turn) -> Outcome:
    """Return what follows for a release that has ended. May raise what the platform raises."""
    release = turn.release
    if release.handed_over is not None:
        return CleanedUp(f"taken over by its retry {release.handed_over}")
    if "place" not in turn.memory and "mark" not in turn.memory:
        return CleanedUp("nothing was made")
    if release.intent is not None and release.intent.kind != "create":
        return Settled()
    if release.status is Status.LIVE:
        return _remove_twins(turn)
    waiting = _still_needed(turn)
    if waiting is not None:
        return _twins_first(turn) or waiting
    return _retire(turn, keep=None)


def _still_needed(turn: Turn) -> Wait | None:
    """Return why the workspace stands for now, or None when it may go."""
    release, finished = turn.release, turn.release.finished_at or turn.now
    if release.retire_asked is not None:
        return None
    if release.status is Status.REPLACED:
        return _parked(turn)
    keep = turn.project.workspace.keep_failed if release.status is Status.FAILED else 0.0
    left = finished + keep - turn.now
    return _stands("kept for inspection (workspace.keep_failed)", left) if left > 0 else None


def _parked(turn: Turn) -> Wait | None:
    park = turn.project.park
    for place_in_line, (release_id, since) in enumerate(turn.lane.parked):
        if release_id == turn.release.id:
            left = since + park.duration - turn.now
            if place_in_line < park.keep and left > 0:
                return _stands("parked for rollback", left)
    return None


def _stands(why: str, left: float) -> Wait:
    return Wait(why, after=min(left, LONGEST_LOOK_SECONDS))


def _remove_twins(turn: Turn) -> Outcome:
    """A create that was answered by nobody may have made a second workspace, late."""
    if turn.memory.get("creates", 1) < 2 and not turn.release.twin_seen:
        return CleanedUp("in use")
    outcome = _retire(turn, keep=turn.release.workspace_id)
    return CleanedUp("in use") if isinstance(outcome, CleanedUp) else outcome


def _twins_first(turn: Turn) -> Outcome | None:
    """Return what removes a twin that was seen beside the workspace that stands; None when there is none."""
    if not turn.release.twin_seen:
        return None
    outcome = _retire(turn, keep=turn.release.workspace_id)
    return None if isinstance(outcome, CleanedUp) else outcome


def _retire(turn: Turn, keep: int | None) -> Outcome:
    """Delete what carries this release's mark, one at a time, but nothing that a domain names."""
    team_id = turn.place.team_id
    listed = turn.platform.workspaces(team_id)
    mine = [workspace for workspace in listed if workspace.mark == turn.mark and workspace.id != keep]
    if not mine:
        return _unlisted(turn, listed) or _none_left(turn)
    workspace = mine[0]
    named = named_in(workspace.id, _domains(turn))
    if named is not None:
        return Wait(
            f"workspace {workspace.id} stands because {named} names it",
            after=60.0,
            scratch={"unnamed_since": None},
        )
    held = late.held_for(turn, workspace.id)
    if held > 0:
        return Wait(
            f"workspace {workspace.id} stands because a switch call that nobody answered names it",
            after=min(held, 60.0),
            scratch={"unnamed_since": None},
        )
    return _after_the_last_request(turn, workspace, keep)


def _domains(turn: Turn) -> list[tuple[str, Connections]]:
    """Return every domain's connections; our own is asked for when the list leaves it out."""
    team_id, ours = turn.place.team_id, turn.project.target.domain
    found = list(turn.platform.domains(team_id))
    if all(domain.name.lower() != ours.lower() for domain in found):
        with suppress(Gone):
            found.append(turn.platform.domain(team_id, ours))
    return [(domain.name, domain.connections) for domain in found]


def _unlisted(turn: Turn, listed: Sequence[Workspace]) -> Wait | None:
    """Return a wait when the list of workspaces may leave out what stands all the same; else None."""
    workspace_id = turn.release.workspace_id
    if workspace_id is not None:
        if workspace_id not in {workspace.id for workspace in listed}:
            with suppress(Gone):
                if turn.platform.workspace(workspace_id).mark == turn.mark:
                    return Wait(f"the platform does not list workspace {workspace_id}, but has it")
    elif turn.release.intent is not None and not turn.scratch.get("unlisted"):
        # Nothing but the list can tell here, so one look is not enough.
        return Wait("the platform lists no workspace of this release; looking again", 5.0, {"unlisted": True})
    return None


def _none_left(turn: Turn) -> Outcome:
    intent = turn.release.intent
    if intent is not None and turn.now < intent.settle_at:
        return Wait("an unanswered create call may still make a workspace", after=intent.settle_at - turn.now)
    workspace_id = turn.release.workspace_id
    ledger = {str(workspace_id): False} if workspace_id is not None else {}
    return CleanedUp("gone", effects={"ledger": ledger, "unpark": True} if ledger else {"unpark": True})


def _after_the_last_request(turn: Turn, workspace: Workspace, keep: int | None) -> Outcome:
    """A workspace that visitors may have used goes only after a while without connections."""
    if turn.release.past_switch:
        since = turn.scratch.get("unnamed_since")
        if since is None:
            return Note(scratch={"unnamed_since": turn.now})
        left = float(since) + UNCONNECTED_SECONDS - turn.now
        if left > 0:
            return Wait(f"workspace {workspace.id} goes after its last requests", after=left)
    return _delete(turn, workspace, keep)


def _delete(turn: Turn, workspace: Workspace, keep: int | None) -> Outcome:
    # Read the mark once more: an id from a list may have been given to somebody else meanwhile.
    try:
        again = turn.platform.workspace(workspace.id)
    except Gone:
        return Note(scratch={"deleted": workspace.id})
    if again.mark != turn.mark:
        return CleanedUp(f"left: workspace {workspace.id} does not carry our mark any more")

    def send() -> JSON:
        turn.platform.delete_workspace(workspace.id)
        return {}

    return Call(
        "delete",
        f"deleting workspace {workspace.id}",
        send=send,
        settle_seconds=DELETE_SETTLE_SECONDS,
        data={"workspace": workspace.id},
        # A twin's end is not the end of the workspace that stands by.
        effects={"unpark": True if keep is None else None, "unless_locked": turn.place.key},
    )
