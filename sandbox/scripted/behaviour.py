"""How a commit behaves when it is built and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.core.ports import AppAnswer, Job

Answer = AppAnswer
"""What an app answers: status, body, headers, delay in seconds."""


@dataclass(frozen=True)
class Failure:
    """A step that fails, printing `lines` on standard error.

    `after` is in seconds from the step's begin; None means at the step's usual end, and at once for
    the run stage. In the run stage `server` and `replica` pick who fails (None: all of them).
    `cleanly` makes a run step exit with success, which for an app is a failure too.
    """

    stage: str
    step: int = 0
    lines: tuple[str, ...] = ("the step failed",)
    server: str | None = None
    replica: int | None = None
    after: float | None = None
    cleanly: bool = False


@dataclass(frozen=True)
class Flapping:
    """A replica that runs `up` seconds, lies down for `down` seconds, and comes back."""

    up: float = 1.0
    down: float = 1.0
    server: str | None = None
    replica: int | None = None


@dataclass(frozen=True)
class Behaviour:
    """Everything about a commit that a release can notice. Times in seconds.

    `step_seconds` is how long each step of prepare and test takes, `seconds` overrides it by stage.
    A stage in `stuck` never ends its first step; one in `waiting` never leaves `waiting`.
    The app listens `listens_after` seconds after its start. It answers `/version` with its commit
    and everything else with a greeting, unless `answers` has the path, or `answer` is set for all;
    `production` goes before both, for requests that come through a domain only.
    """

    step_seconds: float = 0.05
    seconds: Mapping[str, float] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    flapping: tuple[Flapping, ...] = ()
    stuck: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    listens_after: float = 0.0
    answers: Mapping[str, Answer] = field(default_factory=dict)
    answer: Answer | None = None
    production: Answer | None = None
    prints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def duration(self, stage: str) -> float:
        """How long each step of that stage takes."""
        return self.seconds.get(stage, self.step_seconds)

    def failure(self, job: Job, step: int) -> Failure | None:
        """The failure that meets this step of the job."""
        for failure in self.failures:
            if (failure.stage, failure.step) == (job.stage, step) and _meets(failure, job):
                return failure
        return None

    def flaps(self, job: Job) -> Flapping | None:
        """The flapping that meets this job."""
        if job.stage != "run":
            return None
        return next((f for f in self.flapping if _meets(f, job)), None)


def _meets(rule: Failure | Flapping, job: Job) -> bool:
    return rule.server in (None, job.server) and rule.replica in (None, job.replica)
