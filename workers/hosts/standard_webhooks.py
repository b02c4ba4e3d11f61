"""Standard Webhooks 1.0: any sender that signs as standardwebhooks.com says.

Source: the Standard Webhooks specification 1.0. Signatures of version v1 (HMAC-SHA-256) are taken, with
secrets in base64 after `whsec_`, of 24 to 64 bytes. Signatures of version v1a (Ed25519) are passed over,
like those of any other version: no library that this project stands on can check them.

The specification leaves the body to the sender. Any type of message is taken as an `event`, which no
rule uses, except for four that are ours (`?` may be missing):

    {"type": "git.push", "timestamp"?: when it was pushed, ISO 8601,
     "data": {"repository": "acme/shop", "repository_id"?: "4711", "default_branch"?: "main",
              "clone_url"?: "https://git.example/acme/shop.git", "actor"?: "ada",
              "changes": [{"ref": "refs/heads/main", "before": "40 or 64 hexadecimal digits",
                           "after": "the same", "commit"?: "what an annotated tag names", "forced"?: false,
                           "message"?: "of the commit", "timestamp"?: "of the commit"}]}}

`before` is null for a new ref and `after` for a deleted one; zeros say the same. Without `commit`, it is
`after`. The `data` of `git.ci_finished` has `repository`, `success` (true or false), `commit`, `branch`?
and `name`?; that of `git.release_published` has `repository`, `tag`, `prerelease`? and `commit`?. Both
may have what a push tells of its repository. `git.ping` asks whether we listen; its `data` is not read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from workers.hosts import standard_webhooks_payloads as shapes
from workers.hosts.base import Headers, delivery_id, json_body, parse, printable
from workers.hosts.git_names import action_of, branch_or_tag, present
from workers.hosts.moments import seconds_since_1970
from workers.hosts.timed_signatures import ID, SIGNATURE, TIMESTAMP, signer, signing_key
from workers.releases.events import BadDelivery, BadSignature, Change, DeliveryFacts, Event, UnsupportedMedia

_KEY_SIZES: Final = range(24, 65)


class StandardWebhooks:
    """One sender of Standard Webhooks, under the name that the configuration gives it."""

    driver: Final = "standard-webhooks"
    reads: Final = ("push", "release_published", "ci_finished", "event", "ping")
    """The kinds of events that it tells apart, beside `other`."""

    def __init__(
        self, name: str, secrets: Iterable[str | bytes], *, clock: Callable[[], float] = time.time
    ) -> None:
        """Take the secrets in the order of the settings; `clock` tells seconds since 1970."""
        self.name = name
        self._clock = clock
        self._keys = tuple(
            signing_key(secret.encode() if isinstance(secret, str) else secret, _KEY_SIZES)
            for secret in secrets
        )

    def verify(self, headers: Headers, body: bytes) -> int:
        """Return the index of the secret that made one of the v1 signatures over id, time and body.

        `BadSignature` also when no usable secret is configured, and when the time of sending is more than
        300 s away; `BadDelivery` when a header came with different values.
        """
        if not any(self._keys):
            raise BadSignature(
                f"Host {self.name} has no webhook secret of the form whsec_ and base64 of 24 to 64 bytes; "
                f"set hosts.{self.name}.secrets."
            )
        return signer(self._keys, headers, body, host=self.name, now=self._clock())

    def sends_unsigned(self, headers: Headers) -> bool:
        """Return False: every message is signed."""
        return False

    def facts(self, headers: Headers, body: bytes) -> DeliveryFacts:
        """Return the message's id, which a retry keeps, and its type (empty where it cannot be read).

        `BadDelivery` when two different ids, times or signatures came.
        """
        headers.one(TIMESTAMP)
        headers.one(SIGNATURE)
        sent = headers.one(ID)
        try:
            event = parse(shapes.Message, json_body(headers, body), "Standard Webhooks").type
        except (BadDelivery, UnsupportedMedia):
            event = ""
        return DeliveryFacts(self.name, delivery_id(self.name, sent, event, body), event)

    def payload(self, headers: Headers, body: bytes) -> bytes:
        """Return the body, which must be JSON itself, not a form."""
        return json_body(headers, body)

    def read(self, headers: Headers, body: bytes) -> Event:
        """Return what the message says; one of a type that is not ours has kind `event`."""
        sent = headers.one(ID)
        text = json_body(headers, body)
        event = parse(shapes.Message, text, "Standard Webhooks").type
        if event == "git.ping":
            return Event(kind="ping")
        if event in _READERS:
            return _READERS[event](text, event)
        # As it came, and as `facts` tells it: the same letters, or the same hash of odd ones.
        return Event(kind="event", facts={"type": event, "id": delivery_id(self.name, sent, event, body)})


def _event(
    kind: str,
    data: shapes.InRepository,
    facts: dict[str, Any] | None = None,
    changes: tuple[Change, ...] = (),
) -> Event:
    return Event(
        kind=kind,
        repository=data.repository,
        repository_id=_printable(data.repository_id),
        default_branch=None
        if data.default_branch is None
        else data.default_branch.removeprefix("refs/heads/"),
        clone_url=_printable(data.clone_url),
        actor=_printable(data.actor),
        changes=changes,
        facts=facts or {},
    )


def _printable(text: str | None) -> str | None:
    return None if text is None else printable(text)


def _push(text: bytes, event: str) -> Event:
    found = parse(shapes.Push, text, event)
    pushed_at = seconds_since_1970(found.timestamp)
    changes = [_change(moved, pushed_at) for moved in found.data.changes]
    kept = tuple(change for change in changes if change is not None)
    if not kept:
        return Event(kind="other", repository=found.data.repository)
    return _event("push", found.data, changes=kept)


def _change(moved: shapes.Ref, pushed_at: float | None) -> Change | None:
    named = branch_or_tag(moved.ref)
    if named is None:
        return None
    before, after = present(moved.before), present(moved.after)
    return Change(
        ref_type=named[0],
        name=named[1],
        action=action_of(before, after),
        before=before,
        after=after,
        commit=None if after is None else present(moved.commit) or after,
        forced=moved.forced,
        message=_printable(moved.message),
        timestamp=_printable(moved.timestamp),
        pushed_at=pushed_at,
    )


def _finished(text: bytes, event: str) -> Event:
    data = parse(shapes.Finished, text, event).data
    facts = {
        "success": data.success,
        "commit": data.commit,
        "branch": None if data.branch is None else data.branch.removeprefix("refs/heads/"),
        "name": _printable(data.name),
    }
    return _event("ci_finished", data, facts)


def _release(text: bytes, event: str) -> Event:
    data = parse(shapes.Release, text, event).data
    facts = {
        "tag": data.tag.removeprefix("refs/tags/"),
        "prerelease": data.prerelease,
        "commit": present(data.commit),
    }
    return _event("release_published", data, facts)


_READERS: Final[Mapping[str, Callable[[bytes, str], Event]]] = {
    "git.push": _push,
    "git.ci_finished": _finished,
    "git.release_published": _release,
}
