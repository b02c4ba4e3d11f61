"""The Lua scripts, loaded by file name and called by it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import redis
import redis.asyncio

from workers.store.connection import store_errors
from workers.store.keyspace import lua_functions

Offset = Callable[[], int]
"""How many milliseconds the clock is ahead of the store's own; only tests jump in time."""


MOST_TOGETHER = 64
"""So many calls travel together at the most; the store answers nobody else while it runs them."""

MOST_UNDER_WAY = 3
"""So many round trips at once: the store works on one while the next is being put together."""

_Waiting = tuple[str, tuple[str | int, ...], "asyncio.Future[Any]"]


def no_offset() -> int:
    """Return 0: the store's own clock."""
    return 0


@cache
def source(name: str) -> str:
    """Return the text of a script with the key functions and the prelude in front of it."""
    folder = files("workers.store") / "lua"
    prelude = (folder / "prelude.lua").read_text()
    return f"{lua_functions()}\n{prelude}\n{(folder / (name + '.lua')).read_text()}"


class Scripts:
    """Runs scripts on a client; each call is one round trip."""

    def __init__(self, client: redis.Redis, offset: Offset = no_offset) -> None:
        self._client = client
        self._offset = offset
        self._loaded: dict[str, Any] = {}

    @property
    def offset(self) -> int:
        """Return how many milliseconds the clock is ahead of the store's own."""
        return self._offset()

    def run(self, name: str, *arguments: str | int) -> Any:
        """Run `name` with the clock's offset and `arguments`; raises `StoreAway`."""
        script = self._loaded.get(name)
        if script is None:
            script = self._loaded[name] = self._client.register_script(source(name))
        with store_errors():
            return script(args=(self._offset(), *arguments))


class AsyncScripts:
    """The same for an asynchronous client. Calls that come while others are under way travel together.

    Under load one round trip carries many calls, so that neither the socket nor the store's disk is asked
    once for each; a single call is sent at once.
    """

    def __init__(self, client: redis.asyncio.Redis, offset: Offset = no_offset) -> None:
        self._client = client
        self._offset = offset
        self._waiting: list[_Waiting] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self, name: str, *arguments: str | int) -> Any:
        """Run `name` with the clock's offset and `arguments`; raises `StoreAway`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((name, (self._offset(), *arguments), answer))
        if len(self._sending) < MOST_UNDER_WAY:
            task = asyncio.create_task(self._send_all())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        with store_errors():
            return await answer

    async def _send_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            try:
                answers = await self._send(batch)
            except (redis.RedisError, OSError) as error:
                answers = [error] * len(batch)
            except BaseException:
                for _, _, future in batch:
                    future.cancel()
                raise
            for (_, _, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    async def _send(self, batch: list[_Waiting]) -> list[Any]:
        answers = await self._execute(batch)
        if any(_unknown(answer) for answer in answers):
            # A script that the store does not know has run for nobody: load it, send those again.
            for name in {name for name, _, _ in batch}:
                await self._client.script_load(source(name))
            again = [index for index, answer in enumerate(answers) if _unknown(answer)]
            for index, answer in zip(again, await self._execute([batch[i] for i in again]), strict=True):
                answers[index] = answer
        return answers

    async def _execute(self, batch: list[_Waiting]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for name, arguments, _ in batch:
                pipeline.evalsha(digest(name), 0, *arguments)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers


def _unknown(answer: object) -> bool:
    return isinstance(answer, redis.exceptions.NoScriptError)


@cache
def digest(name: str) -> str:
    """Return the name by which the store knows a script: the SHA-1 of its text."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()
