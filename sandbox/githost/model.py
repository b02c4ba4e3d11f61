"""What a Git host keeps: accounts and their rights, repositories, and what hangs on commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sandbox.githost.history import History

Dialect = Literal["github", "gitlab"]
Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")
"""From the least to the most that a person may do in a repository."""

FINAL_CONCLUSIONS = (
    "success",
    "failure",
    "neutral",
    "cancelled",
    "timed_out",
    "action_required",
    "stale",
    "skipped",
    "startup_failure",
)


class Unknown(LookupError):
    """The host has no such thing; the message names what was looked for."""


@dataclass(frozen=True)
class User:
    """An account."""

    id: int
    login: str
    bot: bool = False


@dataclass(frozen=True)
class Token:
    """What a caller shows. It can do no more than its user may, and nothing but read with `read_only`.

    `repositories` limits it to those ids.
    """

    secret: str = field(repr=False)
    user: User
    read_only: bool = False
    repositories: frozenset[int] | None = None


@dataclass
class Status:
    """One commit status."""

    id: int
    sha: str
    context: str
    state: str
    creator: User
    at: float
    description: str | None = None
    target_url: str | None = None
    ref: str | None = None


@dataclass
class CheckRun:
    """One check of a suite."""

    id: int
    name: str
    status: str = "queued"
    conclusion: str | None = None


@dataclass
class CheckSuite:
    """The checks of one commit by one app: a workflow run on GitHub, a pipeline on GitLab.

    `branch` is None where the commit comes from a fork; `event` says what began it.
    """

    id: int
    sha: str
    branch: str | None
    app: str
    user: User
    at: float
    event: str = "push"
    status: str = "in_progress"
    conclusion: str | None = None
    head_repository: int = 0
    runs: list[CheckRun] = field(default_factory=list)


@dataclass
class Comment:
    """A remark on a change."""

    id: int
    change: int
    user: User
    body: str
    at: float


@dataclass
class Change:
    """A pull request, or merge request. `source` is None once the fork is gone."""

    id: int
    number: int
    title: str
    user: User
    source: int | None
    source_branch: str
    target_branch: str
    head: str
    at: float
    state: Literal["open", "closed", "merged"] = "open"
    draft: bool = False
    merge_commit: str | None = None
    squash_commit: str | None = None


@dataclass
class DeploymentStatus:
    """How far a deployment came."""

    id: int
    state: str
    creator: User
    at: float
    description: str = ""
    log_url: str = ""
    environment_url: str = ""


@dataclass
class Deployment:
    """That a commit is brought to an environment."""

    id: int
    sha: str
    ref: str
    environment: str
    creator: User
    at: float
    task: str = "deploy"
    description: str | None = None
    payload: object = field(default_factory=dict)
    transient: bool = False
    production: bool = False
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass
class Release:
    """A release that somebody published on a tag."""

    id: int
    tag: str
    name: str
    user: User
    at: float
    target: str
    prerelease: bool = False
    draft: bool = False


@dataclass
class Hook:
    """A webhook. `events` are GitHub's names, also where it speaks GitLab's format; `*` means all.

    One with an `owner` is an organisation's (a group's): it fires for each of its repositories, and
    `repository` is 0.
    """

    id: int
    repository: int
    url: str
    secret: str = field(repr=False)
    events: frozenset[str] = frozenset({"*"})
    active: bool = True
    dialect: Dialect = "github"
    signing_token: str = field(default="", repr=False)
    form: bool = False
    owner: str = ""


@dataclass
class Repository:
    """A repository with all that hangs on it. Tags point at commits or at tag objects.

    `clone_url` is told to whoever asks where to clone from; empty, it is an address that leads nowhere.
    """

    id: int
    owner: str
    name: str
    private: bool = True
    default_branch: str = "main"
    parent: int | None = None
    at: float = 0
    pushed_at: float = 0
    """When a ref was last moved; 0 before the first push."""
    clone_url: str = ""
    history: History = field(default_factory=History)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    suites: list[CheckSuite] = field(default_factory=list)
    changes: dict[int, Change] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """Owner and name."""
        return f"{self.owner}/{self.name}"

    def role_of(self, user: User | None) -> Role:
        """What the account may do here; everybody may read what is public."""
        least: Role = "none" if self.private else "read"
        given = self.roles.get(user.login.lower(), least) if user else least
        return given if ROLES.index(given) > ROLES.index(least) else least

    def refs(self) -> Mapping[str, str]:
        """Every ref by its full name, with the object that it names."""
        heads = {f"refs/heads/{name}": sha for name, sha in self.branches.items()}
        return heads | {f"refs/tags/{name}": sha for name, sha in self.tags.items()}

    def resolve(self, name: str) -> str | None:
        """The commit behind a branch, a tag, a full ref or a sha (seven digits are enough), or None."""
        found = self.branches.get(name) or self.tags.get(name) or self.refs().get(name)
        if found is not None:
            return self.history.commit_of(found)
        if name in self.history.commits:
            return name
        fitting = [sha for sha in self.history.commits if len(name) >= 7 and sha.startswith(name)]
        return fitting[0] if len(fitting) == 1 else None


def at_least(role: Role, wanted: Role) -> bool:
    """Whether a role includes another."""
    return ROLES.index(role) >= ROLES.index(wanted)


def iso(at: float, *, milliseconds: bool = False) -> str:
    """A time as both hosts write it, in UTC."""
    moment = datetime.fromtimestamp(at, UTC)
    text = moment.isoformat(timespec="milliseconds" if milliseconds else "seconds")
    return text.removesuffix("+00:00") + "Z"
