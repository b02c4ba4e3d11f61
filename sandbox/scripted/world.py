"""The world of repositories in memory."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.core.ports import Execution, Home, Job, Run, Seed
from sandbox.scripted.git import Clone, Shell
from sandbox.scripted.repository import Repository
from sandbox.scripted.run import ScriptedRun

APP_DIRECTORY = "/home/user/app"
GATEWAY_HOST = "codesphere.sandbox"


class ScriptedWorld:
    """Implements `World`. A URL without a repository cannot be cloned."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}

    def repository(self, url: str) -> Repository:
        """The repository of that URL, made empty where there is none."""
        return self.repositories.setdefault(url, Repository(url))

    def open(self, seed: Seed) -> Home:
        """Clone the tip that the branch has now."""
        return ScriptedHome(Clone(self.repositories.get(seed.git_url or ""), seed), seed)


class ScriptedHome:
    """Implements `Home` on a clone in memory."""

    def __init__(self, clone: Clone, seed: Seed) -> None:
        self.clone = clone
        self.dev_domain = f"{seed.workspace_id}-3000.{seed.datacenter_id}.{GATEWAY_HOST}"

    def ready(self) -> bool:
        """A clone in memory takes no time."""
        return True

    def head(self) -> str:
        """The sha that is checked out; raises GitFault."""
        return self.clone.commit.sha

    def pull(self, remote: str | None, branch: str | None) -> None:
        """Fetch and merge; raises GitFault."""
        self.clone.pull(branch)

    def read(self, path: str) -> str | None:
        """A file of the commit."""
        return None if self.clone.fault else self.clone.commit.files.get(path)

    def execute(self, command: str, directory: str | None, env: Mapping[str, str]) -> Execution:
        """Run the line on the clone; raises TooSlow for a `sleep` of five seconds."""
        shell = Shell(self.clone)
        shell.run(command)
        return Execution(shell.output, shell.error, directory or APP_DIRECTORY)

    def start(self, job: Job) -> Run:
        """Begin a job with what is checked out now."""
        return ScriptedRun(job, self.clone.sha, self.clone.behaviour)

    def remove(self) -> None:
        """Nothing is left of it."""
