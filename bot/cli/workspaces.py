"""`switchover workspaces …`: what stands of ours, and letting one go."""

from __future__ import annotations

from urllib.parse import quote

import click

from bot.cli.frame import Invocation, as_json, pass_invocation, print_json, print_table

HEADS = ("ID", "RELEASE", "STATE", "SINCE", "UNTIL", "WHY")


@click.group()
def workspaces() -> None:
    """Workspaces that Switchover made."""


@workspaces.command("list")
@as_json
@pass_invocation
def list_workspaces(invocation: Invocation, *, as_json: bool) -> None:
    """List the workspaces that Switchover made, and why each still stands."""
    with invocation.client() as client:
        page = client.get("/workspaces")
    if as_json:
        print_json(page)
        return
    rows = [
        (
            each["id"],
            f"{each['project']} #{each['number']}" if each["project"] else None,
            each["state"],
            each["since"],
            each["until"],
            each["why"],
        )
        for each in page["workspaces"]
    ]
    print_table(HEADS, rows, empty="No workspace of ours stands.")


@workspaces.command()
@click.argument("workspace")
@as_json
@pass_invocation
def retire(invocation: Invocation, workspace: str, *, as_json: bool) -> None:
    """Let a parked or kept WORKSPACE go now; it is deleted once no domain names it."""
    with invocation.client() as client:
        client.delete(f"/workspaces/{quote(workspace, safe='')}")
    if as_json:
        print_json({"retired": workspace})
        return
    click.echo(f"Workspace {workspace} goes now.")
