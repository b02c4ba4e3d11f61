"""`switchover locks`: who holds which target."""

from __future__ import annotations

import click

from bot.cli.frame import Invocation, as_json, pass_invocation, print_json, print_table


@click.command()
@as_json
@pass_invocation
def locks(invocation: Invocation, *, as_json: bool) -> None:
    """List the targets that are locked, with the release that holds each and for how long."""
    with invocation.client() as client:
        targets = client.get("/targets")["targets"]
    held = [{"target": each["name"], **each["lock"]} for each in targets if each["lock"]]
    if as_json:
        print_json({"locks": held})
        return
    rows = [(each["target"], each["release"], each["since"], f"{each['age_seconds']:.0f} s") for each in held]
    print_table(("TARGET", "RELEASE", "SINCE", "AGE"), rows, empty="No target is locked.")
