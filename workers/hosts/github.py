"""GitHub and GitHub Enterprise: repository, organisation and App webhooks.

Source: docs.github.com, "Validating webhook deliveries" and "Webhook events and payloads".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from workers.hosts import github_payloads as shapes
from workers.hosts.base import Headers, delivery_id, event_name, json_text, parse, printable
from workers.releases.events import BadDelivery, BadSignature, Change, DeliveryFacts, Event, RefType

_SIGNATURE: Final = "X-Hub-Signature-256"
_SIGNATURE_FORM: Final = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII | re.IGNORECASE)
_MOST_COMMITS_LISTED: Final = 2048
"""GitHub lists no more commits than these in a push."""
_MOST_PATHS: Final = 10_000
"""More are not carried along; who needs them asks the host."""
_REF_TYPES: Final = {"heads": RefType.BRANCH, "tags": RefType.TAG}
_CHANGE_KINDS: Final = {
    "opened": "change_opened",
    "reopened": "change_opened",
    "ready_for_review": "change_opened",
    "synchronize": "change_updated",
    "edited": "change_edited",
}


class GitHub:
    """One GitHub, or one GitHub Enterprise, under the name that the configuration gives it."""

    driver: Final = "github"
    reads: Final = (
        "push",
        "release_published",
        "release_other",
        "change_opened",
        "change_updated",
        "change_edited",
        "change_merged",
        "change_closed",
        "ci_finished",
        "ci_status",
        "comment",
        "deployment",
        "deployment_status",
        "repository_renamed",
        "ping",
    )
    """The kinds of events that it tells apart, beside `other`."""

    def __init__(self, name: str, secrets: Iterable[str | bytes]) -> None:
        self.name = name
        self._secrets = tuple(secret.encode() if isinstance(secret, str) else secret for secret in secrets)

    def verify(self, headers: Headers, body: bytes) -> int:
        """Return the index of the secret whose HMAC-SHA-256 over the raw body is in the header.

        The older SHA-1 header is never looked at. `BadSignature` also when no secret is configured;
        `BadDelivery` when two different signatures came.
        """
        sent = headers.one(_SIGNATURE)
        if not any(self._secrets):
            raise BadSignature(f"Host {self.name} has no webhook secret; set hosts.{self.name}.secrets.")
        if not sent:
            raise BadSignature(f"The header {_SIGNATURE} is missing; set the webhook's secret on GitHub.")
        form = _SIGNATURE_FORM.fullmatch(sent)
        if form is None:
            raise BadSignature(f"The header {_SIGNATURE} is not sha256= and 64 hexadecimal digits.")
        return self._signer(form[1].lower().encode(), body)

    def sends_unsigned(self, headers: Headers) -> bool:
        """Return False: GitHub signs its pings, too."""
        return False

    def facts(self, headers: Headers, body: bytes) -> DeliveryFacts:
        """Return the delivery's id (made from event and body where GitHub sent none) and event name.

        A redelivery keeps its id. `BadDelivery` when two different ids or events came.
        """
        event = event_name(headers, "X-GitHub-Event")
        delivery = delivery_id(self.name, headers.one("X-GitHub-Delivery"), event, body)
        return DeliveryFacts(host=self.name, delivery=delivery, event=event)

    def payload(self, headers: Headers, body: bytes) -> bytes:
        """Return the JSON text of a JSON or form body. GitHub signs the body as it came, forms too."""
        return json_text(headers, body)

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the delivery says; an event or action that no rule uses has kind `other`."""
        event = event_name(headers, "X-GitHub-Event")
        if not event:
            raise BadDelivery("The header X-GitHub-Event is missing or malformed.")
        return _READERS.get(event, _other)(json_text(headers, body), event)

    def _signer(self, sent: bytes, body: bytes) -> int:
        matching = [
            index
            for index, secret in enumerate(self._secrets)
            # An empty secret would make everybody's signature right. All secrets are tried, always.
            if hmac.compare_digest(hmac.digest(secret, body, "sha256").hex().encode(), sent) and secret
        ]
        if not matching:
            raise BadSignature(f"No secret of host {self.name} made this signature; compare the two secrets.")
        return matching[0]


