"""The web process: uvicorn in this process, settings re-read on SIGHUP, a clean end on SIGTERM.

Run by `up` and by the command line as `python -P -m bot.serve --config FILE`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from bot.asgi import make_app
from bot.environment import STORE_URL, store_url_of
from config.environment import drop_celery_environment
from config.faults import ConfigurationError
from config.logging import configure_logging
from config.settings import Settings, read_settings
from workers.housekeeping import Chore, Housekeeper, ReloadWatch
from workers.wiring import WebServices, build_web

log = structlog.get_logger("switchover.serve")

LAST_ANSWERS_SECONDS: Final = 2
"""How long answers under way may take once the process was asked to end."""
WRONG_USE: Final = 2
COLLECT_AFTER: Final = 20_000
"""So many new objects before young garbage is looked for; a request makes a few hundred."""


def serve(
    settings: Settings,
    redis_url: str,
    *,
    read: Callable[[], Settings] | None = None,
    listening: Callable[[str], None] | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status. Call from the main thread.

    `read` reads the configuration anew on SIGHUP; `listening` is told the address once it answers.
    """
    try:
        listener = _listen(settings.server.host, settings.server.port)
    except OSError as error:
        place = f"{settings.server.host}:{settings.server.port}"
        sys.stderr.write(f"cannot listen on {place}: {error.strerror}; set server.port to a free one\n")
        return 1
    # Until the loop listens to it, SIGHUP must not end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    services = build_web(settings, redis_url=redis_url, read=read)
    address = _address_of(listener)

    def announce() -> None:
        hooks = [f"{address}/webhooks/{name}" for name in settings.hosts]
        log.info("serving", address=address, webhooks=hooks)
        if listening is not None:
            listening(address)

    server = WebServer(make_app(services), services, settings, announce)
    watch = ReloadWatch(services.store.generation, server.reload)
    housekeeper = Housekeeper(
        services.store,
        [
            Chore("reload", 0.0, watch.look, everywhere=True),
            Chore("repository ids", 0.0, services.identities.refresh, everywhere=True),
        ],
    )
    housekeeper.start()
    try:
        server.run([listener])
    finally:
        housekeeper.stop()
        services.close()
    return 0


class WebServer(uvicorn.Server):
    """uvicorn with our signals: an orderly end is exit status 0, and SIGHUP reads the settings anew."""

    def __init__(
        self, app: Starlette, services: WebServices, settings: Settings, announce: Callable[[], None]
    ) -> None:
        proxies = [str(network) for network in settings.server.trusted_proxies]
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=proxies,
                timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
            )
        )
        self._app = app
        self._services = services
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        # What is here now stays: looking through it again and again costs a tenth of every request.
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while the server runs; called by uvicorn inside its loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, loop.run_in_executor, None, self.reload)
        yield

    def _end(self) -> None:
        # Streams of events end by themselves once they see this; else uvicorn would wait for them.
        self._app.state.stopping.set()
        self.should_exit = True

    def reload(self) -> None:
        """Read the settings anew; a faulty file is refused whole and logged."""
        try:
            self._services.settings.reload()
        except ConfigurationError as error:
            log.error("the configuration was not reloaded, the old one stays", faults=str(error))  # noqa: TRY400 - no trace
            return
        log.info("the configuration was reloaded")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the command line says; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bot.serve", description="Run the receiver, the API and the pages.")
    parser.add_argument("--config", type=Path, required=True)
    config: Path = parser.parse_args(arguments).config
    drop_celery_environment(os.environ)
    environ = dict(os.environ)
    try:
        settings = read_settings(config, environ)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USE
    url = store_url_of(settings, environ)
    if url is None:
        sys.stderr.write(NO_STORE)
        return WRONG_USE
    configure_logging(settings.log.level, settings.log.format)
    return serve(settings, url, read=lambda: read_settings(config, environ))


NO_STORE: Final = (
    f"redis.url is empty and {STORE_URL} is not set: set redis.url in the configuration, "
    "or run everything with its own store: switchover up\n"
)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


if __name__ == "__main__":
    sys.exit(main())
