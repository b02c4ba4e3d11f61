"""Bitbucket Cloud: repository and workspace webhooks.

Source: support.atlassian.com, "Event payloads" and "Manage webhooks". There is no ping and no release event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from workers.hosts import bitbucket_cloud_payloads as shapes
from workers.hosts.base import Headers, json_text, parse, printable
from workers.hosts.bitbucket import Bitbucket, event_key
from workers.hosts.git_names import action_of
from workers.releases.events import BadDelivery, Change, Event, RefType

_REF_TYPES: Final = {"branch": RefType.BRANCH, "tag": RefType.TAG}
_FULL_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
_MERGED: Final = "pullrequest:fulfilled"
_CHANGE_KINDS: Final = {
    "pullrequest:created": "change_opened",
    # Sent for any edit, also of the title alone: only the head tells whether there is new code.
    "pullrequest:updated": "change_updated",
    _MERGED: "change_merged",
    "pullrequest:rejected": "change_closed",
}


class BitbucketCloud(Bitbucket):
    """Bitbucket Cloud, under the name that the configuration gives it."""

    driver = "bitbucket-cloud"
    reads: Final = (
        "push",
        "change_opened",
        "change_updated",
        "change_merged",
        "change_closed",
        "ci_status",
        "comment",
        "repository_renamed",
    )
    """The kinds of events that it tells apart, beside `other`."""
    id_header = "X-Request-UUID"

    def sends_unsigned(self, headers: Headers) -> bool:
        """Return False: Bitbucket Cloud has no test delivery."""
        return False

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the delivery says; an event that no rule uses has kind `other`."""
        event = event_key(headers)
        return _READERS.get(event, _other)(json_text(headers, body), event)


def _event(
    kind: str,
    found: shapes.InRepository,
    facts: dict[str, Any] | None = None,
    changes: tuple[Change, ...] = (),
) -> Event:
    return Event(
        kind=kind,
        repository=found.repository.full_name,
        repository_id=found.repository.uuid,
        # A push has no pusher in the contract: Bitbucket tells no login of whoever acted.
        actor=None if kind == "push" or found.actor is None else found.actor.uuid,
        changes=changes,
        facts={"default_branch": None} | (facts or {}),
    )


def _unused(found: shapes.InRepository | shapes.Anything) -> Event:
    if found.repository is None:
        return Event(kind="other")
    return Event(kind="other", repository=found.repository.full_name)


def _other(text: bytes, event: str) -> Event:
    return _unused(parse(shapes.Anything, text, event))


def _push(text: bytes, event: str) -> Event:
    found = parse(shapes.Push, text, event)
    changes = tuple(change for each in found.push.changes if (change := _change(each)) is not None)
    if found.push.changes and not changes:
        return _unused(found)
    return _event("push", found, changes=changes)


def _change(moved: shapes.RefChange) -> Change | None:
    """Return the change, or None where it is about no branch and no tag, as Mercurial's bookmarks were."""
    ref = moved.new or moved.old
    if ref is None or ref.type not in _REF_TYPES:
        return None
    after = None if moved.new is None else moved.new.target
    before = None if moved.old is None else moved.old.target.hash
    tip = None if after is None else after.hash
    return Change(
        ref_type=_REF_TYPES[ref.type],
        name=ref.name,
        action=action_of(before, tip),
        before=before,
        after=tip,
        commit=tip,
        forced=moved.forced,
        commits_listed=len(moved.commits),
        truncated=moved.truncated,
        message=None if after is None or after.message is None else printable(after.message),
        timestamp=None if after is None else after.date,
    )


def _pull_request(text: bytes, event: str) -> Event:
    found = parse(shapes.PullRequest, text, event)
    merged = event == _MERGED
    if merged and found.pullrequest.state not in {"MERGED", None}:
        # The header is not signed, the body is.
        raise BadDelivery(f"The header says {event}, but pullrequest.state is not MERGED.")
    return _event(_CHANGE_KINDS[event], found, _change_facts(found, merged=merged))


def _change_facts(found: shapes.PullRequest, *, merged: bool) -> dict[str, Any]:
    """Return the facts of a pull request. Its hashes are as Bitbucket sends them: 12 digits."""
    change = found.pullrequest
    source = None if change.source.repository is None else change.source.repository.full_name
    merge = change.merge_commit if merged else None
    return {
        "number": change.id,
        "head": None if change.source.commit is None else change.source.commit.hash,
        "head_branch": change.source.branch.name,
        "base_branch": change.destination.branch.name,
        "head_repo": source,
        "from_fork": source is None or source.lower() != found.repository.full_name.lower(),
        "merge_commit": None if merge is None else merge.hash,
    }


def _comment(text: bytes, event: str) -> Event:
    found = parse(shapes.Comment, text, event)
    facts = _change_facts(found, merged=False)
    facts |= {"body": printable(found.comment.content.raw or ""), "on_change": True}
    if found.actor is not None and found.actor.type == "app_user":
        facts["by_bot"] = True
    return _event("comment", found, facts)


def _status(text: bytes, event: str) -> Event:
    found = parse(shapes.Status, text, event)
    status = found.commit_status
    facts = {
        "state": status.state,
        "success": status.state == "SUCCESSFUL",
        "commit": _status_commit(status),
        "branch": status.refname,
        "context": status.key,
    }
    return _event("ci_status", found, facts)


def _status_commit(status: shapes.StatusBody) -> str | None:
    """Return the commit's full name, or None where the delivery has only a short one."""
    link = None if status.links is None else status.links.commit
    named = [
        "" if status.commit is None else status.commit.hash,
        "" if link is None else link.href.rpartition("/")[2],
    ]
    return next((name for name in named if _FULL_SHA.fullmatch(name)), None)


def _repository(text: bytes, event: str) -> Event:
    found = parse(shapes.RepositoryChange, text, event)
    names = None if found.changes is None else found.changes.full_name
    if names is None or names.old == names.new:
        return _unused(found)
    facts = {"old_name": names.old.partition("/")[2], "old_repo": names.old}
    return replace(_event("repository_renamed", found, facts), repository=names.new)


_READERS: Final[Mapping[str, Callable[[bytes, str], Event]]] = {
    "repo:push": _push,
    "repo:updated": _repository,
    "repo:commit_status_created": _status,
    "repo:commit_status_updated": _status,
    "pullrequest:comment_created": _comment,
} | dict.fromkeys(_CHANGE_KINDS, _pull_request)
