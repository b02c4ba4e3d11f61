"""The fields of GitHub's payloads that we use, and nothing else.

Source: docs.github.com, "Webhook events and payloads". Fields that GitHub sends as null are optional here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictFloat, StrictInt, StrictStr, with_config
from typing_extensions import TypedDict  # until 3.12, pydantic takes no other

from workers.hosts.base import Entries, Payload, Texts

Sha = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
"""A full object name; all zeros means none. SHA-256 repositories have 64 digits."""
Id = Annotated[int, Field(ge=0, lt=2**63)]
FullName = Annotated[str, Field(pattern=r"^[^/\x00-\x20]+/[^/\x00-\x20]+$", max_length=300)]
RefName = Annotated[str, Field(pattern=r"^refs/[^\x00-\x20\x7f]+$", max_length=1024)]
BranchName = Annotated[str, Field(max_length=1024)]


class Counted(Payload):
    """An entry of which only the presence counts."""


class Repository(Payload):
    """`repository` of every event. `pushed_at` is a Unix time in push events and a text elsewhere."""

    id: Id | None = None
    full_name: FullName
    default_branch: BranchName | None = None
    clone_url: str | None = None
    pushed_at: StrictInt | StrictFloat | StrictStr | None = None


class Account(Payload):
    """A user, an organisation or an App."""

    login: str


class Pusher(Payload):
    """Who pushed; deploy keys have no account."""

    name: str


class HeadCommit(Payload):
    """The commit that the ref names now, also behind an annotated tag."""

    id: Sha | None = None
    message: str | None = None
    timestamp: str | None = None


@with_config(Payload.model_config)
class ListedCommit(TypedDict, total=False):
    """One of a push's commits, with the files that it touched.

    A plain dictionary: a model for each commit would double the time that reading a push takes.
    """

    added: Texts | None
    removed: Texts | None
    modified: Texts | None


class Anything(Payload):
    """What every event may carry."""

    repository: Repository | None = None
    sender: Account | None = None


class InRepository(Payload):
    """What every event of a repository carries."""

    repository: Repository
    sender: Account | None = None


class Push(InRepository):
    """`push`."""

    ref: RefName
    before: Sha
    after: Sha
    deleted: bool = False
    forced: bool | None = None
    head_commit: HeadCommit | None = None
    commits: Entries[ListedCommit] = Field(default_factory=list)
    size: StrictInt | None = None
    distinct_size: StrictInt | None = None
    pusher: Pusher | None = None


class ReleaseBody(Payload):
    """`release.release`."""

    tag_name: str
    target_commitish: str | None = None
    draft: bool = False
    prerelease: bool = False


class Release(InRepository):
    """`release`."""

    action: str
    release: ReleaseBody


class NamedRepository(Payload):
    """A repository of which only the name is used."""

    full_name: FullName


class Head(Payload):
    """The source of a pull request; `repo` is null once the fork is gone."""

    ref: BranchName
    sha: Sha
    repo: NamedRepository | None = None


class Base(Payload):
    """Where a pull request wants to go."""

    ref: BranchName
    repo: NamedRepository


class PullRequestBody(Payload):
    """`pull_request.pull_request`. `merge_commit_sha` is a test merge until `merged` is true."""

    head: Head
    base: Base
    merged: bool | None = None
    merge_commit_sha: Sha | None = None


class PullRequest(InRepository):
    """`pull_request`."""

    action: str
    number: Id
    pull_request: PullRequestBody


class Suite(Payload):
    """`check_suite.check_suite`; `head_branch` is null for forks."""

    conclusion: str | None = None
    head_sha: Sha
    head_branch: BranchName | None = None


class CheckSuite(InRepository):
    """`check_suite`."""

    action: str
    check_suite: Suite


class SuiteOfRun(Payload):
    """`check_run.check_run.check_suite`."""

    head_branch: BranchName | None = None


class Run(Payload):
    """`check_run.check_run`."""

    name: str
    conclusion: str | None = None
    head_sha: Sha
    check_suite: SuiteOfRun | None = None


class CheckRun(InRepository):
    """`check_run`."""

    action: str
    check_run: Run


class Workflow(Suite):
    """`workflow_run.workflow_run`; `event` is what started it."""

    event: str
    name: str | None = None


class WorkflowRun(InRepository):
    """`workflow_run`."""

    action: str
    workflow_run: Workflow


class NamedBranch(Payload):
    """A branch of which only the name is used."""

    name: BranchName


class Status(InRepository):
    """`status`."""

    state: str
    sha: Sha
    context: str
    branches: Entries[NamedBranch] = Field(default_factory=list)


class CommentBody(Payload):
    """The comment itself; `user` is null once the account is gone."""

    body: str | None = None
    user: Account | None = None
    author_association: str | None = None


class Issue(Payload):
    """What was commented on; `pull_request` is there only for pull requests."""

    number: Id
    pull_request: Counted | None = None


class IssueComment(InRepository):
    """`issue_comment`."""

    action: str
    issue: Issue
    comment: CommentBody


class DeploymentBody(Payload):
    """`deployment.deployment`."""

    id: Id
    sha: Sha
    ref: str
    environment: str


class Deployment(InRepository):
    """`deployment`."""

    action: str
    deployment: DeploymentBody


class DeploymentState(Payload):
    """`deployment_status.deployment_status`."""

    state: str
    environment: str | None = None


class DeploymentStatus(InRepository):
    """`deployment_status`."""

    deployment: DeploymentBody
    deployment_status: DeploymentState


class From(Payload):
    """The former value in `changes`."""

    # `from` is a keyword of Python.
    former: str = Field(alias="from")


class NameChange(Payload):
    """`repository.changes.repository`."""

    name: From


class Changes(Payload):
    """`repository.changes`."""

    repository: NameChange | None = None


class RepositoryChange(InRepository):
    """`repository`."""

    action: str
    changes: Changes | None = None
