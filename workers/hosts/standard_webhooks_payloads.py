"""The fields of a Standard Webhooks message, and of the types of message that are ours.

Source: the Standard Webhooks specification 1.0, "Payload structure". `workers.hosts.standard_webhooks`
shows what `data` has.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.hosts.base import Entries, Payload
from workers.hosts.git_names import BranchName, RefName, Sha

Type = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)]
FullName = Annotated[str, Field(pattern=r"^[^/\x00-\x1f\x7f]+(?:/[^/\x00-\x1f\x7f]+)+$", max_length=300)]
Text = Annotated[str, Field(max_length=300)]


class Message(Payload):
    """What every message has."""

    type: Type
    timestamp: str | None = None


class Ref(Payload):
    """One ref that moved. `before` and `after` are null, or all zeros, where there is nothing."""

    ref: RefName
    before: Sha | None = None
    after: Sha | None = None
    commit: Sha | None = None
    forced: bool | None = None
    message: str | None = None
    timestamp: str | None = None


class InRepository(Payload):
    """`data` of every message of ours."""

    repository: FullName
    repository_id: Text | None = None
    default_branch: BranchName | None = None
    clone_url: str | None = None
    actor: Text | None = None


class PushData(InRepository):
    """`data` of `git.push`."""

    changes: Entries[Ref]


class Push(Message):
    """`git.push`."""

    data: PushData


class FinishedData(InRepository):
    """`data` of `git.ci_finished`."""

    success: bool
    commit: Sha
    branch: BranchName | None = None
    name: Text | None = None


class Finished(Message):
    """`git.ci_finished`."""

    data: FinishedData


class ReleaseData(InRepository):
    """`data` of `git.release_published`."""

    tag: BranchName
    prerelease: bool = False
    commit: Sha | None = None


class Release(Message):
    """`git.release_published`."""

    data: ReleaseData
