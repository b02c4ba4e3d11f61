"""prepare and test: run a stage of the pipeline to its end."""

from __future__ import annotations

from dataclasses import dataclass

from config.projects import ProjectSettings
from workers.flow.outcomes import Call, Done, Fail, Outcome, Settled, Skip, Wait
from workers.flow.steps.base import timed_out
from workers.flow.steps.wake import stage_seen
from workers.flow.turn import Turn
from workers.releases.model import JSON, Cause
from workers.releases.places import Stage, StageReport, StageState

START_SETTLE_SECONDS = 10.0
"""A start that no row shows after this was never taken."""


@dataclass(frozen=True, slots=True)
class Build:
    """A stage that ends by itself."""

    stage: Stage

    @property
    def name(self) -> str:
        """The stage's name is the step's."""
        return self.stage.value

    def timeout(self, project: ProjectSettings) -> float:
        """Return the configured time."""
        stages = project.stages
        return stages.prepare.timeout if self.stage is Stage.PREPARE else stages.test.timeout

    def look(self, turn: Turn) -> Outcome:
        """Start the stage, then wait for its end."""
        skip = self._needless(turn)
        if skip is not None:
            return skip
        report = stage_seen(turn, self.stage)
        if not isinstance(report, StageReport):
            return report
        if not turn.scratch.get("started"):
            return start(turn, self.stage, report)
        return self._read(turn, report)

    def settle(self, turn: Turn) -> Outcome:
        """Tell from the rows whether a start was taken; whether a wake was, the next look shows."""
        return settle_start(turn, self.stage) if turn.intent.kind == "start" else Settled()

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Fail."""
        return timed_out(turn, self.timeout(turn.project), last, cause)

    def _needless(self, turn: Turn) -> Skip | None:
        if self.stage is Stage.TEST and not turn.project.stages.test.run:
            return Skip("stages.test.run is off")
        there = turn.pipeline.has_prepare if self.stage is Stage.PREPARE else turn.pipeline.has_test
        return None if there else Skip(f"the pipeline file has no {self.stage} steps")

    def _read(self, turn: Turn, report: StageReport) -> Outcome:
        if report.state is StageState.SUCCEEDED:
            return Done(report.detail)
        if report.state is StageState.FAILED:
            return application_failed(turn, self.stage, report)
        return Wait(report.detail)


def start(turn: Turn, stage: Stage, before: StageReport) -> Call:
    """Return the call that starts a stage; rows that are there already belong to an earlier start."""
    workspace_id, profile = turn.workspace.id, turn.project.workspace.profile

    def send() -> JSON:
        turn.platform.start_stage(workspace_id, stage, profile)
        return {"scratch": {"started": True}}

    return Call(
        "start",
        f"starting {stage}",
        send=send,
        settle_seconds=START_SETTLE_SECONDS,
        data={"stage": stage.value, "before": before.mark},
    )


def settle_start(turn: Turn, stage: Stage) -> Outcome:
    """Find out from the rows whether an unanswered start was taken; after its time, start again."""
    services = turn.pipeline.services if stage is Stage.RUN else ()
    report = turn.platform.stage(turn.workspace, stage, services)
    if report.mark and report.mark != turn.intent.data["before"]:
        return Settled(scratch={"started": True})
    if turn.may_still_take_effect:
        return Wait(f"the call that starts {stage} went unanswered; looking whether it began")
    return Settled(text=f"the unanswered start of {stage} was not taken; starting again")


def application_failed(turn: Turn, stage: Stage, report: StageReport) -> Fail:
    """Return a failure that keeps the last log lines of the failing step."""
    log = turn.platform.log_tail(turn.workspace.id, stage, report)
    return Fail(Cause.APPLICATION, report.detail, log)
