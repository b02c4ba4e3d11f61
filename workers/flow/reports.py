"""When a release's Git host is told how it stands. Pure.

The outbox holds only which releases to tell of; what is told is read from the store when it is sent, so a
host that was away for a while hears how things stand now, and not every step of the way.
"""

from __future__ import annotations

from dataclasses import replace

from config.projects import ProjectSettings
from workers.flow.turn import Turn
from workers.releases.model import JSON, Move
from workers.releases.reports import receiver_of
from workers.releases.status import Status


def report_receiver(project: ProjectSettings) -> str | None:
    """Return the receiver of the outbox that tells the project's Git host, or None when it is not told."""
    return receiver_of(project.name) if project.reports else None


def with_report(turn: Turn, move: Move) -> Move:
    """Add the outbox entry for the Git host to a move that changes the release's status or step."""
    receiver, release = report_receiver(turn.project), move.release
    stood = (turn.release.status, turn.release.step)
    if receiver is None or (release.status, release.step) == stood:
        return move
    others = (release.previous if release.status is Status.LIVE else None, move.effects.get("revive"))
    body: JSON = {"releases": [release.id, *(other for other in others if other)], "at": turn.now}
    return replace(move, notices=(*move.notices, (receiver, body)))
