"""verify: the new version answers its health check on the workspace's own address, at the right commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.projects import ProjectSettings
from workers.errors import TryAgain
from workers.flow.outcomes import Done, Fail, Outcome, Settled, Wait
from workers.flow.steps.base import timed_out
from workers.flow.steps.build import application_failed
from workers.flow.turn import Turn
from workers.releases.model import Cause
from workers.releases.places import Answer, Stage, StageState

PROBE_SECONDS = 10.0
TOO_MANY_REQUESTS = 429
LOCKED_OUT_SECONDS = 30.0
"""A gateway that answers 429 locks early visitors out for a while; asking on makes it longer."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Ask until so many good answers came in a row, then look at HEAD and at every replica once more."""

    name: str = "verify"

    def timeout(self, project: ProjectSettings) -> float:
        """Return the configured time."""
        return project.verify.within

    def look(self, turn: Turn) -> Outcome:
        """Ask once."""
        address, headers = turn.workspace.address or "", turn.platform.access_headers(turn.workspace)
        fault = health_fault(turn, address, headers)
        if fault is not None:
            return Wait(fault.text, after=fault.wait, scratch={"good": 0})
        good, wanted = int(turn.scratch.get("good", 0)) + 1, turn.project.verify.successes
        if good < wanted:
            return Wait(
                f"{good} of {wanted} good answers", after=turn.poll_interval / 10, scratch={"good": good}
            )
        head = turn.platform.head(turn.workspace.id)
        if head != turn.release.commit:
            return Fail(
                Cause.APPLICATION,
                f"the workspace is at commit {head}, not at {turn.release.commit}: a stage moved it",
            )
        return _still_running(turn) or Done(
            f"{wanted} good answers in a row from {turn.workspace.address}", memory={"head": head}
        )

    def settle(self, turn: Turn) -> Outcome:
        """There is nothing to settle: this step changes nothing."""
        return Settled()

    def overdue(self, turn: Turn, last: str, cause: Cause) -> Outcome:
        """Fail: whatever answered, it was not healthy; or the platform did not tell which commit it is."""
        return timed_out(turn, self.timeout(turn.project), last, cause)


def _still_running(turn: Turn) -> Outcome | None:
    """Look at the replicas once more: a good answer may have come from another one than the one that died."""
    report = turn.platform.stage(turn.workspace, Stage.RUN, turn.pipeline.services)
    if report.state is StageState.FAILED:
        return application_failed(turn, Stage.RUN, report)
    if report.state is not StageState.RUNNING:
        return Wait(report.detail, scratch={"good": 0})
    if report.mark != turn.scratch.get("run_mark", turn.memory.get("run_mark")):
        return Wait("a replica was started anew; asking again", scratch={"good": 0, "run_mark": report.mark})
    return None


@dataclass(frozen=True, slots=True)
class HealthFault:
    """What is wrong with an answer; `wait` is in seconds where asking sooner would do harm."""

    text: str
    wait: float | None = None


def health_fault(turn: Turn, address: str, headers: Mapping[str, str]) -> HealthFault | None:
    """Ask an address for its health; return None when it is well, else what is wrong."""
    verify = turn.project.verify
    url = address.rstrip("/") + verify.path
    try:
        answer = turn.web.get(url, timeout=PROBE_SECONDS, headers=headers)
    except TryAgain as error:
        return HealthFault(f"{url} does not answer: {error}")
    fault = answer_fault(answer, url, verify.status, verify.contains)
    if fault is None:
        return None
    return HealthFault(fault, LOCKED_OUT_SECONDS if answer.status == TOO_MANY_REQUESTS else None)


def answer_fault(answer: Answer, url: str, status: int, contains: str | None) -> str | None:
    """Return what is wrong with an answer, or None."""
    if answer.status != status:
        return f"{url} answered {answer.status}, not {status}"
    if contains is not None and contains not in answer.body:
        return f"{url} answered {status} but without the text {contains!r}"
    return None
