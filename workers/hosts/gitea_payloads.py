"""The fields of Gitea's and Forgejo's payloads that we use, and nothing else.

Source: docs.gitea.com, "Webhooks", and the structures that Gitea serialises. What it cannot resolve it
sends as an empty text, as -1, or not at all, which depends on its version.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.hosts.base import Entries, Payload

Sha = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
"""A full object name; all zeros means none. SHA-256 repositories have 64 digits."""
ShaOrNone = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})?$")]
"""A full object name, or an empty text where there is none."""
Id = Annotated[int, Field(ge=0, lt=2**63)]
RepositoryId = Annotated[int, Field(ge=-1, lt=2**63)]
"""A repository's number; -1 for a fork that is gone."""
FullName = Annotated[str, Field(pattern=r"^[^/\x00-\x20]+/[^/\x00-\x20]+$", max_length=300)]
RefName = Annotated[str, Field(pattern=r"^refs/[^\x00-\x20\x7f]+$", max_length=1024)]
ShortName = Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f]+$", max_length=1024)]
BranchName = Annotated[str, Field(max_length=1024)]


class Counted(Payload):
    """An entry of which only the presence counts."""


class NamedRepository(Payload):
    """A repository beside the one that the event is about."""

    id: Id | None = None
    full_name: FullName


class Repository(NamedRepository):
    """`repository` of every event; old versions leave the default branch out."""

    default_branch: BranchName | None = None
    clone_url: str | None = None


class Account(Payload):
    """A user; which of the two names is sent depends on the version."""

    login: str = ""
    username: str = ""


class Anything(Payload):
    """What every event may carry."""

    repository: Repository | None = None


class InRepository(Payload):
    """What every event of a repository carries."""

    repository: Repository
    sender: Account | None = None


class Commit(Payload):
    """A commit of a push."""

    id: ShaOrNone
    message: str | None = None
    timestamp: str | None = None


class Push(InRepository):
    """`push`: one ref. `commits` holds the newest, by default at most five."""

    ref: RefName
    before: Sha
    after: Sha
    head_commit: Commit | None = None
    commits: Entries[Commit] | None = None
    total_commits: Id | None = None
    pusher: Account | None = None


class NamedRef(InRepository):
    """`create` and `delete`. `sha` may be a tag object's, and is missing where a branch was made."""

    ref: ShortName
    ref_type: str
    sha: ShaOrNone | None = None


class Side(Payload):
    """The source or the aim of a pull request.

    `ref` is `refs/pull/…` where the source is no branch (any more); `label` is then the branch that it
    was, and empty where it never was one.
    """

    label: BranchName = ""
    ref: BranchName
    sha: ShaOrNone | None = None
    repo_id: RepositoryId | None = None
    repo: NamedRepository | None = None


class PullRequestBody(Payload):
    """`pull_request.pull_request`. `flow` 1 is AGit: pushed to `refs/for/…`, which readers may do."""

    head: Side
    base: Side
    flow: int = 0
    merged: bool | None = None
    merge_commit_sha: ShaOrNone | None = None


class PullRequest(InRepository):
    """`pull_request`."""

    action: str
    number: Id
    pull_request: PullRequestBody


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


class CommentBody(Payload):
    """The comment itself; `user` is null for comments taken over from elsewhere."""

    body: str | None = None
    user: Account | None = None


class Issue(Payload):
    """What was commented on; `pull_request` is not null only for pull requests."""

    number: Id
    pull_request: Counted | None = None


class IssueComment(InRepository):
    """`issue_comment`; old versions do not send `is_pull`."""

    action: str
    issue: Issue
    comment: CommentBody
    is_pull: bool = False


class Status(InRepository):
    """`status`, of newer versions of Gitea. It names no branch."""

    state: str
    sha: Sha
    context: str


class WorkflowFile(Payload):
    """`workflow_run.workflow`."""

    name: str | None = None


class Run(Payload):
    """`workflow_run.workflow_run`; `path` is the file, an @ and the full ref; `event` is what started it."""

    conclusion: str | None = None
    head_sha: Sha
    head_branch: BranchName | None = None
    path: str = ""
    event: str


class WorkflowRun(InRepository):
    """`workflow_run`, of newer versions of Gitea."""

    action: str
    workflow: WorkflowFile | None = None
    workflow_run: Run


class ActionRunBody(Payload):
    """`action_run_*.run`. `event_payload` is the payload, as a text, of what started the run."""

    status: str
    commit_sha: Sha
    prettyref: BranchName = ""
    trigger_event: str
    event_payload: str = ""
    is_fork_pull_request: bool = False
    workflow_id: str | None = None
    repository: Repository
    trigger_user: Account | None = None


class ActionRun(Payload):
    """Forgejo's `action_run_success`, `action_run_failure`, `action_run_recover`: no repository on top."""

    run: ActionRunBody


class Started(Payload):
    """`event_payload`; of a push it names the ref."""

    ref: str | None = None
