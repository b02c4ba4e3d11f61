"""Azure DevOps Services and Server: the service hooks "Web Hooks" of a project.

Source: learn.microsoft.com, "Service hooks events" and "Web Hooks (service hooks)". Azure DevOps signs
nothing; the subscription carries a password instead. Put one of the host's secrets into its field
Password (any user name does), or into its field HTTP headers as `X-Switchover-Secret: the secret`.
Both are as good as the TLS that carries them.

An annotated tag comes with the name of the tag object only, so a tag has no commit unless the push
lists the commit, too. Comments that are new, edited and deleted come as one event type.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from workers.hosts import azure_devops_payloads as shapes
from workers.hosts.base import Headers, delivery_id, json_body, parse, printable
from workers.hosts.git_names import action_of, branch_or_tag, present
from workers.hosts.moments import seconds_since_1970
from workers.releases.events import (
    BadDelivery,
    BadSignature,
    Change,
    DeliveryFacts,
    Event,
    RefType,
    UnsupportedMedia,
)

_BASIC: Final = "Authorization"
_CUSTOM: Final = "X-Switchover-Secret"
_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
_XAML_VERSION: Final = re.compile(r"L[A-Z]*:(refs/[^\x00-\x20:]+):([0-9a-f]{40})", re.ASCII)
_XAML_STATUSES: Final = frozenset({"succeeded", "partiallySucceeded", "failed", "stopped"})
_CLOSED: Final = frozenset({"completed", "abandoned"})


class AzureDevOps:
    """One Azure DevOps organisation or server, under the name that the configuration gives it."""

    driver: Final = "azure-devops"
    reads: Final = (
        "push",
        "change_opened",
        "change_updated",
        "change_merged",
        "change_closed",
        "ci_finished",
        "comment",
    )
    """The kinds of events that it tells apart, beside `other`."""

    def __init__(self, name: str, secrets: Iterable[str | bytes]) -> None:
        self.name = name
        self._secrets = tuple(secret.encode() if isinstance(secret, str) else secret for secret in secrets)

    def verify(self, headers: Headers, body: bytes) -> int:
        """Return the index of the secret that came as the Basic password or in the custom header.

        What comes must be right: of two passwords, a wrong one is not saved by the other. The body is
        not looked at. `BadSignature` also when no secret is configured; `BadDelivery` when one header
        came with two different values.
        """
        basic, custom = headers.one(_BASIC), headers.one(_CUSTOM)
        if not any(self._secrets):
            raise BadSignature(f"Host {self.name} has no webhook secret; set hosts.{self.name}.secrets.")
        sent = [] if basic is None else [_password(basic)]
        sent += [] if custom is None else [_bytes(custom)]
        if not sent:
            raise BadSignature(
                f"The headers {_BASIC} and {_CUSTOM} are missing; put a secret of host {self.name} "
                "into the subscription's field Password."
            )
        owners = [self._owner(password) for password in sent]
        return owners[0]

    def sends_unsigned(self, headers: Headers) -> bool:
        """Return False: the test button sends the subscription's password, too."""
        return False

    def facts(self, headers: Headers, body: bytes) -> DeliveryFacts:
        """Return the delivery's id and event name. Both are in the body, as no header has them.

        The id is made of subscription and notification, which a retry keeps; without them it is the
        event's own id, and for a body that cannot be read it is made from the body. `BadDelivery` when
        two different passwords came in one header.
        """
        headers.one(_BASIC)
        headers.one(_CUSTOM)
        try:
            found = parse(shapes.Envelope, json_body(headers, body), "Azure DevOps")
        except (BadDelivery, UnsupportedMedia):
            return DeliveryFacts(self.name, delivery_id(self.name, None, "", body), "")
        sent = found.id
        if found.subscription_id and found.notification_id is not None:
            sent = f"{found.subscription_id}-{found.notification_id}"
        return DeliveryFacts(
            self.name, delivery_id(self.name, sent, found.event_type, body), found.event_type
        )

    def payload(self, headers: Headers, body: bytes) -> bytes:
        """Return the body, which must be JSON itself, not a form."""
        return json_body(headers, body)

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the delivery says; an event that no rule uses has kind `other`."""
        text = json_body(headers, body)
        event = parse(shapes.Envelope, text, "Azure DevOps").event_type
        # Of an event that we do not know, no field is known either.
        return _READERS[event](text, event) if event in _READERS else Event(kind="other")

    def _owner(self, sent: bytes) -> int:
        matching = [
            index
            for index, secret in enumerate(self._secrets)
            # An empty secret would make an empty password right. All secrets are tried, always.
            if hmac.compare_digest(secret, sent) and secret
        ]
        if not matching:
            raise BadSignature(f"The password that came is no secret of host {self.name}; compare the two.")
        return matching[0]


def _password(authorization: str) -> bytes:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise BadSignature(f"The header {_BASIC} is not of the scheme Basic; remove it, or set a password.")
    try:
        user_and_password = b64decode(_bytes(credentials.strip()), validate=True)
    except binascii.Error:
        raise BadSignature(f"The header {_BASIC} is not Basic and base64.") from None
    return user_and_password.partition(b":")[2]


def _bytes(text: str) -> bytes:
    """Return a header as the bytes that came. One that was not read from a socket may have any character."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _event(
    kind: str,
    repository: shapes.Repository,
    facts: dict[str, Any] | None = None,
    changes: tuple[Change, ...] = (),
    actor: shapes.Identity | None = None,
) -> Event:
    return Event(
        kind=kind,
        repository=repository.full_name,
        repository_id=printable(repository.id),
        default_branch=_branch(repository.default_branch),
        clone_url=None if repository.remote_url is None else printable(repository.remote_url),
        actor=None if actor is None or actor.display_name is None else printable(actor.display_name),
        changes=changes,
        facts=facts or {},
    )


