"""`switchover doctor`: can releases work here? Asks the platform, the domain and the store, online."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from bot.cli.frame import FAILED, Invocation, as_json, pass_invocation, print_json

if TYPE_CHECKING:
    from config.settings import Settings
    from workers.flow.diagnosis import Line
    from workers.flow.examination import Surroundings

COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@as_json
@pass_invocation
def doctor(invocation: Invocation, *, as_json: bool) -> None:
    """Ask everything around whether releases can work: Git hosts, platforms, targets, store, leftovers.

    Needs the configuration, and no running Switchover. Exit status 1 when something fails.
    """
    settings = invocation.settings()
    from workers.flow.diagnosis import Verdict
    from workers.flow.examination import examine

    lines: list[Line] = []
    with surroundings(invocation, settings) as around:
        for line in examine(settings, around):
            lines.append(line)
            if not as_json:
                _tell(line)
    failed = any(line.verdict is Verdict.FAIL for line in lines)
    if as_json:
        print_json({"ok": not failed, "lines": [asdict(line) for line in lines]})
    sys.exit(FAILED if failed else 0)


@contextmanager
def surroundings(invocation: Invocation, settings: Settings) -> Iterator[Surroundings]:
    """Open what is asked; everything is closed again."""
    from bot.environment import store_url_of
    from workers.flow.examination import Surroundings
    from workers.store.embedded import EmbeddedStore
    from workers.wiring import HOST_DRIVERS, build, durability_warning

    told = store_url_of(settings, invocation.environ)
    url = told or EmbeddedStore(settings.state_dir).url
    services = build(settings, redis_url=url)
    try:
        yield Surroundings(
            platforms=services.platforms,
            looking=services.reading,
            now=services.store.now,
            durability=lambda: durability_warning(url),
            review=services.reconciler.look,
            drivers=HOST_DRIVERS,
            git_hosts=services.git_hosts,
            embedded=told is None,
        )
    finally:
        services.close()


def _tell(line: Line) -> None:
    verdict = click.style(f"{line.verdict.upper():4}", fg=COLOURS[line.verdict])
    click.echo(f"{verdict}  {line.about}: {line.text}")
    if line.advice is not None:
        click.echo(f"      {line.advice}")
