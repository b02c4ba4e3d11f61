"""The commands that run something until they are told to end: up, serve, worker, sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.cli.frame import Fault, Invocation, Misuse, pass_invocation


@click.command()
@pass_invocation
def up(invocation: Invocation) -> None:
    """Run everything in one process tree: the store, the receiver and the workers."""
    path = invocation.config_path()
    settings = invocation.settings()
    from bot.supervisor import up as run_all
    from config.logging import configure_logging
    from workers.errors import SwitchoverError

    configure_logging(settings.log.level, settings.log.format)
    try:
        status = run_all(path, invocation.environ)
    except SwitchoverError as error:
        raise Fault(str(error)) from None
    sys.exit(status)


@click.command()
@pass_invocation
def serve(invocation: Invocation) -> None:
    """Run the receiver, the API and the dashboard."""
    settings, url = invocation.settings(), _store_url(invocation)
    from bot.serve import serve as run_server
    from config.logging import configure_logging

    configure_logging(settings.log.level, settings.log.format)
    sys.exit(run_server(settings, url, read=invocation.settings_again))


@click.command()
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--concurrency", type=click.IntRange(1, 256), default=16, show_default=True)
@pass_invocation
def worker(invocation: Invocation, processes: int, concurrency: int) -> None:
    """Run a worker; with --processes, several that are kept alive."""
    settings, url = invocation.settings(), _store_url(invocation)
    from config.logging import configure_logging
    from workers.errors import SwitchoverError
    from workers.main import run_worker, run_workers

    configure_logging(settings.log.level, settings.log.format)
    try:
        if processes > 1:
            run_workers(invocation.config_path(), url, processes=processes, concurrency=concurrency)
        else:
            run_worker(settings, url, concurrency=concurrency, read=invocation.settings_again)
    except SwitchoverError as error:
        raise Fault(str(error)) from None


@click.command()
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/sandbox"),
    show_default=True,
    help="Where it keeps clones and its token.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of its API; 0 takes a free one.")
@click.option("--domain", "domains", multiple=True, default=("shop.localhost",), help="Can be repeated.")
def sandbox(state_dir: Path, port: int, domains: tuple[str, ...]) -> None:
    """Run a local Codesphere: it clones, builds, runs and routes, on this machine only."""
    from sandbox.local import SandboxSettings
    from sandbox.main import run_sandbox

    run_sandbox(SandboxSettings(state_dir, port=port, domains=dict.fromkeys(domains, 0)), announce=click.echo)


def _store_url(invocation: Invocation) -> str:
    from bot.environment import STORE_URL, store_url_of

    url = store_url_of(invocation.settings(), invocation.environ)
    if url is None:
        raise Misuse(
            f"redis.url is empty and {STORE_URL} is not set: set redis.url in the configuration, "
            "or run everything with its own store: switchover up",
        )
    return url
