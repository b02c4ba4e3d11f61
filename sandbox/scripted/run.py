"""A job whose whole course follows from its commit's behaviour and the time."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sandbox.core.ports import (
    AppAnswer,
    AppCall,
    Job,
    LogLine,
    Progress,
    State,
    StepProgress,
)
from sandbox.scripted.behaviour import Behaviour


class ScriptedRun:
    """Implements `Run`: asked twice at the same time it says the same."""

    def __init__(self, job: Job, sha: str, behaviour: Behaviour) -> None:
        self.job = job
        self.sha = sha
        self.behaviour = behaviour
        self.stopped_at: float | None = None

    def progress(self, now: float) -> Progress:
        """Where the job stands."""
        stopped = self.stopped_at
        if stopped is None:
            return self._course(now)
        before = self._course(stopped)
        if before.state != "running":
            return before
        steps = [
            StepProgress("aborted", s.started_at, stopped) if s.state == "running" else s
            for s in before.steps
        ]
        return Progress("aborted", before.started_at, stopped, steps)

    def stop(self, now: float) -> None:
        """End it."""
        if self.stopped_at is None:
            self.stopped_at = now

    def lines(self, step: int, now: float) -> list[LogLine]:
        """The command, what the behaviour prints for the stage, and the failure's last words."""
        steps = self.progress(now).steps
        if step >= len(steps) or steps[step].started_at is None:
            return []
        at = steps[step].started_at or now
        lines = [LogLine(at, "I", f"$ {self.job.commands[step]}")]
        lines += [LogLine(at, "I", t) for t in self.behaviour.prints.get(self.job.stage, ())]
        failure = self.behaviour.failure(self.job, step)
        end = steps[step].finished_at
        if failure is not None and end is not None:
            lines += [LogLine(end, "E", text) for text in failure.lines]
        return lines

    def answer(self, call: AppCall, now: float) -> AppAnswer | None:
        """The app's answer while it runs and listens."""
        progress = self.progress(now)
        begun = progress.started_at
        if progress.state != "running" or begun is None:
            return None
        if now < begun + self.behaviour.listens_after:
            return None
        return self._answer(call)

    def _answer(self, call: AppCall) -> AppAnswer:
        path = call.path.split("?", 1)[0]
        scripted = self.behaviour.production if call.production else None
        scripted = scripted or self.behaviour.answers.get(path) or self.behaviour.answer
        if scripted is not None:
            return scripted
        headers = {"x-commit": self.sha, "x-replica": str(self.job.replica)}
        if path == "/version":
            body = json.dumps({"commit": self.sha})
            return AppAnswer(200, body, headers | {"content-type": "application/json"})
        return AppAnswer(200, f"Hello from {self.sha}\n", headers)

    def _course(self, now: float) -> Progress:
        if self.job.stage in self.behaviour.waiting:
            return Progress("waiting", None, None, [StepProgress("waiting")] * self._count)
        steps = list(self._service_steps(now) if self.job.stage == "run" else self._steps(now))
        if not steps:
            return Progress("success", self.job.at, self.job.at, [])
        state: State = "success"
        for step in steps:
            if step.state != "success":
                state = "running" if step.state == "waiting" else step.state
                break
        end = next((s for s in steps if s.state == "failure"), steps[-1]).finished_at
        return Progress(state, steps[0].started_at, end if state != "running" else None, steps)

    @property
    def _count(self) -> int:
        return len(self.job.commands)

    def _steps(self, now: float) -> Iterator[StepProgress]:
        begin, over = self.job.at, False
        for index in range(self._count):
            if over or begin > now:
                yield StepProgress("waiting")
                continue
            failure = self.behaviour.failure(self.job, index)
            length = self.behaviour.duration(self.job.stage)
            if failure is not None and failure.after is not None:
                length = failure.after
            if self.job.stage in self.behaviour.stuck or now < begin + length:
                over = True
                yield StepProgress("running", begin)
                continue
            over = failure is not None
            yield StepProgress("failure" if over else "success", begin, begin + length)
            begin += length

    def _service_steps(self, now: float) -> Iterator[StepProgress]:
        at = self.job.at
        for _ in range(self._count - 1):
            yield StepProgress("success", at, at)
        if self._count:
            yield self._service_step(now)

    def _service_step(self, now: float) -> StepProgress:
        at = self.job.at
        failure = self.behaviour.failure(self.job, self._count - 1)
        if failure is not None and now >= at + (failure.after or 0):
            ended: State = "success" if failure.cleanly else "failure"
            return StepProgress(ended, at, at + (failure.after or 0))
        flapping = self.behaviour.flaps(self.job)
        if flapping is None:
            return StepProgress("running", at)
        cycle = flapping.up + flapping.down
        begin = at + (now - at) // cycle * cycle
        if now < begin + flapping.up:
            return StepProgress("running", begin)
        return StepProgress("failure", begin, begin + flapping.up)
