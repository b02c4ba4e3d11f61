"""Bitbucket Data Center (once Server): repository and project webhooks.

Source: confluence.atlassian.com, "Event payload" and "Troubleshooting webhooks" of Bitbucket Data Center.
It sends no build statuses and no release events, and never sends a delivery again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from workers.hosts import bitbucket_dc_payloads as shapes
from workers.hosts.base import Headers, json_text, parse, printable
from workers.hosts.bitbucket import EVENT_KEY, SIGNATURE, Bitbucket, event_key
from workers.hosts.git_names import action_of, branch_or_tag, present
from workers.hosts.moments import seconds_since_1970
from workers.releases.events import BadDelivery, Change, Event, RefType

_PING: Final = "diagnostics:ping"
_MERGED: Final = "pr:merged"
_CLONE_URL: Final = re.compile(r"(https?://)(?:[^/\s]*@)?([^\s\x00]+)")
_CHANGE_KINDS: Final = {
    "pr:opened": "change_opened",
    "pr:from_ref_updated": "change_updated",
    "pr:modified": "change_edited",
    _MERGED: "change_merged",
    "pr:declined": "change_closed",
    "pr:deleted": "change_closed",
}

_Body = TypeVar("_Body", bound=shapes.Body)


class BitbucketDataCenter(Bitbucket):
    """One Bitbucket Data Center, under the name that the configuration gives it."""

    driver = "bitbucket-dc"
    reads: Final = (
        "push",
        "change_opened",
        "change_updated",
        "change_edited",
        "change_merged",
        "change_closed",
        "comment",
        "repository_renamed",
        "ping",
    )
    """The kinds of events that it tells apart, beside `other`."""
    id_header = "X-Request-Id"

    def sends_unsigned(self, headers: Headers) -> bool:
        """Tell whether this is the test button's delivery, which has no signature whatever the secret is.

        One that does carry a signature, and a wrong one, is refused like any other.
        """
        return set(headers.all(EVENT_KEY)) == {_PING} and not headers.all(SIGNATURE)

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the delivery says; an event that no rule uses has kind `other`.

        `BadDelivery` also where the body names another event than the header, which nobody signs.
        """
        event = event_key(headers)
        return _READERS.get(event, _other)(json_text(headers, body), event)


def _parse(shape: type[_Body], text: bytes, event: str) -> _Body:
    found = parse(shape, text, event)
    if found.event_key not in {event, None}:
        raise BadDelivery(f"The header {EVENT_KEY} says {event}, but the body's eventKey says another event.")
    return found


def _event(
    kind: str,
    repository: shapes.Repository,
    found: shapes.Body,
    facts: dict[str, Any] | None = None,
    changes: tuple[Change, ...] = (),
) -> Event:
    return Event(
        kind=kind,
        repository=repository.full_name,
        repository_id=str(repository.id),
        clone_url=_clone_url(repository),
        actor=_actor(found),
        changes=changes,
        facts=facts or {},
    )


def _actor(found: shapes.Body) -> str | None:
    return None if found.actor is None else printable(found.actor.name)


def _clone_url(repository: shapes.Repository) -> str | None:
    """Return the address to clone by http, without the name of the person whom Bitbucket made it for."""
    links = [] if repository.links is None else repository.links.clone
    found = [_CLONE_URL.fullmatch(link.href) for link in links if link.name == "http"]
    return next((match[1] + match[2] for match in found if match), None)


def _unused(repository: shapes.Repository | None) -> Event:
    return Event(kind="other", repository=None if repository is None else repository.full_name)


def _other(text: bytes, event: str) -> Event:
    found = _parse(shapes.Anything, text, event)
    target = None if found.pull_request is None else found.pull_request.to_ref.repository
    return _unused(found.repository or target)


def _ping(text: bytes, event: str) -> Event:
    parse(shapes.Ping, text, event)
    return Event(kind="ping", facts={"repo": None})


