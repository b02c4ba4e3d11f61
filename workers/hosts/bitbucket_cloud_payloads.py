"""The fields of Bitbucket Cloud's payloads that we use, and nothing else.

Source: support.atlassian.com, "Event payloads". Fields that Bitbucket sends as null are optional here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.hosts.base import Entries, Payload
from workers.hosts.bitbucket import Id
from workers.hosts.git_names import BranchName, Sha

AnySha = Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]
"""An object name that may be cut: pull requests show 12 digits, which name no commit for sure."""
FullName = Annotated[str, Field(pattern=r"^[^/\x00-\x20\x7f]+/[^/\x00-\x20\x7f]+$", max_length=300)]
Uuid = Annotated[str, Field(max_length=100)]


class Counted(Payload):
    """An entry of which only the presence counts."""


class Repository(Payload):
    """`repository` of every event. It has no clone URL and no default branch."""

    uuid: Uuid | None = None
    full_name: FullName


class Account(Payload):
    """Who acted. People choose and change their shown names, so the uuid is the only name that counts.

    Access tokens and apps have the type `app_user`.
    """

    uuid: Uuid | None = None
    type: str | None = None


class Anything(Payload):
    """What every event may carry."""

    repository: Repository | None = None
    actor: Account | None = None


class InRepository(Payload):
    """What every event of a repository carries."""

    repository: Repository
    actor: Account | None = None


class Target(Payload):
    """The commit that a branch or tag names, also behind an annotated tag."""

    hash: Sha
    message: str | None = None
    date: str | None = None


class Ref(Payload):
    """A branch or tag as it was or is."""

    type: str
    name: BranchName
    target: Target


class RefChange(Payload):
    """One entry of `push.changes`: `old` is null for a new ref, `new` for a deleted one."""

    old: Ref | None
    new: Ref | None
    forced: bool | None = None
    truncated: bool | None = None
    commits: Entries[Counted] = Field(default_factory=list)


class PushBody(Payload):
    """`push`."""

    changes: Entries[RefChange]


class Push(InRepository):
    """`repo:push`."""

    push: PushBody


class NamedCommit(Payload):
    """A commit of a pull request."""

    hash: AnySha


class NamedBranch(Payload):
    """A branch of which only the name is used."""

    name: BranchName


class NamedRepository(Payload):
    """A repository of which only the name is used."""

    full_name: FullName


class Source(Payload):
    """Where a pull request comes from; the repository is null once the fork is gone."""

    branch: NamedBranch
    commit: NamedCommit | None = None
    repository: NamedRepository | None = None


class Destination(Payload):
    """Where a pull request wants to go: a branch of the event's own repository."""

    branch: NamedBranch


class PullRequestBody(Payload):
    """`pullrequest`."""

    id: Id
    state: str | None = None
    source: Source
    destination: Destination
    merge_commit: NamedCommit | None = None


class PullRequest(InRepository):
    """`pullrequest:…`."""

    pullrequest: PullRequestBody


class Content(Payload):
    """The text of a comment, as it was typed."""

    raw: str | None = None


class CommentBody(Payload):
    """`comment`."""

    content: Content


class Comment(PullRequest):
    """`pullrequest:comment_created`."""

    comment: CommentBody


class Link(Payload):
    """An address."""

    href: str


class StatusLinks(Payload):
    """`commit_status.links`; the last part of `commit` is the commit's name."""

    commit: Link | None = None


class StatusBody(Payload):
    """`commit_status`; only newer deliveries have `commit` itself."""

    state: str
    key: str
    refname: BranchName | None = None
    commit: NamedCommit | None = None
    links: StatusLinks | None = None


class Status(InRepository):
    """`repo:commit_status_created` and `repo:commit_status_updated`."""

    commit_status: StatusBody


class NameChange(Payload):
    """A former and a present full name."""

    old: FullName
    new: FullName


class Changes(Payload):
    """`changes` of `repo:updated`."""

    full_name: NameChange | None = None


class RepositoryChange(InRepository):
    """`repo:updated`."""

    changes: Changes | None = None
