"""`switchover queue …`: failed releases and waiting work."""

from __future__ import annotations

from typing import Any

import click

from bot.cli.frame import (
    RELEASE_HEADS,
    Invocation,
    Misuse,
    as_json,
    pass_invocation,
    print_json,
    print_table,
    release_row,
)

CAUSES = ("transient", "refused", "application", "configuration", "operator")
FAILED_HEADS = ("ID", "RELEASE", "COMMIT", "STATUS", "STEP", "CAUSE", "REASON")


@click.group()
def queue() -> None:
    """Failed releases and waiting work."""


@queue.command("list")
@as_json
@pass_invocation
def list_queue(invocation: Invocation, *, as_json: bool) -> None:
    """List failed releases, and releases that wait, under two heads."""
    with invocation.client() as client:
        failed = client.get("/queue/failed", limit=200)["releases"]
        waiting = [
            release
            for status in ("waiting", "queued")
            for release in client.get("/releases", status=status, limit=200)["releases"]
        ]
    if as_json:
        print_json({"failed": failed, "waiting": waiting})
        return
    click.echo("Failed")
    print_table(FAILED_HEADS, [_failed_row(release) for release in failed], empty="  none")
    click.echo("\nWaiting")
    print_table(RELEASE_HEADS, [release_row(release) for release in waiting], empty="  none")


@queue.command()
@click.argument("releases", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="The newest failed release of each lane.")
@click.option("--project", help="With --all: only this project's.")
@click.option("--cause", type=click.Choice(CAUSES), help="With --all: only these.")
@as_json
@pass_invocation
def retry(
    invocation: Invocation,
    releases: tuple[str, ...],
    project: str | None,
    cause: str | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """Retry failed RELEASES, or --all of them."""
    if everything == bool(releases):
        raise click.UsageError("Name releases, or say --all.")
    if (project or cause) and not everything:
        raise click.UsageError("--project and --cause go with --all.")
    with invocation.client() as client:
        if everything:
            made = client.post("/queue/failed/retry", {"project": project, "cause": cause})["releases"]
        else:
            made = [client.post(f"/queue/failed/{release}/retry") for release in releases]
    if as_json:
        print_json({"releases": made})
        return
    print_table(RELEASE_HEADS, [release_row(release) for release in made], empty="Nothing to retry.")


@queue.command()
@click.argument("releases", nargs=-1, required=True)
@as_json
@pass_invocation
def discard(invocation: Invocation, releases: tuple[str, ...], *, as_json: bool) -> None:
    """Take RELEASES out of the failed queue without retrying them."""
    if len(set(releases)) < len(releases):
        raise Misuse("A release is named twice.")
    with invocation.client() as client:
        for release in releases:
            client.delete(f"/queue/failed/{release}")
    if as_json:
        print_json({"discarded": list(releases)})
    else:
        click.echo(f"Discarded: {', '.join(releases)}")


def _failed_row(release: dict[str, Any]) -> tuple[object, ...]:
    failure = release["failure"] or {"step": None, "cause": None, "message": release["reason"]}
    return (
        release["id"],
        f"{release['project']} #{release['number']}",
        release["commit"][:10],
        release["status"],
        failure["step"],
        failure["cause"],
        failure["message"],
    )
