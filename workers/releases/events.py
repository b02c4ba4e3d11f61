"""One model for what all Git hosts tell us."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RefType(StrEnum):
    """What a ref names."""

    BRANCH = "branch"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Change:
    """One ref that a push moved. `after` and `commit` are None when the ref was deleted.

    `commit` is what to release: for an annotated tag it is the commit that the tag object names.
    """

    ref_type: RefType
    name: str
    action: str  # create, update, delete
    before: str | None
    after: str | None
    commit: str | None
    forced: bool | None = None  # None: the host does not say
    commits_listed: int | None = None  # None: the host does not list commits
    truncated: bool | None = None  # True: the list of commits was cut; None: the host does not say
    message: str | None = None  # of the head commit
    timestamp: str | None = None  # of the head commit, RFC 3339 as the host wrote it; its author chose it
    pushed_at: float | None = None  # when the host took the push, seconds since 1970; None: it does not say
    paths: tuple[str, ...] | None = None  # every file that the push changed; None: not known, or not all

    @property
    def ref(self) -> str:
        """Return the full ref name."""
        return f"refs/{'heads' if self.ref_type is RefType.BRANCH else 'tags'}/{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """What a verified delivery says. `kind` is `push`, `ping`, ... or `other` when no rule uses it.

    `facts` holds what only some kinds or hosts have, under the names of the contract (`number`, `head`, ...).
    """

    kind: str
    repository: str | None = None
    repository_id: str | None = None
    default_branch: str | None = None
    clone_url: str | None = None
    actor: str | None = None
    changes: tuple[Change, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """What the headers of a delivery say before its body is trusted."""

    host: str
    delivery: str
    event: str


class BadSignature(Exception):
    """The delivery does not carry a signature that one of the configured secrets made (HTTP 401)."""


class BadDelivery(Exception):
    """The delivery is authentic but cannot be read (HTTP 400)."""


class UnsupportedMedia(Exception):
    """The delivery's media type or encoding is one that we do not take (HTTP 415)."""