def _event(
    kind: str,
    found: shapes.InRepository,
    facts: dict[str, Any] | None = None,
    changes: tuple[Change, ...] = (),
    actor: str | None = None,
) -> Event:
    repository = found.repository
    sender = None if found.sender is None else printable(found.sender.login)
    return Event(
        kind=kind,
        repository=repository.full_name,
        repository_id=None if repository.id is None else str(repository.id),
        default_branch=repository.default_branch,
        clone_url=repository.clone_url,
        actor=actor if actor is not None else sender,
        changes=changes,
        facts=facts or {},
    )


def _unused(found: shapes.InRepository | shapes.Anything) -> Event:
    if found.repository is None:
        return Event(kind="other")
    return Event(kind="other", repository=found.repository.full_name)


def _other(text: bytes, event: str) -> Event:
    return _unused(parse(shapes.Anything, text, event))


def _ping(text: bytes, event: str) -> Event:
    found = parse(shapes.Anything, text, event)
    if found.repository is None:
        # An organisation's ping.
        return Event(kind="ping", facts={"repo": None, "default_branch": None})
    return _event("ping", shapes.InRepository(repository=found.repository, sender=found.sender))


def _push(text: bytes, event: str) -> Event:
    found = parse(shapes.Push, text, event)
    prefix, _, name = found.ref.removeprefix("refs/").partition("/")
    if prefix not in _REF_TYPES or not name:
        return _unused(found)
    change = _change(found, _REF_TYPES[prefix], name)
    actor = None if found.pusher is None else printable(found.pusher.name)
    return _event("push", found, changes=(change,), actor=actor)


def _change(push: shapes.Push, ref_type: RefType, name: str) -> Change:
    before = _present(push.before)
    after = None if push.deleted else _present(push.after)
    head = None if after is None else push.head_commit
    return Change(
        ref_type=ref_type,
        name=name,
        action="delete" if after is None else "create" if before is None else "update",
        before=before,
        after=after,
        commit=_commit(ref_type, after, head),
        forced=push.forced,
        commits_listed=len(push.commits),
        message=None if head is None or head.message is None else printable(head.message),
        timestamp=None if head is None else head.timestamp,
        pushed_at=_seconds(push.repository.pushed_at),
        paths=_paths(push, before, after),
    )


def _paths(push: shapes.Push, before: str | None, after: str | None) -> tuple[str, ...] | None:
    """Return every file that the push changed, or None where its list of commits may not be the whole story.

    A forced push also takes commits away, a new ref has commits of other branches: neither is listed.
    """
    commits = push.commits
    whole = push.forced is False and before is not None and after is not None
    if not whole or not commits or len(commits) >= _MOST_COMMITS_LISTED:
        return None
    if any(size is not None and size != len(commits) for size in (push.size, push.distinct_size)):
        return None
    found: dict[str, None] = {}
    for commit in commits:
        added, removed, modified = commit.get("added"), commit.get("removed"), commit.get("modified")
        if added is None or removed is None or modified is None:
            return None
        found |= dict.fromkeys((*added, *modified, *removed))
        if len(found) > _MOST_PATHS:
            return None
    return tuple(map(printable, found))


def _commit(ref_type: RefType, after: str | None, head: shapes.HeadCommit | None) -> str | None:
    """Return what to release: a branch's tip, or the commit behind a tag (`after` may be a tag object)."""
    if ref_type is RefType.BRANCH or after is None:
        return after
    return None if head is None else head.id


def _present(sha: str) -> str | None:
    return sha if sha.strip("0") else None


def _seconds(moment: float | str | None) -> float | None:
    """Return the moment in seconds since 1970, whether GitHub sent a number or a text."""
    if moment is None:
        return None
    try:
        seconds = datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment)
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if 0 <= seconds < 1e11 else None


def _release(text: bytes, event: str) -> Event:
    found = parse(shapes.Release, text, event)
    facts = {
        "action": found.action,
        "tag": found.release.tag_name,
        "prerelease": found.release.prerelease,
        "draft": found.release.draft,
        "target": found.release.target_commitish,
    }
    return _event("release_published" if found.action == "published" else "release_other", found, facts)


