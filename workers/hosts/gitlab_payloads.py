"""The fields of GitLab's payloads that we use, and nothing else.

Source: docs.gitlab.com, "Webhook events" and "System hooks". Fields that GitLab leaves out in some
version, or sends as null, are optional here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workers.hosts.base import Entries, Payload
from workers.hosts.git_names import BranchName, RefName, Sha

Id = Annotated[int, Field(ge=0, lt=2**63)]
FullName = Annotated[str, Field(pattern=r"^[^/\x00-\x20]+(?:/[^/\x00-\x20]+)+$", max_length=1024)]
"""A project's path with its groups, of which there may be any number."""


class Kind(Payload):
    """What every event says of itself: system hooks for projects have only `event_name`."""

    object_kind: str | None = None
    event_name: str | None = None


class Project(Payload):
    """`project`; old versions leave its id out."""

    id: Id | None = None
    path_with_namespace: FullName
    default_branch: str | None = None
    git_http_url: str | None = None


class User(Payload):
    """Who did it."""

    username: str | None = None


class Anything(Payload):
    """What every event may carry."""

    project: Project | None = None
    project_id: Id | None = None
    user: User | None = None


class InProject(Anything):
    """What every event of a project carries."""

    project: Project


class Commit(Payload):
    """A commit in a list, or the tip of a merge request."""

    id: Sha
    message: str | None = None
    timestamp: str | None = None


class Push(InProject):
    """`push` and `tag_push`. `checkout_sha` is the commit, also behind an annotated tag; null if deleted."""

    ref: RefName
    before: Sha
    after: Sha
    checkout_sha: Sha | None = None
    commits: Entries[Commit] | None = None
    user_username: str | None = None
    user_name: str | None = None


class NamedProject(Payload):
    """A project of which only the name is used."""

    path_with_namespace: FullName


class MergeRequestBody(Payload):
    """`merge_request.object_attributes`; `source` is null once the fork is gone, `last_commit` if empty."""

    iid: Id
    action: str | None = None
    source_branch: BranchName
    target_branch: BranchName
    source_project_id: Id | None = None
    target_project_id: Id
    source: NamedProject | None = None
    last_commit: Commit | None = None
    oldrev: Sha | None = None
    merge_commit_sha: Sha | None = None
    squash_commit_sha: Sha | None = None


class DraftChange(Payload):
    """`merge_request.changes.draft`."""

    previous: bool | None = None
    current: bool | None = None


class MergeRequestChanges(Payload):
    """`merge_request.changes`."""

    draft: DraftChange | None = None


class MergeRequest(InProject):
    """`merge_request`."""

    object_attributes: MergeRequestBody
    changes: MergeRequestChanges | None = None


class Numbered(Payload):
    """A merge request or an issue of which only the number is used."""

    iid: Id


class NoteBody(Payload):
    """`note.object_attributes`; old versions have no `action`."""

    note: str | None = None
    noteable_type: str
    action: str | None = None
    system: bool = False


class Note(InProject):
    """`note`: a comment on a merge request, an issue, a commit or a snippet."""

    object_attributes: NoteBody
    merge_request: Numbered | None = None
    issue: Numbered | None = None


class PipelineBody(Payload):
    """`pipeline.object_attributes`; `source` is what started it."""

    status: str
    sha: Sha
    ref: BranchName | None = None
    tag: bool = False
    source: str | None = None


class Pipeline(InProject):
    """`pipeline`; `merge_request` is there only for pipelines of one."""

    object_attributes: PipelineBody
    merge_request: Numbered | None = None


class Job(Anything):
    """`build`: one job of a pipeline. Old versions name the project by its id only."""

    sha: Sha
    ref: BranchName
    tag: bool = False
    build_name: str
    build_status: str


class Deployment(InProject):
    """`deployment`; there is no full commit in it."""

    status: str
    environment: str
    short_sha: str | None = None


class Release(InProject):
    """`release`."""

    action: str
    tag: str
    commit: Commit | None = None


class ProjectMove(Payload):
    """`project_rename` and `project_transfer` of system hooks."""

    project_id: Id | None = None
    path_with_namespace: FullName
    old_path_with_namespace: FullName
