"""`switchover deliveries …`: what came in, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from bot.cli.delivery_words import told
from bot.cli.frame import Invocation, as_json, pass_invocation, print_json, print_table
from bot.cli.standing import moment_before

if TYPE_CHECKING:
    from bot.client import Client

HEADS = ("RECEIVED", "ID", "HOST", "EVENT", "VERDICT", "REASON")
NOT_FOUND = 404
MOST_CALLS = 1_000
"""So many calls make one list; with 5,000 deliveries looked through by each that is any store."""


@click.group()
def deliveries() -> None:
    """Webhook deliveries and their verdicts."""


@deliveries.command("list")
@click.option("--host", help="Of this host.")
@click.option("--project", help="About this project's repository.")
@click.option("--repository", help="About this repository.")
@click.option("--verdict", help="accepted, ignored, duplicate, ping, refused or asking.")
@click.option("--event", help="The host's name of the event, or its kind here.")
@click.option("--ref", help="A full ref, or the name of a branch or tag.")
@click.option("--commit", help="A commit, or its first digits (four or more).")
@click.option("--since", help="A moment (2027-01-02T08:00:00Z), or a time ago (2h).")
@click.option("--until", help="Likewise; that moment itself is left out.")
@click.option("--q", "words", help="Words that all stand somewhere in it.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="The `next` of the page before.")
@as_json
@pass_invocation
def list_deliveries(
    invocation: Invocation, words: str | None, limit: int, cursor: str | None, *, as_json: bool, **asked: Any
) -> None:
    """List deliveries, newest first; all that is asked for must fit."""
    now = datetime.now(UTC)
    for end in ("since", "until"):
        if asked[end] is not None:
            asked[end] = moment_before(asked[end], now, f"--{end}")
    with invocation.client() as client:
        page = _page(client, {**asked, "q": words}, limit, cursor)
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


def _page(client: Client, asked: Mapping[str, Any], limit: int, cursor: str | None) -> dict[str, Any]:
    """Return so many deliveries; one call looks through some thousands only, so that it may take several."""
    found: list[Any] = []
    for _ in range(MOST_CALLS):
        page = client.get("/deliveries", **asked, limit=limit - len(found), cursor=cursor)
        found += page["deliveries"]
        cursor = page["next"]
        if cursor is None or len(found) >= limit:
            break
    return {"deliveries": found, "next": cursor}


@deliveries.command()
@click.argument("delivery")
@as_json
@pass_invocation
def show(invocation: Invocation, delivery: str, *, as_json: bool) -> None:
    """Say what came, from where, what each project decided by which rule, and what to do."""
    with invocation.client() as client:
        found = client.get(f"/deliveries/{quote(delivery, safe='~:')}")
        if as_json:
            print_json(found)
            return
        releases = {each: _release(client, each) for each in found["releases"]}
    for line in told(found, releases):
        click.echo(line)


def _release(client: Client, release_id: str) -> dict[str, Any] | None:
    from bot.client import ApiError

    try:
        release: dict[str, Any] = client.get(f"/releases/{release_id}")
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        return None
    return release


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
