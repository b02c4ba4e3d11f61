"""What a Git host tells of itself, and what it is told, in words that every host shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

_FULL_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)


def is_full_commit(text: str) -> bool:
    """Tell whether the text is a whole object name: 40 or 64 hexadecimal digits, lower case, not all zero."""
    return _FULL_COMMIT.fullmatch(text) is not None and bool(text.strip("0"))


class Offer(StrEnum):
    """What not every Git host has an API for. The value is how messages and the table of hosts call it."""

    PERMISSIONS = "rights of a user"
    CHANGES = "pull and merge requests"
    CI = "results of CI"
    STATUSES = "commit statuses"
    DEPLOYMENTS = "deployments"
    COMMENTS = "comments"
    DELIVERIES = "log of deliveries"


class Permission(IntEnum):
    """What a user may do in a repository, ordered: `right >= Permission.WRITE` may push."""

    NONE = 0
    READ = 1
    WRITE = 2
    MAINTAIN = 3
    ADMIN = 4


class Relation(StrEnum):
    """How one commit stands to another that is taken as the base."""

    IDENTICAL = "identical"
    AHEAD = "ahead"
    BEHIND = "behind"
    DIVERGED = "diverged"


class CheckState(StrEnum):
    """How one check of a commit stands. `neutral` is over and does not count (skipped, allowed to fail)."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"


class ReportState(StrEnum):
    """What we tell a host about a release of a commit; each host has its own words for it."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELED = "canceled"
    INACTIVE = "inactive"
    """Only of a deployment that was a success: another one took its place."""


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """A repository as its host knows it today. `id` stays when it is renamed or transferred."""

    id: str
    full_name: str
    default_branch: str | None
    """None where the host names none, which some do until something is pushed."""
    private: bool
    """True unless everybody may read it."""
    clone_url: str | None


@dataclass(frozen=True, slots=True)
class BranchHeads:
    """The commit at the head of each branch, by the branch's name."""

    heads: Mapping[str, str]
    complete: bool
    """False where the repository has more branches than are read (1,000)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How `head` stands to `base`, and what `head` changed since the two parted."""

    relation: Relation
    paths: tuple[str, ...]
    """Every file that was added, changed or deleted; a renamed one under both names."""
    complete: bool
    """False where the host lists only some of the files: paths that are missing prove nothing."""


@dataclass(frozen=True, slots=True)
class OpenChange:
    """A pull or merge request that is open. `head` is the commit that it has now."""

    number: int
    head: str
    head_branch: str
    base_branch: str
    from_fork: bool
    """True also where the fork is gone."""
    author: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """One result of CI for a commit: a status, a check run, or a job."""

    name: str
    state: CheckState


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A commit status. The same `context` replaces what stood there; a long description is cut."""

    state: ReportState
    context: str
    description: str
    target_url: str | None = None


@dataclass(frozen=True, slots=True)
class DeploymentRequest:
    """A deployment that has begun. `ref` is the short name of the branch or tag it came from."""

    commit: str
    ref: str
    environment: str
    description: str = ""
    tag: bool = False
    production: bool = True


@dataclass(frozen=True, slots=True)
class DeploymentReport:
    """How a deployment stands. Hosts without a place for the texts and addresses drop them."""

    state: ReportState
    description: str = ""
    log_url: str | None = None
    environment_url: str | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that a repository has; `address` is where the host sends to."""

    id: str
    address: str
    active: bool


@dataclass(frozen=True, slots=True)
class HostDelivery:
    """One entry of a host's own log of deliveries."""

    id: str
    """What `redeliver` takes."""
    delivery: str
    """The id that the delivery carries in its headers, as our own records have it; may repeat: sent again."""
    event: str
    delivered_at: float | None
    """Seconds since 1970; None: the host does not say."""
    ok: bool
    """Whether we answered it well (2xx), as the host saw it."""
