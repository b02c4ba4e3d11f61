"""Calls of one script that come while others are under way travel together, for an asynchronous client.

Under load one run of the script carries many calls, so that client, socket, store and disk are asked once
for all of them; a single call is sent at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import redis
import redis.asyncio
from pydantic_core import to_json

from workers.errors import SwitchoverError
from workers.releases.model import JSON
from workers.store.connection import store_errors
from workers.store.scripts import Offset, digest, no_offset, source

MOST_TOGETHER = 32
"""So many calls travel together at the most; the store answers nobody else while it runs them."""

_Call = tuple[JSON, "asyncio.Future[Any]"]


class BatchedScript:
    """A script that takes the clock's offset and a JSON list of calls, and returns a list of their answers.

    The calls are independent of each other: when one of them makes the script fail, each is sent again
    alone, so the script must answer a call that it carried out before.
    """

    def __init__(self, client: redis.asyncio.Redis, name: str, offset: Offset = no_offset) -> None:
        self._client: Any = client  # redis types its answers for both ways of decoding
        self._name = name
        self._offset = offset
        self._waiting: list[_Call] = []
        self._sending: asyncio.Task[None] | None = None

    async def run(self, call: JSON) -> Any:
        """Run the script for this call and return its answer; raises `StoreAway`."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())
        return await answer

    async def _send_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            try:
                await self._send(batch)
            except BaseException:
                for _, answer in batch:
                    answer.cancel()
                raise

    async def _send(self, batch: Sequence[_Call]) -> None:
        try:
            answers = await self._execute(batch)
        except redis.ResponseError as error:
            if len(batch) == 1:
                _fail(batch, error)
            else:
                for call in batch:
                    await self._send([call])
        except (redis.RedisError, OSError) as error:
            _fail(batch, error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _execute(self, batch: Sequence[_Call]) -> Sequence[Any]:
        calls = to_json([call for call, _ in batch])
        try:
            answers: Sequence[Any] = await self._client.evalsha(digest(self._name), 0, self._offset(), calls)
        except redis.exceptions.NoScriptError:
            # A script that the store does not know has run for nobody.
            answers = await self._client.eval(source(self._name), 0, self._offset(), calls)
        return answers


def _fail(batch: Sequence[_Call], error: Exception) -> None:
    try:
        with store_errors():
            raise error
    except (SwitchoverError, redis.RedisError) as ours:
        for _, future in batch:
            if not future.done():
                future.set_exception(ours)
