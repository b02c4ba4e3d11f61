"""`switchover version`."""

from __future__ import annotations

import click

from bot.cli.frame import as_json, print_json


@click.command("version")
@as_json
def show_version(*, as_json: bool) -> None:
    """Print the version."""
    from importlib.metadata import version

    number = version("switchover")
    if as_json:
        print_json({"version": number})
    else:
        click.echo(f"switchover {number}")
