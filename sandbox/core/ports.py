"""What the platform needs of the world behind it: files, git, processes, running apps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

State = Literal["waiting", "running", "success", "failure", "aborted"]


class GitFault(Exception):
    """Git refused; its words become the title of a 400."""


class TooSlow(Exception):
    """A command went over the five seconds of `execute`."""


@dataclass(frozen=True)
class Seed:
    """What a workspace is made of."""

    workspace_id: int
    datacenter_id: int
    git_url: str | None
    branch: str | None
    clone_depth: int | None = None
    git_ref: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """Steps that run one after another on one server. `at` is when they begin (epoch seconds)."""

    stage: str
    server: str
    replica: int
    commands: Sequence[str]
    env: Mapping[str, str]
    at: float


@dataclass(frozen=True)
class StepProgress:
    """How far one step is; times in epoch seconds."""

    state: State
    started_at: float | None = None
    finished_at: float | None = None


@dataclass(frozen=True)
class Progress:
    """How far a job is; times in epoch seconds."""

    state: State
    started_at: float | None
    finished_at: float | None
    steps: Sequence[StepProgress]


@dataclass(frozen=True)
class LogLine:
    """One line of a step's output; `kind` is I (standard output) or E (standard error)."""

    at: float
    kind: Literal["I", "E"]
    text: str


@dataclass(frozen=True)
class Execution:
    """What a command of `execute` printed; there is no exit code."""

    output: str
    error: str
    directory: str


@dataclass(frozen=True)
class AppCall:
    """A request that reaches an app; `production` when it came through a domain."""

    path: str
    headers: Mapping[str, str]
    production: bool


@dataclass(frozen=True)
class AppAnswer:
    """What an app answers; `delay` in seconds."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0


class Run(Protocol):
    """A job under way, or ended."""

    def progress(self, now: float) -> Progress:
        """Where the job stands."""

    def stop(self, now: float) -> None:
        """End it: what was running is aborted."""

    def lines(self, step: int, now: float) -> Sequence[LogLine]:
        """What the step printed so far."""

    def answer(self, call: AppCall, now: float) -> AppAnswer | None:
        """The app's answer, or None while nothing listens."""


class Home(Protocol):
    """What stands behind one workspace."""

    @property
    def dev_domain(self) -> str:
        """Host (and port) of the workspace's own address, without scheme."""

    def ready(self) -> bool:
        """The clone is there, so that the workspace may come up."""

    def head(self) -> str:
        """The commit that is checked out; raises GitFault."""

    def pull(self, remote: str | None, branch: str | None) -> None:
        """Fetch and merge into the current branch; raises GitFault."""

    def read(self, path: str) -> str | None:
        """A file of the working tree as text, or None."""

    def execute(self, command: str, directory: str | None, env: Mapping[str, str]) -> Execution:
        """Run a shell command; raises TooSlow after five seconds."""

    def start(self, job: Job) -> Run:
        """Begin a job."""

    def remove(self) -> None:
        """Stop everything and forget the files."""


class World(Protocol):
    """Makes homes."""

    def open(self, seed: Seed) -> Home:
        """Clone what the seed names; never raises for a faulty repository, `Home.head` does."""
