"""GitLab: project, group and system hooks, with a secret token or a signing token.

Source: docs.gitlab.com, "Webhooks", "Webhook events" and "System hooks".
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from workers.hosts import gitlab_payloads as shapes
from workers.hosts.base import Headers, delivery_id, event_name, json_body, parse, printable
from workers.hosts.git_names import action_of, branch_or_tag, present
from workers.hosts.timed_signatures import ID, SECRET_PREFIX, signer, signing_key
from workers.releases.events import BadSignature, Change, DeliveryFacts, Event, RefType

_TOKEN: Final = "X-Gitlab-Token"  # noqa: S105 - a header's name
_KEY_SIZES: Final = range(32, 33)
_CHANGE_KINDS: Final = {
    "open": "change_opened",
    "reopen": "change_opened",
    "close": "change_closed",
    "merge": "change_merged",
}
_FINISHED: Final = frozenset({"success", "failed", "canceled", "skipped"})


class GitLab:
    """One GitLab under the name that the configuration gives it.

    A secret that begins with `whsec_` is a signing token, any other a secret token. What is configured
    decides: beside a signing token, secret tokens are not looked at, or whoever learned one could go
    round the signature. To change over without a gap, set the signing token on the webhook first (GitLab
    then sends both headers) and here after that. Webhooks of both sorts are two hosts of one driver.
    """

    driver: Final = "gitlab"
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
        "deployment_status",
        "repository_renamed",
    )
    """The kinds of events that it tells apart, beside `other`."""

    def __init__(
        self, name: str, secrets: Iterable[str | bytes], *, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the secrets in the order of the settings; `clock` tells seconds since 1970."""
        self.name = name
        self._clock = clock
        self._secrets = tuple(secret.encode() if isinstance(secret, str) else secret for secret in secrets)
        self._signed = any(secret.startswith(SECRET_PREFIX) for secret in self._secrets)
        self._keys = tuple(
            signing_key(secret, _KEY_SIZES) if secret.startswith(SECRET_PREFIX) else None
            for secret in self._secrets
        )

    def verify(self, headers: Headers, body: bytes) -> int:
        """Return the index of the signing token that signed the delivery, else of the secret token in it.

        `BadSignature` also when no secret is configured, when a signing token is none, and when a signed
        delivery is older than 300 s; `BadDelivery` when a header came with different values.
        """
        if not any(self._secrets):
            raise BadSignature(f"Host {self.name} has no webhook secret; set hosts.{self.name}.secrets.")
        return self._signer(headers, body) if self._signed else self._bearer(headers)

    def sends_unsigned(self, headers: Headers) -> bool:
        """Return False: GitLab's tests are samples of real events, with the token."""
        return False

    def facts(self, headers: Headers, body: bytes) -> DeliveryFacts:
        """Return the delivery's id (made from event and body where GitLab sent none) and event name.

        The id is the same when GitLab tries again. `X-Gitlab-Event-UUID` is none: deliveries share it.
        """
        event = event_name(headers, "X-Gitlab-Event")
        sent = headers.one("Idempotency-Key")
        if self._signed:
            # The same id, but signed: what was overheard cannot come again under another one.
            sent = headers.one(ID) or sent
        return DeliveryFacts(self.name, delivery_id(self.name, sent, event, body), event)

    def payload(self, headers: Headers, body: bytes) -> bytes:
        """Return the body, which is JSON; GitLab sends no forms."""
        return json_body(headers, body)

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the delivery says; an event or action that no rule uses has kind `other`.

        The body alone tells what it is, since no header but those of the signature is signed.
        """
        text = json_body(headers, body)
        found = parse(shapes.Kind, text, "GitLab")
        return _READERS.get(found.object_kind or found.event_name or "", _other)(text)

    def _signer(self, headers: Headers, body: bytes) -> int:
        broken = [
            f"hosts.{self.name}.secrets[{index}]"
            for index, (secret, key) in enumerate(zip(self._secrets, self._keys, strict=True))
            if secret.startswith(SECRET_PREFIX) and key is None
        ]
        if not any(self._keys):
            raise BadSignature(f"{', '.join(broken)} is no signing token: whsec_ and base64 of 32 bytes.")
        try:
            return signer(self._keys, headers, body, host=self.name, now=self._clock())
        except BadSignature as error:
            raise BadSignature(f"{error}{self._advice(headers, broken)}") from None

    def _advice(self, headers: Headers, broken: list[str]) -> str:
        advice = ""
        if headers.all(_TOKEN):
            advice += f" {_TOKEN} is not looked at, because host {self.name} has a signing token."
        if broken:
            advice += f" {', '.join(broken)} is no signing token: whsec_ and base64 of 32 bytes."
        return advice

    def _bearer(self, headers: Headers) -> int:
        sent = headers.one(_TOKEN)
        if not sent:
            raise BadSignature(f"The header {_TOKEN} is missing; set the webhook's secret token on GitLab.")
        # The header's own bytes, as a secret may hold any letters.
        token = sent.encode("latin-1", "backslashreplace")
        matching = [
            index
            for index, secret in enumerate(self._secrets)
            # All secrets are compared, always. An empty one is nobody's, as an empty token came to nothing.
            if hmac.compare_digest(secret, token)
        ]
        if not matching:
            raise BadSignature(f"{_TOKEN} is no secret of host {self.name}; compare the two secrets.")
        return matching[0]


def _event(
    kind: str,
    found: shapes.Anything,
    facts: dict[str, Any] | None = None,
    changes: tuple[Change, ...] = (),
    actor: str | None = None,
) -> Event:
    project = found.project
    number = found.project_id if project is None or project.id is None else project.id
    return Event(
        kind=kind,
        repository=None if project is None else project.path_with_namespace,
        repository_id=None if number is None else str(number),
        default_branch=None if project is None else project.default_branch,
        clone_url=None if project is None else project.git_http_url,
        actor=_username(found) if actor is None else printable(actor),
        changes=changes,
        facts=facts or {},
    )


def _username(found: shapes.Anything) -> str | None:
    username = None if found.user is None else found.user.username
    return None if username is None else printable(username)


def _unused(found: shapes.Anything) -> Event:
    return Event(
        kind="other", repository=None if found.project is None else found.project.path_with_namespace
    )


def _other(text: bytes) -> Event:
    return _unused(parse(shapes.Anything, text, "GitLab"))


def _push(text: bytes) -> Event:
    found = parse(shapes.Push, text, "push")
    moved = branch_or_tag(found.ref)
    if moved is None:
        return _unused(found)
    change = _change(found, *moved)
    return _event("push", found, changes=(change,), actor=found.user_username or found.user_name)


def _change(push: shapes.Push, ref_type: RefType, name: str) -> Change:
    before, after = present(push.before), present(push.after)
    commit = after if ref_type is RefType.BRANCH or after is None else push.checkout_sha
    listed = push.commits or []
    head = next((each for each in reversed(listed) if each.id == commit), None)
    return Change(
        ref_type=ref_type,
        name=name,
        action=action_of(before, after),
        before=before,
        after=after,
        commit=commit,
        commits_listed=len(listed),
        message=None if head is None or head.message is None else printable(head.message),
        timestamp=None if head is None else head.timestamp,
    )


def _merge_request(text: bytes) -> Event:
    found = parse(shapes.MergeRequest, text, "merge_request")
    change = found.object_attributes
    kind = _kind_of(found)
    if kind is None:
        return _unused(found)
    head = None if change.last_commit is None else change.last_commit.id
    facts = {
        "number": change.iid,
        "head": head,
        "head_branch": change.source_branch,
        "base_branch": change.target_branch,
        "head_repo": None if change.source is None else change.source.path_with_namespace,
        "from_fork": change.source_project_id != change.target_project_id,
        "merge_commit": _merge_commit(change) if kind == "change_merged" else None,
    }
    return _event(kind, found, facts)


def _kind_of(found: shapes.MergeRequest) -> str | None:
    """Return what happened to the merge request; None for approvals, and for actions of tomorrow."""
    change = found.object_attributes
    action = change.action or "update"
    if action != "update":
        return _CHANGE_KINDS.get(action)
    if change.oldrev is not None:
        return "change_updated"
    draft = None if found.changes is None else found.changes.draft
    ready = draft is not None and draft.previous is True and draft.current is False
    return "change_opened" if ready else "change_edited"


def _merge_commit(change: shapes.MergeRequestBody) -> str | None:
    """Return what the target branch got: a merge, a squash, or, fast-forward, the last commit itself."""
    last = None if change.last_commit is None else change.last_commit.id
    return change.merge_commit_sha or change.squash_commit_sha or last


def _note(text: bytes) -> Event:
    found = parse(shapes.Note, text, "note")
    note = found.object_attributes
    if note.system:
        # GitLab's own remark about something that happened, in a person's name.
        return _unused(found)
    on_change = note.noteable_type == "MergeRequest"
    about = found.merge_request if on_change else found.issue
    facts = {
        "action": note.action,
        "body": printable(note.note or ""),
        "number": None if about is None else about.iid,
        "on_change": on_change,
        "author": _username(found),
    }
    return _event("comment", found, facts)


def _pipeline(text: bytes) -> Event:
    found = parse(shapes.Pipeline, text, "pipeline")
    pipeline = found.object_attributes
    if pipeline.status not in _FINISHED:
        return _unused(found)
    facts = {
        "success": pipeline.status == "success",
        "commit": pipeline.sha,
        # A tag must not pass for the branch of the same name.
        "branch": None if pipeline.tag else pipeline.ref,
        "is_tag": pipeline.tag,
        "trigger": pipeline.source,
        "number": None if found.merge_request is None else found.merge_request.iid,
    }
    return _event("ci_finished", found, facts | ({"tag": pipeline.ref} if pipeline.tag else {}))


def _job(text: bytes) -> Event:
    """Read one job as one state among several of the commit: its pipeline may go on, and fail."""
    found = parse(shapes.Job, text, "build")
    facts = {
        "state": found.build_status,
        "success": found.build_status == "success",
        "commit": found.sha,
        "context": printable(found.build_name),
        "branches": [] if found.tag else [found.ref],
    }
    return _event("ci_status", found, facts)


def _deployment(text: bytes) -> Event:
    found = parse(shapes.Deployment, text, "deployment")
    facts = {"state": found.status, "environment": found.environment, "short_sha": found.short_sha}
    return _event("deployment_status", found, facts)


def _release(text: bytes) -> Event:
    found = parse(shapes.Release, text, "release")
    commit = None if found.commit is None else found.commit.id
    facts = {"action": found.action, "tag": found.tag, "commit": commit}
    return _event("release_published" if found.action == "create" else "release_other", found, facts)


def _project_move(text: bytes) -> Event:
    found = parse(shapes.ProjectMove, text, "project_rename")
    former = found.old_path_with_namespace
    return Event(
        kind="repository_renamed",
        repository=found.path_with_namespace,
        repository_id=None if found.project_id is None else str(found.project_id),
        facts={"old_name": former.rpartition("/")[2], "old_repo": former},
    )


_READERS: Final[Mapping[str, Callable[[bytes], Event]]] = {
    "push": _push,
    "tag_push": _push,
    "merge_request": _merge_request,
    "note": _note,
    "pipeline": _pipeline,
    "build": _job,
    "deployment": _deployment,
    "release": _release,
    "project_rename": _project_move,
    "project_transfer": _project_move,
}
