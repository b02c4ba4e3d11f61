"""`switchover deliveries …`: what came in, and what became of it."""

from __future__ import annotations

import click

from bot.cli.frame import Invocation, as_json, pass_invocation, print_json, print_table

HEADS = ("RECEIVED", "ID", "HOST", "EVENT", "VERDICT", "REASON")


@click.group()
def deliveries() -> None:
    """Webhook deliveries and their verdicts."""


@deliveries.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="The `next` of the page before.")
@as_json
@pass_invocation
def list_deliveries(invocation: Invocation, limit: int, cursor: str | None, *, as_json: bool) -> None:
    """List deliveries, newest first."""
    with invocation.client() as client:
        page = client.get("/deliveries", limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    rows = [
        (each["received_at"], each["id"], each["host"], each["event"], each["verdict"], each["reason"])
        for each in page["deliveries"]
    ]
    print_table(HEADS, rows, empty="No deliveries.")
    if page["next"]:
        click.echo(f"More: --cursor {page['next']}")


@deliveries.command()
@click.argument("delivery")
@as_json
@pass_invocation
def show(invocation: Invocation, delivery: str, *, as_json: bool) -> None:
    """Show one delivery, with what each project's rules said."""
    with invocation.client() as client:
        found = client.get(f"/deliveries/{delivery}")
    if as_json:
        print_json(found)
        return
    click.echo(
        f"{found['id']}: {found['event']} of {found['repository'] or 'no repository'} at {found['host']}"
    )
    click.echo(f"  {found['verdict']}: {found['reason']}")
    click.echo(f"  received {found['received_at']}, repeated {found['repeats']} times")
    for decision in found["decisions"]:
        click.echo(f"  {decision['project']}: {decision['verdict']}: {decision['reason']}")
    for release in found["releases"]:
        click.echo(f"  release {release}")


@deliveries.command()
@click.argument("delivery")
@as_json
@pass_invocation
def replay(invocation: Invocation, delivery: str, *, as_json: bool) -> None:
    """Have a delivery decided again, by the rules of today."""
    with invocation.client() as client:
        verdict = client.post(f"/deliveries/{delivery}/replay")
    if as_json:
        print_json(verdict)
        return
    click.echo(f"{verdict['verdict']}: {verdict['reason']}")
    for release in verdict["releases"]:
        click.echo(f"  release {release}")
