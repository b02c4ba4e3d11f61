"""What the Git host was told of each release."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import redis

from workers.releases.reports import Told
from workers.store.connection import store_errors
from workers.store.keyspace import key


class ReportStore:
    """Keeps it; raises `StoreAway`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding

    def told(self, release_id: str) -> Told:
        """Return what was told of a release."""
        with store_errors():
            fields = self._client.hgetall(key("report", release_id))
        return Told(
            status=fields.get("status", ""),
            deployment=fields.get("deployment", ""),
            stands=fields.get("stands", ""),
            creating=int(fields.get("creating", "0")),
        )

    def note(self, release_id: str, told: Told) -> None:
        """Write down what was told of a release."""
        with store_errors():
            self._client.hset(key("report", release_id), mapping=asdict(told))
