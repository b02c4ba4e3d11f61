"""`switchover workspaces …`."""

from __future__ import annotations

import click

from bot.cli.frame import Invocation, as_json, pass_invocation, print_json, print_table


@click.group()
def workspaces() -> None:
    """Workspaces that Switchover made."""


@workspaces.command("list")
@as_json
@pass_invocation
def list_workspaces(invocation: Invocation, *, as_json: bool) -> None:
    """List the workspaces that Switchover made and that still stand."""
    with invocation.client() as client:
        page = client.get("/workspaces")
    if as_json:
        print_json(page)
        return
    rows = [(each["id"], each["project"], each["release"], each["state"]) for each in page["workspaces"]]
    print_table(("ID", "PROJECT", "RELEASE", "STATE"), rows, empty="No workspace of ours stands.")
