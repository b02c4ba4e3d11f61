"""The Lua scripts, loaded by file name and called by it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from workers.store.connection import store_errors
from workers.store.keyspace import lua_functions

Offset = Callable[[], int | str]
"""How many milliseconds the clock is ahead of the store's own, or "@" and the milliseconds since 1970 of a
clock of its own. Only tests have another clock than the store."""


def no_offset() -> int:
    """Return 0: the store's own clock."""
    return 0


ADMITTING = frozenset({"accept", "inquiry_postpone", "inquiry_settle"})
"""Scripts with the rules of admission in front of them."""


@cache
def source(name: str) -> str:
    """Return the text of a script with the key functions and the prelude in front of it."""
    folder = files("workers.store") / "lua"
    parts = ["prelude", *(["admission"] if name in ADMITTING else []), name]
    return "\n".join([lua_functions(), *((folder / f"{part}.lua").read_text() for part in parts)])


class Scripts:
    """Runs scripts on a client; each call is one round trip."""

    def __init__(self, client: redis.Redis, offset: Offset = no_offset) -> None:
        self._client = client
        self._offset = offset
        self._loaded: dict[str, Any] = {}

    def now(self) -> float:
        """Return the time in seconds that a script would see; raises `StoreAway`."""
        offset = self._offset()
        if isinstance(offset, str):
            return int(offset[1:]) / 1000
        with store_errors():
            seconds, micros = self._client.time()
        return seconds + micros / 1e6 + offset / 1000

    def run(self, name: str, *arguments: str | bytes | int) -> Any:
        """Run `name` with the clock's offset and `arguments`; raises `StoreAway`."""
        script = self._loaded.get(name)
        if script is None:
            script = self._loaded[name] = self._client.register_script(source(name))
        with store_errors():
            return script(args=(self._offset(), *arguments))


@cache
def digest(name: str) -> str:
    """Return the name by which the store knows a script: the SHA-1 of its text."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()
