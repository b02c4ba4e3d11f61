"""Temporary tokens, kept by their digest only."""

from __future__ import annotations

import json

import redis

from workers.releases.codec import dumps
from workers.releases.model import JSON
from workers.store.connection import store_errors
from workers.store.keyspace import key


class SessionStore:
    """Temporary tokens that expire by themselves."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def open(self, digest: str, facts: JSON, seconds: float) -> None:
        """Keep a temporary token, named by its digest, for so many seconds."""
        with store_errors():
            self._client.set(key("session", digest), dumps(facts), px=int(seconds * 1000))

    def find(self, digest: str) -> JSON | None:
        """Return what a temporary token stands for, or None when there is none (any more)."""
        with store_errors():
            text = self._client.get(key("session", digest))
        return json.loads(text) if text else None
