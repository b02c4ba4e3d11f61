"""One worker process: pump, renewer, prober, and Celery's worker with its threads.

Run by `up` and by the command line as `python -P -m workers.main --config FILE`.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from celery.worker import state as celery_state

from config.environment import drop_celery_environment
from config.faults import ConfigurationError
from config.logging import configure_logging
from config.settings import Settings, read_settings
from workers import wiring
from workers.errors import Outdated, StoreAway
from workers.housekeeping import Chore, Housekeeper, ReloadWatch
from workers.notices.channels import Channel, ChatChannel
from workers.notices.drain import Drain
from workers.parenthood import CannotStart, Child, Ending, Member, end_all, watch_over
from workers.prober import Prober
from workers.pump import Pump
from workers.queue import make_celery
from workers.store.keyspace import BROKER_PREFIX, QUEUE
from workers.tasks import register

CONCURRENCY = 16
FORGET_EVERY_SECONDS = 60.0
RECONCILE_EVERY_SECONDS = 600.0
SENTRY_EVERY_SECONDS = 4.0
"""A little less than the time between two looks of a housekeeper, so that none is left out."""
WARM_SECONDS = 8.0
"""How long calls under way may take to end once the process was asked to; then their leases run out."""

STORE_URL = "SWITCHOVER_STORE_URL"
"""The environment variable by which `up` tells its children where the embedded store is."""
WRONG_USE = 2

log = logging.getLogger(__name__)


class WorkerProcess:
    """Everything that one worker process runs."""

    def __init__(
        self,
        settings: Settings,
        redis_url: str,
        *,
        concurrency: int = CONCURRENCY,
        read: Callable[[], Settings] | None = None,
    ) -> None:
        self._services = wiring.build(settings, redis_url=redis_url, read=read)
        self._app = make_celery(redis_url, key_prefix=BROKER_PREFIX, queue=QUEUE)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        register(self._app, self._services.engine, self._drain(), self._services.inquirer)
        self._concurrency = concurrency
        self._pump = Pump(
            self._services.store,
            self._app,
            worker=self.name,
            concurrency=concurrency,
            outdated=self._end_outdated,
        )
        self._outdated: Outdated | None = None
        self._prober = Prober(self._services.probes, owner=self.name)
        self._watch = ReloadWatch(self._services.store.generation, self.reload)
        self._housekeepers = [
            Housekeeper(
                self._services.store,
                [
                    Chore("reload", 0.0, self._watch.look, everywhere=True),
                    Chore("forget", FORGET_EVERY_SECONDS, self._forget),
                ],
            ),
            # By itself: a platform that is slow to answer must not keep the others waiting.
            Housekeeper(
                self._services.store,
                [Chore("reconcile", RECONCILE_EVERY_SECONDS, self._reconcile, at_start=True)],
            ),
            Housekeeper(
                self._services.store, [Chore("sentry", SENTRY_EVERY_SECONDS, self._services.sentry.look)]
            ),
            # Likewise Git hosts. Each repository and each schedule has turns of its own.
            Housekeeper(self._services.store, [Chore("sweep", 0.0, self._sweep, everywhere=True)]),
            Housekeeper(
                self._services.store, [Chore("schedules", 0.0, self._services.scheduler.run, everywhere=True)]
            ),
        ]

    def _drain(self) -> Drain:
        return Drain(self._services.outbox, self._channel, self._services.reporter)

    def _reconcile(self) -> None:
        self._services.reconciler.run()

    def _sweep(self) -> None:
        self._services.sweeper.run()

    def _forget(self) -> None:
        retention = self._services.settings.current.retention
        forgotten = self._services.store.forget(
            releases_seconds=retention.releases, deliveries_seconds=retention.deliveries
        )
        if forgotten:
            log.info("forgot %d releases that are older than retention.releases", forgotten)

    def run(self) -> None:
        """Work until `ask_to_end` is called; then finish the calls under way.

        Raises `Outdated`, at once or after an orderly end, when a newer version has raised the store.
        """
        # Before Celery begins: each message that this worker took would be one that nobody carries out.
        with contextlib.suppress(StoreAway):
            self._watch.look()  # a reload that is asked for once this worker was seen reaches it
            self._services.store.seen(self.name)
        self._services.renewer.start()
        self._prober.start()
        self._pump.start()
        for housekeeper in self._housekeepers:
            housekeeper.start()
        try:
            self._run_celery()
        finally:
            for housekeeper in self._housekeepers:
                housekeeper.stop()
            self._pump.stop()
            self._prober.stop()
            self._services.renewer.stop()
            self._app.close()
            self._services.close()
        if self._outdated is not None:
            raise self._outdated

    def _end_outdated(self, error: Outdated) -> None:
        self._outdated = error
        self.ask_to_end()

    def reload(self) -> None:
        """Read the configuration again; a faulty one is refused whole and logged, and the old one stays."""
        try:
            self._services.settings.reload()
        except ConfigurationError as error:
            log.error("the configuration was not reloaded, the old one stays: %s", error)  # noqa: TRY400 - no trace
        else:
            log.info("the configuration was reloaded")

    def _channel(self, receiver: str) -> Channel | None:
        settings = self._services.settings.current.notices.get(receiver)
        return None if settings is None else ChatChannel(receiver, settings.url)

    def _run_celery(self) -> None:
        # Without a default Celery makes one in its threads, from a `celeryconfig` in the user's directory.
        self._app.set_default()
        for chatty in ("celery.app.trace", "celery.worker.strategy"):  # two lines for every look at a release
            logging.getLogger(chatty).setLevel(logging.WARNING)
        # WorkController is Celery's worker without its command line: no signal handlers, banner or logging.
        worker = self._app.WorkController(
            app=self._app,
            hostname=f"switchover@{self.name}",
            pool="threads",
            concurrency=self._concurrency,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        log.info("worker %s is ready for %d calls at once", self.name, self._concurrency)
        worker.start()

    def ask_to_end(self) -> None:
        """Claim nothing more, and leave the process for good when calls under way take too long."""
        celery_state.should_stop = 0
        self._pump.ask_to_end()
        threading.Thread(target=_leave_late, name="last-resort", daemon=True).start()


def _leave_late() -> None:
    time.sleep(WARM_SECONDS)
    log.warning("calls under way did not end within %.0f s; their releases are taken over", WARM_SECONDS)
    os._exit(0)


def run_worker(
    settings: Settings,
    redis_url: str,
    *,
    concurrency: int = CONCURRENCY,
    read: Callable[[], Settings] | None = None,
) -> None:
    """Work in this process until SIGTERM or SIGINT. Call from the main thread.

    `read` reads the configuration again on SIGHUP. Raises `Outdated`.
    """
    warn_of_losses(redis_url)
    process = WorkerProcess(settings, redis_url, concurrency=concurrency, read=read)

    def end(_number: int, _frame: FrameType | None) -> None:
        process.ask_to_end()

    def reload(_number: int, _frame: FrameType | None) -> None:
        # Not in the handler: the thread that it interrupts may hold the lock that reading needs.
        threading.Thread(target=process.reload, name="reload", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    signal.signal(signal.SIGHUP, reload)
    process.run()


def warn_of_losses(redis_url: str) -> None:
    """Log what the store may lose, if it is not as safe as it should be."""
    try:
        warning = wiring.durability_warning(redis_url)
    except StoreAway as error:
        warning = str(error)
    if warning is not None:
        log.warning("%s", warning)


def run_workers(config_path: Path, store_url: str, *, processes: int, concurrency: int = CONCURRENCY) -> None:
    """Keep so many worker processes alive until SIGTERM or SIGINT; SIGHUP reaches each of them.

    Raises `CannotStart` when one of them cannot even begin.
    """
    ending = Ending()
    environ = {**os.environ, STORE_URL: store_url}
    children = [
        Child(worker_member(config_path, environ, number=number, concurrency=concurrency))
        for number in range(1, processes + 1)
    ]
    try:
        watch_over(children, ending)
    finally:
        end_all(children, hurry=ending.in_a_hurry)


def worker_member(
    config_path: Path, environ: Mapping[str, str], *, number: int, concurrency: int = CONCURRENCY
) -> Member:
    """Return how a worker process is started as a child."""
    # -P: the user's working directory may hold a `config` of its own.
    command = [sys.executable, "-P", "-m", "workers.main", "--config", str(config_path)]
    return Member(
        f"worker {number}", [*command, "--concurrency", str(concurrency)], environ, WARM_SECONDS + 1.0
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run worker processes as the command line says; returns the exit status."""
    options = _options(arguments)
    drop_celery_environment(os.environ)
    try:
        settings = read_settings(options.config, os.environ)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USE
    configure_logging(settings.log.level, settings.log.format)
    store_url = os.environ.get(STORE_URL) or _own_store(settings)
    if store_url is None:
        sys.stderr.write(
            "redis.url is empty, and a worker by itself has no embedded store: set redis.url, "
            "or run everything with: switchover up\n"
        )
        return WRONG_USE
    if options.processes > 1:
        try:
            run_workers(
                options.config, store_url, processes=options.processes, concurrency=options.concurrency
            )
        except CannotStart as error:
            sys.stderr.write(f"{error}\n")
            return 1
        return 0
    try:
        run_worker(
            settings,
            store_url,
            concurrency=options.concurrency,
            read=lambda: read_settings(options.config, os.environ),
        )
    except Outdated as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _own_store(settings: Settings) -> str | None:
    return None if settings.redis.url is None else settings.redis.url.get_secret_value()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="workers.main", description="Run worker processes.")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
