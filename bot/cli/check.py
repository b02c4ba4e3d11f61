"""`switchover check`: is the configuration good? Offline; every fault at once."""

from __future__ import annotations

import click

from bot.cli.frame import Invocation, as_json, pass_invocation, print_json


@click.command()
@as_json
@pass_invocation
def check(invocation: Invocation, *, as_json: bool) -> None:
    """Check the configuration, offline. Exit status 2 with all its faults, each with its path."""
    settings = invocation.settings()
    document = {
        "ok": True,
        "faults": [],
        "hosts": sorted(settings.hosts),
        "platforms": sorted(settings.platforms),
        "projects": sorted(settings.projects),
    }
    if as_json:
        print_json(document)
        return
    click.echo(f"{invocation.config_path()} is good.")
    for name, project in sorted(settings.projects.items()):
        place = project.target.domain or project.target.workspace or project.target.platform
        click.echo(f"  {name}: {project.repository} on {project.host} goes to {place} ({project.flow})")
    if not settings.access.tokens:
        click.echo("Note: access.tokens is empty, so nobody can use the API, the dashboard or the commands.")