def _push(text: bytes, event: str) -> Event:
    found = _parse(shapes.Push, text, event)
    changes = tuple(change for each in found.changes if (change := _change(each, found)) is not None)
    if found.changes and not changes:
        return _unused(found.repository)
    return _event("push", found.repository, found, changes=changes)


def _change(moved: shapes.RefChange, push: shapes.Push) -> Change | None:
    """Return the change, or None where the ref is no branch and no tag."""
    ref = branch_or_tag(moved.ref.id)
    if ref is None:
        return None
    before = present(moved.from_hash)
    after = None if moved.type == "DELETE" else present(moved.to_hash)
    head = None if after is None else _head(moved, push)
    alone = len(push.changes) == 1
    return Change(
        ref_type=ref[0],
        name=ref[1],
        action=action_of(before, after),
        before=before,
        after=after,
        commit=_commit(ref[0], after, head),
        commits_listed=len(push.commits) if alone and push.commits is not None else None,
        message=None if head is None or head.message is None else printable(head.message),
        pushed_at=_seconds(push.date),
    )


def _head(moved: shapes.RefChange, push: shapes.Push) -> shapes.HeadCommit | None:
    """Return the push's `toCommit` where it belongs to this ref: there is one for the whole push."""
    head = push.to_commit
    if head is None or (len(push.changes) > 1 and head.id != moved.to_hash):
        return None
    return head


def _commit(ref_type: RefType, after: str | None, head: shapes.HeadCommit | None) -> str | None:
    """Return what to release: a branch's tip, or the commit behind a tag (`after` may be a tag object)."""
    if ref_type is RefType.BRANCH or after is None:
        return after
    return None if head is None else head.id


def _seconds(moment: float | str | None) -> float | None:
    """Return the moment in seconds since 1970, whether it came as a text or in milliseconds."""
    if moment is None or isinstance(moment, str):
        return seconds_since_1970(moment)
    return moment / 1000 if 0 <= moment < 1e14 else None


def _pull_request(text: bytes, event: str) -> Event:
    found = _parse(shapes.PullRequest, text, event)
    return _change_event(_CHANGE_KINDS[event], found, merged=event == _MERGED)


def _comment(text: bytes, event: str) -> Event:
    found = _parse(shapes.Comment, text, event)
    body = printable(found.comment.text)
    written: dict[str, Any] = {"body": body, "on_change": True, "author": _actor(found)}
    if found.actor is not None and found.actor.type == "SERVICE":
        written["by_bot"] = True
    return _change_event("comment", found, written, merged=False)


def _change_event(
    kind: str, found: shapes.PullRequest, facts: dict[str, Any] | None = None, *, merged: bool
) -> Event:
    change = found.pull_request
    source, target = change.from_ref.repository, change.to_ref.repository
    properties = change.properties if merged else None
    merge = None if properties is None else properties.merge_commit
    shared = {
        "number": change.id,
        "head": change.from_ref.latest_commit,
        "head_branch": change.from_ref.display_id,
        "base_branch": change.to_ref.display_id,
        "head_repo": None if source is None else source.full_name,
        "from_fork": source is None or source.id != target.id,
        "merge_commit": None if merge is None else merge.id,
    }
    return _event(kind, target, found, shared | (facts or {}))


def _repository(text: bytes, event: str) -> Event:
    found = _parse(shapes.RepositoryChange, text, event)
    if found.old.full_name == found.new.full_name:
        return _unused(found.new)
    facts = {"old_name": found.old.slug, "old_repo": found.old.full_name}
    return _event("repository_renamed", found.new, found, facts)


_READERS: Final[Mapping[str, Callable[[bytes, str], Event]]] = {
    _PING: _ping,
    "repo:refs_changed": _push,
    "repo:modified": _repository,
    "pr:comment:added": _comment,
} | dict.fromkeys(_CHANGE_KINDS, _pull_request)
