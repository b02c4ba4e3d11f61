"""What happens in a repository and may be told to its webhooks, apart from any host's format."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.githost.model import (
    Change,
    CheckSuite,
    Comment,
    Deployment,
    DeploymentStatus,
    Hook,
    Release,
    Repository,
    Status,
    User,
)


@dataclass(frozen=True)
class Pushed:
    """A ref moved, came or went. `before` and `after` are objects, all zeros for none."""

    repository: Repository
    user: User
    ref: str
    before: str
    after: str
    forced: bool = False


@dataclass(frozen=True)
class ChangeMoved:
    """A change was opened, got commits (`before` is its old head), was edited, or closed.

    Where an edit gave it another target, `former_target` is the one before.
    """

    repository: Repository
    user: User
    change: Change
    action: str
    before: str | None = None
    former_target: str | None = None


@dataclass(frozen=True)
class Commented:
    """Somebody wrote, or rewrote, a comment on a change."""

    repository: Repository
    user: User
    change: Change
    comment: Comment
    action: str = "created"


@dataclass(frozen=True)
class StatusSet:
    """A commit status was set."""

    repository: Repository
    user: User
    status: Status


@dataclass(frozen=True)
class ChecksFinished:
    """A suite came to its end."""

    repository: Repository
    user: User
    suite: CheckSuite


@dataclass(frozen=True)
class Published:
    """A release was published."""

    repository: Repository
    user: User
    release: Release


@dataclass(frozen=True)
class Moved:
    """A repository was renamed or went to another owner."""

    repository: Repository
    user: User
    former_owner: str
    former_name: str


@dataclass(frozen=True)
class Deployed:
    """A deployment was made, or moved on where `status` is there."""

    repository: Repository
    user: User
    deployment: Deployment
    status: DeploymentStatus | None = None


@dataclass(frozen=True)
class Pinged:
    """A hook was made, or is tried out. An organisation's has no repository."""

    repository: Repository | None
    user: User
    hook: Hook


Happening = (
    Pushed | ChangeMoved | Commented | StatusSet | ChecksFinished | Published | Moved | Deployed | Pinged
)


@dataclass(frozen=True)
class Message:
    """One happening in a host's own words: the event's name, its action or none, and the JSON body."""

    event: str
    action: str | None
    body: dict[str, object]
