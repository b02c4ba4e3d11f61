"""What people put in the way of releases, and take away again: freezes, pins, holds."""

from __future__ import annotations

import json

import redis

from workers.releases.codec import dumps
from workers.releases.model import JSON
from workers.store.connection import store_errors
from workers.store.keyspace import key
from workers.store.scripts import Offset, Scripts, no_offset


class StandingStore:
    """Freezes, pins and holds. `until` is in seconds by the store's clock, or None for no end."""

    def __init__(self, client: redis.Redis, *, offset: Offset = no_offset) -> None:
        self._client = client
        self._scripts = Scripts(client, offset)

    def freeze(self, project: str, *, author: str, reason: str, until: float | None) -> JSON:
        """Stop a project's releases before they start and before they switch."""
        facts: JSON = {"author": author, "reason": reason, "until": until}
        with store_errors():
            pxat = None if until is None else int(until * 1000)
            self._client.set(key("freeze", project), dumps(facts), pxat=pxat)
        return facts

    def freeze_of(self, project: str) -> JSON | None:
        """Return a project's freeze, or None."""
        with store_errors():
            text = self._client.get(key("freeze", project))
        return json.loads(text) if text else None

    def unfreeze(self, project: str) -> bool:
        """Take a project's freeze away; False when there was none."""
        return bool(self._scripts.run("free", "freeze", project))

    def unpin(self, project: str) -> bool:
        """Take the pins of a project's lanes away; False when there was none."""
        return bool(self._scripts.run("free", "pin", project))

    def release_hold(self, project: str) -> bool:
        """Take the holds of a project's lanes away; False when there was none."""
        return bool(self._scripts.run("free", "hold", project))
