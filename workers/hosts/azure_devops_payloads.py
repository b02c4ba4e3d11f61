"""The fields of Azure DevOps' service hooks that we use, and nothing else.

Source: learn.microsoft.com, "Service hooks events". Fields are spelled there in camelCase.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from workers.hosts.base import Entries, Payload
from workers.hosts.git_names import BranchName, RefName, Sha

EventType = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)]
Id = Annotated[int, Field(ge=0, lt=2**63)]
Name = Annotated[str, Field(pattern=r"^[^/\x00-\x1f\x7f]+$", max_length=150)]
"""The name of a project or repository; unlike elsewhere it may have spaces in it."""
RepositoryId = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(max_length=300)]


class AzurePayload(Payload):
    """Base of the shapes here."""

    model_config = ConfigDict(alias_generator=to_camel)


class Envelope(AzurePayload):
    """What stands around every event. The documented samples have no subscription and no notification."""

    event_type: EventType
    id: str | None = None
    subscription_id: str | None = None
    notification_id: Id | None = None


class Project(AzurePayload):
    """A project, which holds repositories."""

    name: Name


class Repository(AzurePayload):
    """A repository; its full name is `project/repository`."""

    id: RepositoryId
    name: Name
    project: Project
    default_branch: BranchName | None = None
    remote_url: str | None = None

    @property
    def full_name(self) -> str:
        """Return the name as the configuration writes it."""
        return f"{self.project.name}/{self.name}"


class Identity(AzurePayload):
    """A person or a service."""

    display_name: str | None = None


class RefUpdate(AzurePayload):
    """One ref that a push moved; zeros stand for none."""

    name: RefName
    old_object_id: Sha
    new_object_id: Sha


class Signature(AzurePayload):
    """Who made a commit, and when."""

    date: str | None = None


class Commit(AzurePayload):
    """One of the commits that a push lists; there are none for tags, deletions and very large pushes."""

    commit_id: Sha
    comment: str | None = None
    committer: Signature | None = None


class PushResource(AzurePayload):
    """`resource` of `git.push`."""

    repository: Repository
    ref_updates: Entries[RefUpdate]
    commits: Entries[Commit] | None = None
    pushed_by: Identity | None = None
    date: str | None = None


class Push(AzurePayload):
    """`git.push`."""

    resource: PushResource | None = None


class CommitName(AzurePayload):
    """A commit of which only the name is told."""

    commit_id: Sha


class Source(AzurePayload):
    """Where a pull request comes from when that is a fork."""

    repository: Repository | None = None


class PullRequestResource(AzurePayload):
    """`resource` of `git.pullrequest.*`. The commits are missing until Azure DevOps has tried a merge."""

    repository: Repository
    pull_request_id: Id
    status: Text
    merge_status: Text | None = None
    source_ref_name: RefName
    target_ref_name: RefName
    last_merge_source_commit: CommitName | None = None
    last_merge_commit: CommitName | None = None
    fork_source: Source | None = None
    created_by: Identity | None = None


class PullRequest(AzurePayload):
    """`git.pullrequest.created`, `.updated` and `.merged`."""

    resource: PullRequestResource | None = None


class Definition(AzurePayload):
    """A pipeline."""

    name: Text


class BuiltRepository(AzurePayload):
    """What a build was made from: of a repository of Azure DevOps itself there is only the id."""

    id: RepositoryId | None = None
    type: Text | None = None


class BuildResource(AzurePayload):
    """`resource` of `build.complete`: of pipelines, or of the older XAML builds (`source_get_version`)."""

    status: Text
    result: Text | None = None
    source_branch: BranchName | None = None
    source_version: Text | None = None
    source_get_version: Annotated[str, Field(max_length=1200)] | None = None
    definition: Definition | None = None
    repository: BuiltRepository | None = None


class Build(AzurePayload):
    """`build.complete`."""

    resource: BuildResource | None = None


class Comment(AzurePayload):
    """A comment; a deleted one has no text."""

    content: str | None = None
    is_deleted: bool = False
    author: Identity | None = None


class CommentedPullRequest(AzurePayload):
    """The pull request that a comment is on."""

    repository: Repository
    pull_request_id: Id


class CommentResource(AzurePayload):
    """`resource` of a comment on a pull request."""

    comment: Comment
    pull_request: CommentedPullRequest


class Commented(AzurePayload):
    """`ms.vss-code.git-pullrequest-comment-event`."""

    resource: CommentResource | None = None