def _branch(ref: str | None) -> str | None:
    return None if ref is None else ref.removeprefix("refs/heads/")


def _stripped(event: str) -> BadDelivery:
    return BadDelivery(
        f"The {event} delivery has no resource; set the subscription's 'Resource details to send' to All."
    )


def _push(text: bytes, event: str) -> Event:
    found = parse(shapes.Push, text, event).resource
    if found is None:
        raise _stripped(event)
    listed = {commit.commit_id: commit for commit in found.commits or ()}
    pushed_at = seconds_since_1970(found.date)
    changes = [_change(update, listed, pushed_at) for update in found.ref_updates]
    kept = tuple(change for change in changes if change is not None)
    if not kept:
        return Event(kind="other", repository=found.repository.full_name)
    return _event("push", found.repository, changes=kept, actor=found.pushed_by)


def _change(
    update: shapes.RefUpdate, listed: Mapping[str, shapes.Commit], pushed_at: float | None
) -> Change | None:
    named = branch_or_tag(update.name)
    if named is None:
        return None
    before, after = present(update.old_object_id), present(update.new_object_id)
    head = None if after is None else listed.get(after)
    return Change(
        ref_type=named[0],
        name=named[1],
        action=action_of(before, after),
        before=before,
        after=after,
        # A tag may name a tag object: only what is listed among the commits is known to be one.
        commit=after if named[0] is RefType.BRANCH or head is not None else None,
        message=None if head is None or head.comment is None else printable(head.comment),
        timestamp=None if head is None or head.committer is None else head.committer.date,
        pushed_at=pushed_at,
    )


def _pull_request(text: bytes, event: str) -> Event:
    change = parse(shapes.PullRequest, text, event).resource
    if change is None:
        raise _stripped(event)
    kind = _change_kind(event, change)
    if kind == "other":
        return Event(kind=kind, repository=change.repository.full_name)
    head, merge = change.last_merge_source_commit, change.last_merge_commit
    facts = {
        "number": change.pull_request_id,
        "head": None if head is None else head.commit_id,
        "head_branch": _branch(change.source_ref_name),
        "base_branch": _branch(change.target_ref_name),
        # Azure DevOps also sets it on open pull requests: a test merge.
        "merge_commit": merge.commit_id if merge is not None and kind == "change_merged" else None,
        "status": printable(change.status),
        "from_fork": change.fork_source is not None,
    }
    if change.fork_source is not None:
        fork = change.fork_source.repository
        facts["head_repo"] = None if fork is None else fork.full_name
    created = event == "git.pullrequest.created"
    return _event(kind, change.repository, facts, actor=change.created_by if created else None)


def _change_kind(event: str, change: shapes.PullRequestResource) -> str:
    """Return what happened. The event `merged` only says that a merge was tried, open or not."""
    if change.status in _CLOSED:
        merged = change.status == "completed" and change.merge_status == "succeeded"
        return "change_merged" if merged else "change_closed"
    return {"git.pullrequest.created": "change_opened", "git.pullrequest.updated": "change_updated"}.get(
        event, "other"
    )


def _build(text: bytes, event: str) -> Event:
    build = parse(shapes.Build, text, event).resource
    if build is None:
        raise _stripped(event)
    ended = _old_build(build) if build.source_get_version is not None else _new_build(build)
    if ended is None:
        return Event(kind="other")
    success, ref, commit = ended
    named = branch_or_tag(ref)
    facts = {
        "repo": None,
        "success": success,
        # A pull request is built on refs/pull/3/merge, which must not pass for a branch.
        "branch": named[1] if named is not None and named[0] is RefType.BRANCH else None,
        "commit": commit,
        "name": None if build.definition is None else printable(build.definition.name),
    }
    return Event("ci_finished", repository_id=_built_id(build.repository), facts=facts)


def _built_id(built: shapes.BuiltRepository | None) -> str | None:
    # What is built may lie on another host, whose ids are not ours.
    if built is None or built.id is None or built.type != "TfsGit":
        return None
    return printable(built.id)


def _new_build(build: shapes.BuildResource) -> tuple[bool, str, str] | None:
    """Return success, ref and commit; None for a build that is not over or was not made from Git."""
    commit = build.source_version or ""
    if build.status != "completed" or _SHA.fullmatch(commit) is None:
        return None
    return build.result == "succeeded", build.source_branch or "", commit


def _old_build(build: shapes.BuildResource) -> tuple[bool, str, str] | None:
    """Return the same of a XAML build, whose status is its result."""
    version = _XAML_VERSION.fullmatch(build.source_get_version or "")
    if build.status not in _XAML_STATUSES or version is None:
        return None
    return build.status == "succeeded", version[1], version[2]


def _comment(text: bytes, event: str) -> Event:
    found = parse(shapes.Commented, text, event).resource
    if found is None:
        raise _stripped(event)
    facts = {
        "number": found.pull_request.pull_request_id,
        "body": printable(found.comment.content or ""),
        "on_change": True,
        "deleted": found.comment.is_deleted,
    }
    return _event("comment", found.pull_request.repository, facts, actor=found.comment.author)


_READERS: Final[Mapping[str, Callable[[bytes, str], Event]]] = {
    "git.push": _push,
    "git.pullrequest.created": _pull_request,
    "git.pullrequest.updated": _pull_request,
    "git.pullrequest.merged": _pull_request,
    "build.complete": _build,
    "ms.vss-code.git-pullrequest-comment-event": _comment,
}
