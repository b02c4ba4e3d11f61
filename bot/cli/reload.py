"""`switchover reload`: have a running Switchover read its configuration again."""

from __future__ import annotations

import click

from bot.cli.frame import Invocation, as_json, pass_invocation, print_json


@click.command()
@as_json
@pass_invocation
def reload(invocation: Invocation, *, as_json: bool) -> None:
    """Read the configuration again in every process. A faulty file is refused whole (exit status 2)."""
    with invocation.client() as client:
        answer = client.post("/reload")
    if as_json:
        print_json(answer)
        return
    click.echo(f"The configuration was reloaded; projects: {', '.join(answer['projects']) or 'none'}.")
    if answer["needs_restart"]:
        click.echo(f"These count only after a restart: {', '.join(answer['needs_restart'])}.")
