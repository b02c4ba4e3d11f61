"""`switchover releases …`."""

from __future__ import annotations

import sys
from typing import Any

import click

from bot.cli.frame import (
    FAILED,
    RELEASE_HEADS,
    Invocation,
    as_json,
    pass_invocation,
    print_json,
    print_table,
    release_row,
)
from bot.cli.progress import WENT_WELL, summary, watch

watching = click.option("--watch", "watched", is_flag=True, help="Show its progress until it is final.")
reasoned = click.option("--reason", help="Shown with the release.")


@click.group()
def releases() -> None:
    """List, start, watch and steer releases."""


@releases.command("list")
@click.option("--project")
@click.option("--status")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", help="The `next` of the page before.")
@as_json
@pass_invocation
def list_releases(
    invocation: Invocation,
    project: str | None,
    status: str | None,
    limit: int,
    cursor: str | None,
    *,
    as_json: bool,
) -> None:
    """List releases, newest first."""
    with invocation.client() as client:
        page = client.get("/releases", project=project, status=status, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    print_table(RELEASE_HEADS, [release_row(release) for release in page["releases"]], empty="No releases.")
    if page["next"]:
        click.echo(f"More: --cursor {page['next']}")


@releases.command()
@click.argument("release")
@as_json
@pass_invocation
def show(invocation: Invocation, release: str, *, as_json: bool) -> None:
    """Show one release."""
    with invocation.client() as client:
        found = client.get(f"/releases/{release}")
    _show(found, as_json=as_json)


@releases.command()
@click.argument("project")
@click.option("--commit", help="Full hash. Default: what was last pushed to the branch.")
@click.option("--branch", help="Default: main.")
@click.option("--idempotency-key", "key", help="The same key makes one release only.")
@reasoned
@watching
@as_json
@pass_invocation
def start(
    invocation: Invocation,
    project: str,
    commit: str | None,
    branch: str | None,
    key: str | None,
    reason: str | None,
    *,
    watched: bool,
    as_json: bool,
) -> None:
    """Release a commit of PROJECT."""
    body = {"project": project, "commit": commit, "branch": branch, "reason": reason}
    _ask(invocation, "/releases", body, watched=watched, as_json=as_json, key=key)


@releases.command("watch")
@click.argument("release")
@as_json
@pass_invocation
def watch_release(invocation: Invocation, release: str, *, as_json: bool) -> None:
    """Show a release's progress until it is final; exit status 1 when it ends badly."""
    with invocation.client() as client:
        found = watch(client, release, quiet=as_json)
    _end(found, as_json=as_json)


@releases.command()
@click.argument("release")
@click.option("--force", is_flag=True, help="Although a newer commit is live or on its way (admin).")
@watching
@as_json
@pass_invocation
def retry(invocation: Invocation, release: str, *, force: bool, watched: bool, as_json: bool) -> None:
    """Release the same commit again, as a new release."""
    _ask(invocation, f"/releases/{release}/retry", {"force": force}, watched=watched, as_json=as_json)


@releases.command()
@click.argument("release")
@reasoned
@as_json
@pass_invocation
def cancel(invocation: Invocation, release: str, reason: str | None, *, as_json: bool) -> None:
    """End a release before its switch."""
    _ask(invocation, f"/releases/{release}/cancel", {"reason": reason}, as_json=as_json)


@releases.command()
@click.argument("release")
@reasoned
@as_json
@pass_invocation
def approve(invocation: Invocation, release: str, reason: str | None, *, as_json: bool) -> None:
    """Let a waiting release go on."""
    _ask(invocation, f"/releases/{release}/approve", {"reason": reason}, as_json=as_json)


@releases.command()
@click.argument("release")
@reasoned
@as_json
@pass_invocation
def reject(invocation: Invocation, release: str, reason: str | None, *, as_json: bool) -> None:
    """End a waiting release."""
    _ask(invocation, f"/releases/{release}/reject", {"reason": reason}, as_json=as_json)


@releases.command()
@click.argument("release")
@click.option("--to", help="An older release whose workspace is parked.")
@click.option("--no-pin", is_flag=True, help="Let the next push be released as usual.")
@click.option("--force", is_flag=True, help="Also where the former version does not answer (admin).")
@reasoned
@as_json
@pass_invocation
def rollback(
    invocation: Invocation,
    release: str,
    to: str | None,
    reason: str | None,
    *,
    no_pin: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Take the live release back to what stood there before it, without a build."""
    body = {"to": to, "reason": reason, "pin": not no_pin, "force": force}
    _ask(invocation, f"/releases/{release}/rollback", body, as_json=as_json)


def _ask(
    invocation: Invocation,
    path: str,
    body: dict[str, Any],
    *,
    as_json: bool,
    watched: bool = False,
    key: str | None = None,
) -> None:
    with invocation.client() as client:
        release = client.post(path, body, key=key)
        if watched:
            release = watch(client, release["id"], quiet=as_json)
    if watched:
        _end(release, as_json=as_json)
        return
    _show(release, as_json=as_json)


def _show(release: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(release)
        return
    click.echo(summary(release))
    click.echo(f"  id {release['id']}")


def _end(release: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(release)
    sys.exit(0 if release["status"] in WENT_WELL else FAILED)
