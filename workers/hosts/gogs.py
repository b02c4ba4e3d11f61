"""Gogs: repository webhooks.

Source: gogs.io, "Webhooks", and Gogs's own code. It signs and sends as Gitea does, under its own header
names, but its pull requests have a shape of their own, it has no CI, and a new tag comes as `create` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from workers.hosts import gitea_events as events
from workers.hosts import gogs_payloads as shapes
from workers.hosts.base import parse
from workers.hosts.gitea import Gitea
from workers.hosts.gitea_payloads import Repository
from workers.releases.events import Event


def _pull_request(text: bytes, event: str) -> Event:
    found = parse(shapes.PullRequest, text, event)
    change, merged = found.pull_request, found.pull_request.merged is True
    kind = events.kind_of_change(found.action, merged=merged)
    if kind is None:
        return events.unused(found)
    facts = {
        "number": found.number,
        # Gogs does not say; it is the tip of refs/pull/<number>/head.
        "head": None,
        "head_branch": change.head_branch,
        "base_branch": change.base_branch,
        "head_repo": None if change.head_repo is None else change.head_repo.full_name,
        "from_fork": _from_fork(change, found.repository),
        "merge_commit": change.merge_commit_sha or None if merged else None,
    }
    return events.event_of(kind, found, facts)


def _from_fork(change: shapes.PullRequestBody, repository: Repository) -> bool:
    """Tell whether it comes from another repository, also where that one is gone."""
    head, base = change.head_repo, change.base_repo or repository
    if head is None or head.full_name.lower() != base.full_name.lower():
        return True
    return head.id != base.id


class Gogs(Gitea):
    """One Gogs under the name that the configuration gives it."""

    driver: ClassVar[str] = "gogs"
    reads: ClassVar[tuple[str, ...]] = (
        "push",
        "ref_created",
        "ref_deleted",
        "release_published",
        "release_other",
        "change_opened",
        "change_updated",
        "change_edited",
        "change_merged",
        "change_closed",
        "comment",
        "ping",
    )
    """The kinds of events that it tells apart, beside `other`."""
    product: ClassVar[str] = "Gogs"
    readers: ClassVar[Mapping[str, events.Reader]] = {**events.COMMON, "pull_request": _pull_request}
