"""The Celery app: a queue of wake-ups, and nothing else. The store is the truth.

A message names a release, a receiver or an inquiry and carries nothing more. It may be lost or come
twice: what is due is claimed again, and a task that nobody called for ends at once.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from celery import Celery
from celery.app.amqp import AMQP
from kombu.connection import Connection
from kombu.entity import Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.sentinel import SentinelAddress, is_sentinel, sentinel_address

ADVANCE = "switchover.advance"
SEND_NOTICES = "switchover.send_notices"
INQUIRE = "switchover.inquire"

VISIBILITY_SECONDS = 15
"""A message that its worker did not take in this time is handed out again; taking it twice does nothing."""
SENTINEL_SECONDS = 0.5
"""How long one Sentinel may take to tell where the primary is, before another is asked."""
RECONNECT_SECONDS = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}


class QuickConnection(Connection):
    """A broker connection that is back within a second of the broker; Celery's own takes many."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> QuickConnection:
        """Connect, trying again after 0.2 s, then ever slower up to 1 s."""
        super().ensure_connection(*args, **{**kwargs, **RECONNECT_SECONDS})  # type: ignore[no-untyped-call]  # kombu is half typed
        return self


class QuickAMQP(AMQP):  # type: ignore[misc]  # celery has no types
    """Celery's AMQP with our connections."""

    Connection = QuickConnection
    BrokerConnection = QuickConnection


def make_celery(redis_url: str, *, key_prefix: str, queue: str) -> Celery:
    """Return the app over the store's Redis; its list is `key_prefix + queue`. Connects to nothing yet."""
    app = Celery("switchover", loader="app", amqp=QuickAMQP, set_as_current=False)
    app.conf.update(
        broker_url=broker_url(redis_url),
        broker_transport_options={
            "global_keyprefix": key_prefix,
            "visibility_timeout": VISIBILITY_SECONDS,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2.0,
            "socket_timeout": 5.0,
            "health_check_interval": 5,
            **_sentinel_options(redis_url),
        },
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=2,
        task_queues=(Queue(queue),),  # type: ignore[no-untyped-call]  # kombu is half typed
        task_default_queue=queue,
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=False,
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_disable_rate_limits=True,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


def broker_url(redis_url: str) -> str:
    """Return how kombu spells the address of a Redis."""
    if is_sentinel(redis_url):
        return _sentinel_url(sentinel_address(redis_url))
    if not redis_url.startswith("unix://"):
        return redis_url
    parts = urlsplit(redis_url)
    database = parse_qs(parts.query).get("db", ["0"])[0]
    credentials = parts.netloc if "@" in parts.netloc else ""
    return f"redis+socket://{credentials}{parts.path}?virtual_host={database}"


def _sentinel_url(address: SentinelAddress) -> str:
    """Name every Sentinel; kombu takes the store's credentials and database from the first."""
    credentials = ""
    if address.username or address.password:
        credentials = f"{quote(address.username or '', safe='')}:{quote(address.password or '', safe='')}@"
    places = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in address.sentinels]
    urls = [f"sentinel://{credentials}{place}/{address.database}" for place in places]
    return ";".join(urls)


def _sentinel_options(redis_url: str) -> dict[str, Any]:
    if not is_sentinel(redis_url):
        return {}
    address = sentinel_address(redis_url)
    own = {
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    return {
        "master_name": address.service,
        "sentinel_kwargs": {**own, "password": address.sentinel_password},
    }
