"""Clients of the store, and the one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from workers.errors import StoreAway

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""Longer than the slowest disk that `appendfsync always` should meet; a store that takes longer is away."""

AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError, OSError)


def connect(url: str) -> redis.Redis:
    """Return a client for `redis://`, `rediss://` or `unix://` addresses; connects on first use."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=15,
        # One quick second try hides a connection that went stale; anything longer is the caller's to decide.
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
    )


def connect_async(url: str, *, connections: int = 64) -> redis.asyncio.Redis:
    """Return an asynchronous client with a pool of at most `connections`; connects on first use."""
    return redis.asyncio.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        max_connections=connections,
    )


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what redis raises when it cannot be reached into `StoreAway`."""
    try:
        yield
    except AWAY as error:
        raise StoreAway(f"the store cannot be reached: {error}") from error
    except redis.ResponseError as error:
        # A primary that just became a replica, or one whose disk is full: nothing was written.
        if str(error).startswith(("READONLY", "MISCONF", "OOM", "NOREPLICAS", "LOADING", "MASTERDOWN")):
            raise StoreAway(f"the store takes no writes: {error}") from error
        raise
