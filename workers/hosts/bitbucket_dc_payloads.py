"""The fields of Bitbucket Data Center's payloads that we use, and nothing else.

Source: confluence.atlassian.com, "Event payload" of Bitbucket Data Center; older versions lack some.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, StrictFloat, StrictInt, StrictStr
from pydantic.alias_generators import to_camel

from workers.hosts.base import Entries, Payload
from workers.hosts.bitbucket import Id, NamePart
from workers.hosts.git_names import BranchName, RefName, Sha


class Shape(Payload):
    """A shape whose fields are written in camel case."""

    model_config = ConfigDict(alias_generator=to_camel)


class Counted(Shape):
    """An entry of which only the presence counts."""


class Project(Shape):
    """A project; a person's own one has the key `~` and their name."""

    key: NamePart


class CloneLink(Shape):
    """One way to clone; the name is `http` for https, too."""

    name: str | None = None
    href: str


class Links(Shape):
    """`repository.links`, in newer versions only."""

    clone: Entries[CloneLink] = Field(default_factory=list)


class Repository(Shape):
    """A repository."""

    id: Id
    slug: NamePart
    project: Project
    links: Links | None = None

    @property
    def full_name(self) -> str:
        """Return the key of its project, a slash, and its own slug."""
        return f"{self.project.key}/{self.slug}"


class Account(Shape):
    """Who acted; `name` is the unique name of the account. The type `SERVICE` is no person's."""

    name: str
    type: str | None = None


class Body(Shape):
    """What every event carries. `event_key` is signed, the header with the same word is not."""

    event_key: str | None = None
    actor: Account | None = None


class Ping(Shape):
    """`diagnostics:ping`."""

    test: Literal[True]


class ChangedRef(Shape):
    """The full name of a ref."""

    id: RefName


class RefChange(Shape):
    """One entry of `changes`; all zeros stand for no commit. The hash of a tag may be a tag object's."""

    ref: ChangedRef
    from_hash: Sha
    to_hash: Sha
    type: str


class HeadCommit(Shape):
    """`toCommit`: the commit that a push of one ref ended at."""

    id: Sha
    message: str | None = None


class Push(Body):
    """`repo:refs_changed`. `date` is ISO text, in some versions milliseconds since 1970."""

    date: StrictInt | StrictFloat | StrictStr | None = None
    repository: Repository
    changes: Entries[RefChange]
    to_commit: HeadCommit | None = None
    commits: Entries[Counted] | None = None


class Head(Shape):
    """The source of a pull request; the repository is null once the fork is gone."""

    display_id: BranchName
    latest_commit: Sha
    repository: Repository | None = None


class Base(Shape):
    """Where a pull request wants to go."""

    display_id: BranchName
    repository: Repository


class MergeCommit(Shape):
    """`pullRequest.properties.mergeCommit`."""

    id: Sha


class Properties(Shape):
    """`pullRequest.properties`."""

    merge_commit: MergeCommit | None = None


class PullRequestBody(Shape):
    """`pullRequest`."""

    id: Id
    from_ref: Head
    to_ref: Base
    properties: Properties | None = None


class PullRequest(Body):
    """`pr:…`."""

    pull_request: PullRequestBody


class CommentBody(Shape):
    """`comment`."""

    text: str


class Comment(PullRequest):
    """`pr:comment:added`."""

    comment: CommentBody


class RepositoryChange(Body):
    """`repo:modified`."""

    old: Repository
    new: Repository


class Target(Shape):
    """Where a pull request of an unused event wants to go."""

    repository: Repository


class AnyPullRequest(Shape):
    """A pull request of an unused event."""

    to_ref: Target


class Anything(Body):
    """What every event may carry to name its repository."""

    repository: Repository | None = None
    pull_request: AnyPullRequest | None = None
