"""Workspaces as directories: cloned by git, worked on by bash."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from sandbox.core.ports import Execution, GitFault, Home, Job, Seed, TooSlow
from sandbox.jobs import ProcessRun
from sandbox.processes import LOOPBACK, Nursery

APP_DIRECTORY = "/home/user/app"
"""Where a workspace's files are on the real platform; commands that name it find theirs here."""

EXECUTE_LIMIT = 5.0
CLONE_LIMIT = 300.0


class LocalWorld:
    """Implements `World` below one directory. `path` is the PATH that steps see."""

    def __init__(self, nursery: Nursery, directory: Path, path: str) -> None:
        self.nursery = nursery
        self.directory = directory
        self.path = path
        directory.mkdir(parents=True, exist_ok=True)

    def open(self, seed: Seed) -> Home:
        """Begin to clone."""
        return LocalHome(self, seed)


class LocalHome:
    """Implements `Home` with a directory, processes and a port of its own."""

    def __init__(self, world: LocalWorld, seed: Seed) -> None:
        self.seed = seed
        self.port = world.nursery.free_port()
        self.runs: list[ProcessRun] = []
        self._nursery = world.nursery
        self._base = world.directory / str(seed.workspace_id)
        self._app = self._base / "app"
        self._app.mkdir(parents=True)
        self._path = world.path
        self._cloned = threading.Event()
        threading.Thread(target=self._clone, name="sandbox-clone", daemon=True).start()

    @property
    def dev_domain(self) -> str:
        """Host and port of the workspace's listener."""
        return f"{LOOPBACK}:{self.port}"

    def ready(self) -> bool:
        """The clone has ended, well or not."""
        return self._cloned.is_set()

    def head(self) -> str:
        """The sha that is checked out; raises GitFault."""
        return self._git("rev-parse", "HEAD").strip()

    def pull(self, remote: str | None, branch: str | None) -> None:
        """Fetch and merge; raises GitFault."""
        names = [name for name in (remote, branch) if name is not None]
        self._git("pull", "--quiet", "--no-rebase", "--no-edit", *names)

    def read(self, path: str) -> str | None:
        """A file of the working tree."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return (self._app / path).read_text(encoding="utf-8")
        return None

    def execute(self, command: str, directory: str | None, env: Mapping[str, str]) -> Execution:
        """Run bash for at most five seconds; raises TooSlow."""
        where = self._app / self._here(directory or "")
        child = self._nursery.start(
            ["bash", "-c", self._here(command)],
            directory=where,
            env=self._env(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            output, error = child.communicate(timeout=EXECUTE_LIMIT)
        except subprocess.TimeoutExpired:
            raise TooSlow from None
        finally:
            self._nursery.forget(child)
        told = (output.decode(errors="replace"), error.decode(errors="replace"))
        return Execution(*told, directory or APP_DIRECTORY)

    def start(self, job: Job) -> ProcessRun:
        """Begin a job; each replica of the run stage gets a PORT of its own."""
        port = self._nursery.free_port() if job.stage == "run" else 0
        own = {"CS_REPLICA": str(job.replica), "PORT": str(port or 3000)}
        here = Job(
            job.stage,
            job.server,
            job.replica,
            [self._here(command) for command in job.commands],
            job.env,
            job.at,
        )
        run = ProcessRun(here, self._nursery, self._app, self._env(job.env) | own, port)
        self.runs.append(run)
        return run

    def remove(self) -> None:
        """Stop everything; the directory goes when the last process has."""
        for run in self.runs:
            run.stop(0)
        threading.Thread(target=self._clear, name="sandbox-remove", daemon=True).start()

    def _clear(self) -> None:
        self._cloned.wait(CLONE_LIMIT)
        for run in self.runs:
            run.join(10)
        shutil.rmtree(self._base, ignore_errors=True)

    def _clone(self) -> None:
        seed = self.seed
        options = ["--branch", seed.branch] if seed.branch else []
        if seed.clone_depth is not None:
            options += ["--depth", str(seed.clone_depth)]
        try:
            if seed.git_url is not None:
                self._git("clone", "--quiet", *options, "--", seed.git_url, ".")
        except GitFault as fault:
            (self._base / "clone-fault").write_text(str(fault), encoding="utf-8")
        finally:
            self._cloned.set()

    def _git(self, *words: str) -> str:
        child = self._nursery.start(
            ["git", "-c", "user.name=Sandbox", "-c", "user.email=sandbox@localhost", *words],
            directory=self._app,
            env=self._env({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            output, error = child.communicate(timeout=CLONE_LIMIT)
        except subprocess.TimeoutExpired:
            raise GitFault(f"git {words[0]} took more than {CLONE_LIMIT:g} s") from None
        finally:
            self._nursery.forget(child)
        if child.returncode != 0:
            raise GitFault(error.decode(errors="replace").strip())
        return output.decode()

    def _here(self, text: str) -> str:
        return text.replace(APP_DIRECTORY, str(self._app))

    def _env(self, env: Mapping[str, str]) -> dict[str, str]:
        own = {
            "PATH": self._path,
            "HOME": str(self._base),
            "LANG": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self._base),
            "WORKSPACE_ID": str(self.seed.workspace_id),
        }
        return own | dict(env)