def _pull_request(text: bytes, event: str) -> Event:
    found = parse(shapes.PullRequest, text, event)
    change, merged = found.pull_request, found.pull_request.merged is True
    closed = "change_merged" if merged else "change_closed"
    kind = closed if found.action == "closed" else _CHANGE_KINDS.get(found.action)
    if kind is None:
        return _unused(found)
    head_repository = None if change.head.repo is None else change.head.repo.full_name
    facts = {
        "number": found.number,
        "head": change.head.sha,
        "head_branch": change.head.ref,
        "base_branch": change.base.ref,
        "head_repo": head_repository,
        "from_fork": head_repository is None or head_repository.lower() != change.base.repo.full_name.lower(),
        # GitHub also sets it on pull requests that were not merged: a test merge.
        "merge_commit": change.merge_commit_sha if merged else None,
    }
    return _event(kind, found, facts)


def _ci_facts(
    conclusion: str | None, commit: str, branch: str | None, trigger: str | None, name: str | None
) -> dict[str, Any]:
    success = conclusion == "success"
    return {"success": success, "commit": commit, "branch": branch, "trigger": trigger, "name": name}


def _check_suite(text: bytes, event: str) -> Event:
    found = parse(shapes.CheckSuite, text, event)
    suite = found.check_suite
    if found.action != "completed":
        return _unused(found)
    return _event(
        "ci_finished", found, _ci_facts(suite.conclusion, suite.head_sha, suite.head_branch, None, None)
    )


def _check_run(text: bytes, event: str) -> Event:
    found = parse(shapes.CheckRun, text, event)
    run = found.check_run
    if found.action != "completed":
        return _unused(found)
    branch = None if run.check_suite is None else run.check_suite.head_branch
    return _event("ci_finished", found, _ci_facts(run.conclusion, run.head_sha, branch, None, run.name))


def _workflow_run(text: bytes, event: str) -> Event:
    found = parse(shapes.WorkflowRun, text, event)
    run = found.workflow_run
    if found.action != "completed":
        return _unused(found)
    facts = _ci_facts(run.conclusion, run.head_sha, run.head_branch, run.event, run.name)
    return _event("ci_finished", found, facts)


def _status(text: bytes, event: str) -> Event:
    found = parse(shapes.Status, text, event)
    facts = {
        "state": found.state,
        "success": found.state == "success",
        "commit": found.sha,
        "context": found.context,
        "branches": [branch.name for branch in found.branches],
    }
    return _event("ci_status", found, facts)


def _issue_comment(text: bytes, event: str) -> Event:
    found = parse(shapes.IssueComment, text, event)
    facts = {
        "action": found.action,
        "body": printable(found.comment.body or ""),
        "number": found.issue.number,
        "on_change": found.issue.pull_request is not None,
        "author": None if found.comment.user is None else printable(found.comment.user.login),
        "association": found.comment.author_association,
    }
    return _event("comment", found, facts)


def _deployment(text: bytes, event: str) -> Event:
    found = parse(shapes.Deployment, text, event)
    asked = found.deployment
    facts = {"commit": asked.sha, "ref": asked.ref, "environment": asked.environment, "id": asked.id}
    return _event("deployment", found, facts)


def _deployment_status(text: bytes, event: str) -> Event:
    found = parse(shapes.DeploymentStatus, text, event)
    facts = {
        "state": found.deployment_status.state,
        "commit": found.deployment.sha,
        "environment": found.deployment_status.environment or found.deployment.environment,
    }
    return _event("deployment_status", found, facts)


def _repository(text: bytes, event: str) -> Event:
    found = parse(shapes.RepositoryChange, text, event)
    if found.action != "renamed" or found.changes is None or found.changes.repository is None:
        return _unused(found)
    return _event("repository_renamed", found, {"old_name": found.changes.repository.name.former})


_READERS: Final[Mapping[str, Callable[[bytes, str], Event]]] = {
    "ping": _ping,
    "push": _push,
    "release": _release,
    "pull_request": _pull_request,
    "check_suite": _check_suite,
    "check_run": _check_run,
    "workflow_run": _workflow_run,
    "status": _status,
    "issue_comment": _issue_comment,
    "deployment": _deployment,
    "deployment_status": _deployment_status,
    "repository": _repository,
}
