"""The process tree of `up`: the embedded store, the receiver and the workers, each kept alive."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from config.settings import Settings, read_settings
from workers.main import STORE_URL, worker_member
from workers.parenthood import CannotStart, Child, Ending, Member, end_all, watch_over
from workers.store.embedded import EmbeddedStore, StoreFailed

WORKERS = 2
SERVE_SECONDS = 3.0
"""How long answers under way may take at the end; a stream of events would go on for ever."""
STORE_RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


def up(config_path: Path, environ: Mapping[str, str] | None = None) -> int:
    """Run everything in one process tree until SIGTERM or Ctrl-C; returns the exit status.

    Call from the main thread, before any other thread begins. Raises `ConfigurationError`, and
    `StoreInUse` or `StoreFailed` when the embedded store cannot be started. Ends everything within
    15 s: the receiver first, then the workers, then the store.
    """
    known = os.environ if environ is None else environ
    settings = read_settings(config_path, known)
    ending = Ending()
    store = Store(settings)
    store.start()
    children = [Child(member) for member in members(config_path.absolute(), {**known, STORE_URL: store.url})]
    status = 0
    try:
        watch_over(children, ending, also=store.keep_alive)
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        status = 1
    finally:
        end_all(children[:1], hurry=ending.in_a_hurry)
        end_all(children[1:], hurry=ending.in_a_hurry)
        store.stop()
    return status


def members(config_path: Path, environ: Mapping[str, str]) -> list[Member]:
    """Return what `up` runs beside the store, the receiver first."""
    serve = [sys.executable, "-P", "-m", "bot.serve", "--config", str(config_path)]
    workers = [worker_member(config_path, environ, number=number) for number in range(1, WORKERS + 1)]
    return [Member("serve", serve, environ, SERVE_SECONDS), *workers]


class Store:
    """The embedded store, or nothing to look after where the configuration names another."""

    def __init__(self, settings: Settings) -> None:
        self._elsewhere = settings.redis.url
        self._embedded = None if settings.redis.url else EmbeddedStore(settings.state_dir)
        self._start_again_at = 0.0

    @property
    def url(self) -> str:
        """Return the store's address."""
        if self._embedded is not None:
            return self._embedded.url
        return self._elsewhere.get_secret_value() if self._elsewhere is not None else ""

    def start(self) -> None:
        """Start the embedded store; returns when it answers."""
        if self._embedded is not None:
            self._embedded.start()

    def keep_alive(self) -> None:
        """Start the embedded store again when it has died."""
        if self._embedded is None or self._embedded.pid is not None:
            return
        if time.monotonic() < self._start_again_at:
            return
        log.warning("the embedded store died; starting it again")
        try:
            self._embedded.start()
        except StoreFailed:
            self._start_again_at = time.monotonic() + STORE_RETRY_SECONDS
            log.exception("the embedded store could not be started again")

    def stop(self) -> None:
        """End the embedded store."""
        if self._embedded is not None:
            self._embedded.stop()
