"""A workspace that fell asleep is woken before anything is asked of it."""

from __future__ import annotations

from workers.errors import Asleep, Refused
from workers.flow.outcomes import Call, Outcome, Wait
from workers.flow.turn import Turn
from workers.releases.model import JSON
from workers.releases.places import Stage, StageReport

WAKE_SETTLE_SECONDS = 30.0


def stage_seen(turn: Turn, stage: Stage) -> StageReport | Outcome:
    """Return how a stage stands, or what to do about a workspace that is asleep.

    Before a stage is started the workspace is asked whether it runs; later a look that is refused tells.
    """
    services = turn.pipeline.services if stage is Stage.RUN else ()
    if not turn.scratch.get("started"):
        asleep = awake(turn)
        if asleep is not None:
            return asleep
    try:
        return turn.platform.stage(turn.workspace, stage, services)
    except Asleep:
        # It may have woken between the two questions; that it was asleep is no failure either way.
        return awake(turn) or Wait(f"workspace {turn.workspace.id} woke this moment", after=0.2)
    except Refused:
        asleep = awake(turn)
        if asleep is None:
            raise
        return asleep


def awake(turn: Turn) -> Outcome | None:
    """Return None when the workspace takes commands, else what to do about it.

    A 400 of a sleeping workspace would otherwise look like "not yet" for ever. It is asked to wake once in
    a step; one that stays down runs into the step's deadline.
    """
    if turn.platform.is_running(turn.workspace.id):
        return None
    workspace = turn.workspace
    if turn.scratch.get("woken"):
        return Wait(f"workspace {workspace.id} is asleep and was asked to wake")

    def send() -> JSON:
        turn.platform.wake(workspace)
        return {"scratch": {"woken": True}}

    return Call(
        "wake",
        f"workspace {workspace.id} is asleep; waking it",
        send=send,
        settle_seconds=WAKE_SETTLE_SECONDS,
    )
