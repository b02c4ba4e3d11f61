"""Notices that wait to be sent: one queue per receiver, written by the script that moves a release."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import redis

from workers.releases.model import JSON
from workers.store.scripts import Offset, Scripts, no_offset

SEND_SECONDS = 60.0
"""How long a taken notice is kept from other senders; longer than any one sending may last."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """The oldest notice of a receiver, and how often it was tried in vain."""

    receiver: str
    text: str = field(repr=False)
    tries: int

    @property
    def body(self) -> JSON:
        """Return the notice as it was written."""
        body: JSON = json.loads(self.text)
        return body


class OutboxStore:
    """Gives out notices in order, at least once, one sender per receiver at a time."""

    def __init__(self, client: redis.Redis, *, offset: Offset = no_offset) -> None:
        self._client = client
        self._scripts = Scripts(client, offset)

    def take(self, receiver: str) -> OutboxEntry | None:
        """Take the oldest notice, or return None when there is none or somebody sends it now."""
        answer = self._scripts.run("outbox_take", receiver, int(SEND_SECONDS * 1000))
        return OutboxEntry(receiver, answer[0], int(answer[1])) if answer else None

    def sent(self, entry: OutboxEntry) -> int:
        """Take the notice off (it was sent, or given up); returns how many are left."""
        return int(self._scripts.run("outbox_done", entry.receiver, entry.text, 1, 0))

    def again(self, entry: OutboxEntry, wait: float) -> None:
        """Leave the notice where it is and try again after `wait` seconds."""
        self._scripts.run("outbox_done", entry.receiver, entry.text, 0, int(wait * 1000))

    def now(self) -> float:
        """Return the store's time in seconds."""
        return self._scripts.now()
