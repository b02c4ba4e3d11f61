"""run: the application runs stably on every server and replica that counts."""

from __future__ import annotations

from dataclasses import dataclass

from config.projects import ProjectSettings
from workers.flow.outcomes import Call, Done, Fail, Outcome, Settled, Wait
from workers.flow.steps.base import timed_out
from workers.flow.steps.build import application_failed, settle_start, start
from workers.flow.steps.wake import awake, stage_seen
from workers.flow.turn import Turn
from workers.releases.model import JSON, Cause
from workers.releases.places import Stage, StageReport, StageState

STABLE_LOOKS = 3
"""So many looks in a row must find every replica running, none of them started anew."""
DEPLOY_TRIES = 3
DEPLOY_SETTLE_SECONDS = 5.0
"""The platform wants landscape calls at least two seconds apart."""
UNSEEN_SECONDS = 20.0
"""Some platforms show no rows before the first start; a landscape is laid out well within this."""


@dataclass(frozen=True, slots=True)
class Run:
    """Deploy the landscape where the pipeline file has one, start run, and see it stable."""

    name: str = "run"

    def timeout(self, project: ProjectSettings) -> float:
        """Return the configured time."""
        return project.stages.run.timeout

    def look(self, turn: Turn) -> Outcome:
        """Do the next of: deploy the landscape, wait for its replicas, start, count stable looks."""
        if turn.pipeline.landscape and not turn.scratch.get("deployed"):
            return awake(turn) or _deploy(turn)
        report = stage_seen(turn, Stage.RUN)
        if not isinstance(report, StageReport):
            return report
        if turn.pipeline.landscape and not report.complete and not _unseen(turn, report):
            return Wait(f"the landscape is being laid out: {report.detail}")
        if not turn.scratch.get("started"):
            return start(turn, Stage.RUN, report)
        return _stable(turn, report)

    def settle(self, turn: Turn) -> Outcome:
        """A start shows in the rows; a deploy that went unanswered is asked for again after a while."""
        if turn.intent.kind == "start":
            return settle_start(turn, Stage.RUN)
        if turn.intent.kind == "deploy":
            return _settle_deploy(turn)
        return Settled()

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Fail."""
        return timed_out(turn, self.timeout(turn.project), last, cause)


def _unseen(turn: Turn, report: StageReport) -> bool:
    """Tell whether the platform shows no row at all before the stage was started once: then it is started."""
    asked = float(turn.scratch.get("sent_at", turn.now))
    return report.empty and turn.now - asked >= UNSEEN_SECONDS


def _deploy(turn: Turn) -> Outcome:
    workspace_id, profile = turn.workspace.id, turn.project.workspace.profile
    tries = int(turn.scratch.get("deploys", 0)) + 1
    if tries > DEPLOY_TRIES:
        return Fail(
            Cause.APPLICATION if turn.scratch.get("doubtful", True) else Cause.TRANSIENT,
            f"the platform could not deploy the landscape in {DEPLOY_TRIES} tries "
            f"({turn.scratch.get('last_error', 'no reason given')})",
        )

    def send() -> JSON:
        turn.platform.deploy_landscape(workspace_id, profile)
        return {"scratch": {"deployed": True}}

    return Call(
        "deploy",
        "deploying the landscape",
        send=send,
        settle_seconds=DEPLOY_SETTLE_SECONDS,
        scratch={"deploys": tries},
    )


def _settle_deploy(turn: Turn) -> Outcome:
    report = turn.platform.stage(turn.workspace, Stage.RUN, turn.pipeline.services)
    if report.complete:
        return Settled(scratch={"deployed": True})
    if turn.may_still_take_effect:
        return Wait("the deploy call failed or went unanswered; looking whether the replicas appear")
    return Settled()


def _stable(turn: Turn, report: StageReport) -> Outcome:
    if report.state is StageState.FAILED:
        return application_failed(turn, Stage.RUN, report)
    if report.state is not StageState.RUNNING:
        return Wait(report.detail, scratch={"stable": 0})
    same_processes = turn.scratch.get("mark") == report.mark
    stable = int(turn.scratch.get("stable", 0)) + 1 if same_processes else 1
    if stable >= STABLE_LOOKS:
        return Done(report.detail, memory={"run_mark": report.mark})
    anew = "; a replica was started anew" if turn.scratch.get("mark") and not same_processes else ""
    return Wait(
        f"{report.detail}{anew}; stable for {stable} of {STABLE_LOOKS} looks",
        after=None if anew else turn.poll_interval / 4,
        scratch={"stable": stable, "mark": report.mark},
    )
