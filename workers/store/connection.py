"""Clients of the store, and the one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.asyncio.sentinel
import redis.sentinel
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from config.sentinel import SentinelAddress, is_sentinel, sentinel_address
from workers.errors import StoreAway

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""Longer than the slowest disk that `appendfsync always` should meet; a store that takes longer is away."""
SENTINEL_SECONDS = 0.5

NO_PRIMARY = (redis.sentinel.MasterNotFoundError, redis.asyncio.sentinel.MasterNotFoundError)
AWAY = (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError, OSError)


def connect(url: str) -> redis.Redis:
    """Return a client for a store's address; connects on first use.

    `redis://`, `rediss://`, `unix://`, or `redis+sentinel://` (config/sentinel.py), whose client asks the
    Sentinels for the primary whenever it opens a connection.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "health_check_interval": 15,
        # One quick second try hides a connection that went stale; anything longer is the caller's to decide.
        "retry": Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
    }
    if not is_sentinel(url):
        return redis.Redis.from_url(url, **options)
    address = sentinel_address(url)
    own = {**_sentinel_options(address), "retry": Retry(NoBackoff(), 0)}
    sentinels = redis.sentinel.Sentinel(address.sentinels, sentinel_kwargs=own)  # type: ignore[no-untyped-call]  # half typed
    client: redis.Redis = sentinels.master_for(  # type: ignore[no-untyped-call]  # half typed
        address.service, **_primary(address), **options
    )
    return client


def connect_async(url: str, *, connections: int = 64) -> redis.asyncio.Redis:
    """Return an asynchronous client with a pool of at most `connections`; connects on first use."""
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "max_connections": connections,
    }
    if not is_sentinel(url):
        return redis.asyncio.Redis.from_url(url, **options)
    address = sentinel_address(url)
    own = {**_sentinel_options(address), "retry": redis.asyncio.retry.Retry(NoBackoff(), 0)}
    sentinels = redis.asyncio.sentinel.Sentinel(address.sentinels, sentinel_kwargs=own)  # type: ignore[no-untyped-call]  # half typed
    client: redis.asyncio.Redis = sentinels.master_for(address.service, **_primary(address), **options)
    return client


def _sentinel_options(address: SentinelAddress) -> dict[str, Any]:
    # Each is asked once and quickly, for another may know; redis-py by itself tries a dead one for seconds.
    return {
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        "password": address.sentinel_password,
    }


def _primary(address: SentinelAddress) -> dict[str, Any]:
    return {"db": address.database, "username": address.username, "password": address.password}


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what redis raises when it cannot be reached into `StoreAway`."""
    try:
        yield
    except NO_PRIMARY as error:  # redis-py names every Sentinel it asked, with all settings of its client
        raise StoreAway(
            "the store cannot be reached: no Sentinel that answers knows a primary now"
        ) from error
    except AWAY as error:
        raise StoreAway(f"the store cannot be reached: {error}") from error
    except redis.ResponseError as error:
        # A primary that just became a replica, or one whose disk is full: nothing was written.
        if str(error).startswith(("READONLY", "MISCONF", "OOM", "NOREPLICAS", "LOADING", "MASTERDOWN")):
            raise StoreAway(f"the store takes no writes: {error}") from error
        raise


@dataclass(frozen=True, slots=True)
class Durability:
    """How safe what the store acknowledged is; `warning` is None when every promise can be kept."""

    appendonly: bool
    appendfsync: str
    maxmemory_policy: str
    warning: str | None


def durability(client: redis.Redis) -> Durability:
    """Ask the store how it keeps its data; raises `StoreAway`."""
    try:
        with store_errors():
            facts = {name: str(client.config_get(name).get(name)) for name in DURABILITY_SETTINGS}
    except redis.ResponseError:
        return Durability(
            appendonly=False,
            appendfsync="unknown",
            maxmemory_policy="unknown",
            warning="the store does not tell how it keeps its data (CONFIG GET is refused): make sure that "
            "it has appendonly yes, appendfsync always and maxmemory-policy noeviction",
        )
    appendonly, appendfsync, policy = (facts[name] for name in DURABILITY_SETTINGS)
    return Durability(
        appendonly == "yes", appendfsync, policy, _durability_warning(appendonly, appendfsync, policy)
    )


DURABILITY_SETTINGS = ("appendonly", "appendfsync", "maxmemory-policy")


def _durability_warning(appendonly: str, appendfsync: str, policy: str) -> str | None:
    faults = []
    if appendonly != "yes":
        faults.append(
            "it keeps no append-only file, so a crash loses everything since its last snapshot, "
            "if it makes any (set appendonly yes)"
        )
    elif appendfsync == "everysec":
        faults.append(
            "a crash loses the last second of acknowledged deliveries, more on a slow disk "
            "(set appendfsync always)"
        )
    elif appendfsync != "always":
        faults.append(
            "a crash of the machine loses what the system has not written out yet, often 30 s of "
            "acknowledged deliveries (set appendfsync always)"
        )
    if policy != "noeviction":
        faults.append(
            f"it drops data when its memory is full: maxmemory-policy is {policy} (set it to noeviction)"
        )
    return f"the store may lose what it acknowledged: {'; '.join(faults)}" if faults else None
