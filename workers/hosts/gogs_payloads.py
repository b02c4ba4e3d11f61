"""The fields of Gogs's pull requests that we use; its other events have Gitea's shapes.

Source: gogs.io, "Webhooks", and the structures that Gogs serialises.
"""

from __future__ import annotations

from workers.hosts.base import Payload
from workers.hosts.gitea_payloads import BranchName, Id, InRepository, NamedRepository, ShaOrNone


class PullRequestBody(Payload):
    """`pull_request.pull_request`; `head_repo` is null once the fork is gone. It names no head commit."""

    head_branch: BranchName
    head_repo: NamedRepository | None = None
    base_branch: BranchName
    base_repo: NamedRepository | None = None
    merged: bool | None = None
    merge_commit_sha: ShaOrNone | None = None


class PullRequest(InRepository):
    """`pull_request`."""

    action: str
    number: Id
    pull_request: PullRequestBody
