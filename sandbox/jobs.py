"""Steps of a ci.yml as real processes."""

from __future__ import annotations

import http.client
import os
import selectors
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from sandbox.core.ports import AppAnswer, AppCall, Job, LogLine, Progress, State, StepProgress
from sandbox.processes import LOOPBACK, Child, Nursery, signal_group

LINES = 2_000
"""So many lines are kept of each step."""

STOP_PATIENCE = 3.0
RESTART_AFTER = 1.0
LOOK_EVERY = 0.2


class ProcessRun:
    """Implements `Run`: a thread takes the steps one after another, a crashed app comes back."""

    def __init__(
        self, job: Job, nursery: Nursery, directory: Path, env: Mapping[str, str], port: int
    ) -> None:
        self.job = job
        self.port = port
        self._nursery = nursery
        self._directory = directory
        self._env = dict(env)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._child: Child | None = None
        self._lines = [deque[LogLine](maxlen=LINES) for _ in job.commands]
        self._steps: list[StepProgress] = []
        self._began()
        self._thread = threading.Thread(target=self._work, name="sandbox-job", daemon=True)
        self._thread.start()

    def progress(self, now: float) -> Progress:
        """Where the job stands."""
        with self._lock:
            steps = list(self._steps)
        if not steps:
            return Progress("success", self.job.at, self.job.at, [])
        state: State = "success"
        for step in steps:
            if step.state != "success":
                state = "running" if step.state == "waiting" else step.state
                break
        ends = [s.finished_at for s in steps if s.finished_at is not None]
        end = max(ends) if ends and state != "running" else None
        return Progress(state, steps[0].started_at, end, steps)

    def stop(self, now: float) -> None:
        """SIGTERM to what runs, SIGKILL a little later; returns at once."""
        self._stopped.set()
        with self._lock:
            child = self._child
            self._steps = [
                StepProgress("aborted", s.started_at, time.time()) if s.state == "running" else s
                for s in self._steps
            ]
        if child is not None:
            signal_group(child, signal.SIGTERM)

    def join(self, patience: float) -> None:
        """Wait until the stopped job has ended."""
        self._thread.join(patience)

    def lines(self, step: int, now: float) -> list[LogLine]:
        """The last lines that the step printed."""
        return list(self._lines[step]) if step < len(self._lines) else []

    def answer(self, call: AppCall, now: float) -> AppAnswer | None:
        """Ask the app itself."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", call.path, headers=dict(call.headers))
            response = connection.getresponse()
            body = response.read().decode(errors="replace")
            return AppAnswer(response.status, body, dict(response.getheaders()))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _began(self) -> None:
        with self._lock:
            self._steps = [StepProgress("waiting") for _ in self.job.commands]
            if self._steps:
                self._steps[0] = StepProgress("running", time.time())

    def _work(self) -> None:
        if self._take_steps() or self.job.stage != "run":
            return
        while not self._stopped.wait(RESTART_AFTER):
            self._began()
            if self._take_steps():
                return

    def _take_steps(self) -> bool:
        """Take every step; False when one failed."""
        for index, command in enumerate(self.job.commands):
            if self._stopped.is_set():
                return True
            self._set(index, "running", time.time(), None)
            code = self._take(index, command)
            if self._stopped.is_set():
                return True
            state: State = "success" if code == 0 else "failure"
            self._set(index, state, self._steps[index].started_at, time.time())
            if code != 0:
                return False
        return True

    def _set(self, index: int, state: State, began: float | None, ended: float | None) -> None:
        with self._lock:
            if not self._stopped.is_set():
                self._steps[index] = StepProgress(state, began, ended)

    def _take(self, index: int, command: str) -> int:
        self._note(index, "I", f"$ {command}")
        with self._lock:
            child = self._nursery.start(
                ["bash", "-c", command],
                directory=self._directory,
                env=self._env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._child = child
        try:
            self._listen(index, child)
        finally:
            with self._lock:
                self._child = None
            self._nursery.forget(child)
        return child.returncode

    def _listen(self, index: int, child: Child) -> None:
        """Note down what the child prints until it ends, or a stop runs out of patience."""
        rest = {"I": b"", "E": b""}
        deadline = float("inf")
        with selectors.DefaultSelector() as selector:
            for pipe, kind in ((child.stdout, "I"), (child.stderr, "E")):
                if pipe is not None:
                    selector.register(pipe, selectors.EVENT_READ, kind)
            while child.poll() is None and time.monotonic() < deadline:
                self._read(selector, index, rest, LOOK_EVERY)
                if self._stopped.is_set():
                    signal_group(child, signal.SIGTERM)
                    deadline = min(deadline, time.monotonic() + STOP_PATIENCE)
            self._read(selector, index, rest, 0)
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
        for kind, text in rest.items():
            if text:
                self._note(index, "E" if kind == "E" else "I", text.decode(errors="replace"))

    def _read(
        self, selector: selectors.BaseSelector, index: int, rest: dict[str, bytes], wait: float
    ) -> None:
        if not selector.get_map():
            time.sleep(min(wait, 0.02))
        for key, _ in selector.select(wait) if selector.get_map() else ():
            chunk = os.read(key.fd, 65_536)
            if not chunk:
                selector.unregister(key.fileobj)
                continue
            *whole, rest[key.data] = (rest[key.data] + chunk).split(b"\n")
            for line in whole:
                self._note(index, "E" if key.data == "E" else "I", line.decode(errors="replace"))

    def _note(self, index: int, kind: Literal["I", "E"], text: str) -> None:
        self._lines[index].append(LogLine(time.time(), kind, text))
