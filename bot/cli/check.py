"""`switchover check`: is the configuration good? Offline; every fault at once."""

from __future__ import annotations

import click

from bot.cli.frame import Invocation, as_json, pass_invocation, print_json


@click.command()
@as_json
@pass_invocation
def check(invocation: Invocation, *, as_json: bool) -> None:
    """Check the configuration, offline. Exit status 2 with all its faults, each with its path.

    What does less than one may expect (a trigger that needs a token, say) is a remark, and no fault.
    """
    settings = invocation.settings()
    # Straight from the rooms: by way of wiring, the store's and the platforms' clients would be loaded too.
    from workers.flow.soundness import remarks
    from workers.hosts.api_registry import DRIVERS_WITH_API

    found = list(remarks(settings, DRIVERS_WITH_API))
    document = {
        "ok": True,
        "faults": [],
        "remarks": [{"path": each.path, "message": each.message} for each in found],
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
    for remark in found:
        click.echo(f"Note: {remark}")
