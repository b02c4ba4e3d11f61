"""Webhook deliveries: signing, sending, and the log that a host keeps of them.

Sources: docs.github.com, "Validating webhook deliveries" and "REST API endpoints for repository webhooks";
docs.gitlab.com, "Webhooks" (secret token, signing token, delivery headers).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote_plus

from sandbox.githost.github_shapes import owner_id
from sandbox.githost.happenings import Message
from sandbox.githost.model import Hook, Unknown

LOG_LENGTH = 10_000
GITLAB_NAMES = {
    "push": "Push Hook",
    "tag_push": "Tag Push Hook",
    "merge_request": "Merge Request Hook",
    "note": "Note Hook",
    "pipeline": "Pipeline Hook",
    "release": "Release Hook",
    "deployment": "Deployment Hook",
}


@dataclass(frozen=True)
class Outgoing:
    """One webhook call as it goes over the wire."""

    url: str
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[Outgoing], int]
"""Sends a call and gives the status of its answer; 0 where there was none."""

Mode = Literal["send", "drop", "hold"]


@dataclass
class Delivery:
    """One attempt. A repeated one has an `id` of its own and the `guid` of the first."""

    id: int
    guid: str
    hook: Hook
    repository: int
    event: str
    action: str | None
    outgoing: Outgoing
    delivered_at: float = 0
    duration: float = 0
    status_code: int = 0
    redelivery: bool = False

    @property
    def status(self) -> str:
        """GitHub's word for how it went."""
        if self.status_code == 0:
            return "failed to connect"
        return "OK" if self.status_code < 400 else "Invalid HTTP Response: " + str(self.status_code)

    @property
    def went_well(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status_code < 300


@dataclass
class Post:
    """Sends what is put into it and remembers every attempt.

    `mode`: `send` at the next `deliver`; `drop` loses what happens without a trace, as in an outage of the
    host; `hold` keeps it back until `mode` is `send` again. `failures` are statuses that the next attempts
    get in place of the receiver's own, which is then never called.
    """

    send: Send
    clock: Callable[[], float]
    mode: Mode = "send"
    log: deque[Delivery] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    failures: deque[int] = field(default_factory=deque)
    newest_first: bool = False

    def __post_init__(self) -> None:
        self._waiting: deque[Delivery] = deque()
        self._under_way = 0
        self._lock = threading.Condition(threading.RLock())
        self._last_id = 12_000_000_000

    def put(self, hook: Hook, repository: int, message: Message) -> None:
        """Make a delivery of a message; it goes out with the next `deliver`."""
        if self.mode == "drop":
            return
        with self._lock:
            guid = str(uuid.uuid4())
            made = Delivery(
                self._next_id(),
                guid,
                hook,
                repository,
                message.event,
                message.action,
                Outgoing("", {}, b""),
            )
            made.outgoing = _outgoing(hook, message, guid, self.clock())
            self._waiting.append(made)

    def deliver(self) -> None:
        """Send all that waits, oldest first (or newest, with `newest_first`)."""
        while self.mode == "send":
            with self._lock:
                if not self._waiting:
                    return
                delivery = self._waiting.pop() if self.newest_first else self._waiting.popleft()
                self._under_way += 1
            try:
                self._attempt(delivery)
            finally:
                with self._lock:
                    self._under_way -= 1
                    self._lock.notify_all()

    def wait_until_sent(self, patience: float) -> None:
        """Return when nothing waits or is under way; raises TimeoutError after `patience` seconds.

        For a host whose webhooks go out in a thread of their own.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: not self._waiting and not self._under_way, patience):
                raise TimeoutError(f"{len(self._waiting)} deliveries still wait after {patience:g} s")

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Send the same call again: same guid, same body; gives the new attempt, not yet sent."""
        with self._lock:
            again = Delivery(
                self._next_id(),
                delivery.guid,
                delivery.hook,
                delivery.repository,
                delivery.event,
                delivery.action,
                delivery.outgoing,
                redelivery=True,
            )
            self._waiting.append(again)
        return again

    def of_hook(self, hook_id: int) -> list[Delivery]:
        """The attempts of a hook, newest first."""
        with self._lock:
            return [each for each in reversed(self.log) if each.hook.id == hook_id]

    def find(self, hook_id: int, delivery_id: int) -> Delivery:
        """One attempt; raises Unknown."""
        for each in self.of_hook(hook_id):
            if each.id == delivery_id:
                return each
        raise Unknown(f"delivery {delivery_id} of hook {hook_id}")

    def _attempt(self, delivery: Delivery) -> None:
        delivery.delivered_at = self.clock()
        if self.failures:
            delivery.status_code = self.failures.popleft()
        else:
            delivery.status_code = self.send(delivery.outgoing)
        delivery.duration = max(0.0, self.clock() - delivery.delivered_at)
        with self._lock:
            self.log.append(delivery)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id


def _outgoing(hook: Hook, message: Message, guid: str, now: float) -> Outgoing:
    text = json.dumps(message.body, separators=(",", ":"), ensure_ascii=False).encode()
    if hook.dialect == "gitlab":
        return Outgoing(hook.url, _gitlab_headers(hook, message, guid, text, now), text)
    body = b"payload=" + quote_plus(text).encode() if hook.form else text
    return Outgoing(hook.url, _github_headers(hook, message, guid, body), body)


def _github_headers(hook: Hook, message: Message, guid: str, body: bytes) -> dict[str, str]:
    kind = "application/x-www-form-urlencoded" if hook.form else "application/json"
    headers = {
        "Accept": "*/*",
        "Content-Type": kind,
        "User-Agent": "GitHub-Hookshot/5a0d0b0",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": message.event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(owner_id(hook.owner) if hook.owner else hook.repository),
        "X-GitHub-Hook-Installation-Target-Type": "organization" if hook.owner else "repository",
    }
    if not hook.secret:
        return headers
    old = hmac.new(hook.secret.encode(), body, hashlib.sha1).hexdigest()
    new = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    return headers | {"X-Hub-Signature": f"sha1={old}", "X-Hub-Signature-256": f"sha256={new}"}


def _gitlab_headers(hook: Hook, message: Message, guid: str, body: bytes, now: float) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/19.1.0",
        "X-Gitlab-Event": GITLAB_NAMES[message.event],
        "X-Gitlab-Webhook-UUID": str(uuid.uuid5(uuid.NAMESPACE_OID, str(hook.id))),
        "X-Gitlab-Event-UUID": str(uuid.uuid5(uuid.NAMESPACE_OID, guid)),
        "Idempotency-Key": guid,
    }
    if hook.secret:
        headers["X-Gitlab-Token"] = hook.secret
    if not hook.signing_token:
        return headers
    key = base64.b64decode(hook.signing_token.removeprefix("whsec_"), validate=True)
    stamp = str(int(now))
    digest = hmac.new(key, f"{guid}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return headers | {"webhook-id": guid, "webhook-timestamp": stamp, "webhook-signature": signature}
