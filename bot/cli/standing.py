"""What people put in the way of releases, and take away: freeze, unfreeze, unpin, unhold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from bot.cli.frame import Invocation, Misuse, as_json, pass_invocation, print_json

if TYPE_CHECKING:
    from bot.client import Client

everywhere = click.option("--all", "everything", is_flag=True, help="Every project.")


@click.command()
@click.argument("project", required=False)
@everywhere
@click.option("--reason", required=True, help="Shown to everybody whose release waits.")
@click.option("--until", help="A moment (2027-01-02T08:00:00Z) or a time from now (2h). Default: no end.")
@as_json
@pass_invocation
def freeze(
    invocation: Invocation,
    project: str | None,
    reason: str,
    until: str | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """Stop the releases of PROJECT: none starts, none switches."""
    moment = None if until is None else moment_of(until, datetime.now(UTC))
    with invocation.client() as client:
        names = _projects(client, project, everything=everything)
        made = [
            client.put(f"/projects/{quote(name, safe='')}/freeze", {"reason": reason, "until": moment})
            for name in names
        ]
    if as_json:
        print_json({"frozen": made})
        return
    for each in made:
        end = f" until {each['until']}" if each["until"] else ""
        click.echo(f"{each['project']} is frozen{end}: {each['reason']}")


@click.command()
@click.argument("project", required=False)
@everywhere
@as_json
@pass_invocation
def unfreeze(invocation: Invocation, project: str | None, *, everything: bool, as_json: bool) -> None:
    """Let the releases of PROJECT go on."""
    with invocation.client() as client:
        names = _projects(client, project, everything=everything, frozen=everything)
        _take_away(client, names, "freeze")
    _tell(names, "unfrozen", as_json=as_json)


@click.command()
@click.argument("project")
@as_json
@pass_invocation
def unpin(invocation: Invocation, project: str, *, as_json: bool) -> None:
    """Take the pin of PROJECT away; its newest commit is released."""
    with invocation.client() as client:
        _take_away(client, [project], "pin")
    _tell([project], "unpinned", as_json=as_json)


@click.command()
@click.argument("project")
@as_json
@pass_invocation
def unhold(invocation: Invocation, project: str, *, as_json: bool) -> None:
    """Let PROJECT go on after its connections were unknown or could not be restored."""
    with invocation.client() as client:
        _take_away(client, [project], "hold")
    _tell([project], "unheld", as_json=as_json)


@click.command(name="forget-repository")
@click.argument("project")
@as_json
@pass_invocation
def forget_repository(invocation: Invocation, project: str, *, as_json: bool) -> None:
    """Follow the repository that has PROJECT's name now, though the host has another id for it."""
    with invocation.client() as client:
        _take_away(client, [project], "repository-id")
    _tell([project], "forgotten", as_json=as_json)


def moment_of(text: str, now: datetime) -> str:
    """Return a moment, or a time from now, as RFC 3339; `Misuse` for what is neither."""
    return _moment(
        text, now, 1, f"--until {text}: write a moment (2027-01-02T08:00:00Z) or a time from now (2h)."
    )


def moment_before(text: str, now: datetime, option: str) -> str:
    """Return a moment, or a time ago, as RFC 3339; `Misuse` for what is neither."""
    return _moment(
        text, now, -1, f"{option} {text}: write a moment (2027-01-02T08:00:00Z) or a time ago (2h)."
    )


def _moment(text: str, now: datetime, direction: int, fault: str) -> str:
    from config.durations import parse_duration

    try:
        return (now + direction * timedelta(seconds=parse_duration(text))).isoformat()
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Misuse(fault) from None
    return (moment if moment.tzinfo else moment.astimezone()).isoformat()


def _projects(
    client: Client, project: str | None, *, everything: bool, frozen: bool = False
) -> Sequence[str]:
    if everything == (project is not None):
        raise click.UsageError("Name a project, or say --all.")
    if project is not None:
        return [project]
    lanes = [
        lane
        for target in client.get("/targets")["targets"]
        if target["configured"]
        for lane in target["lanes"]
    ]
    return sorted({lane["project"] for lane in lanes if lane["freeze"] or not frozen})


def _take_away(client: Client, names: Sequence[str], what: str) -> None:
    for name in names:
        client.delete(f"/projects/{quote(name, safe='')}/{what}")


def _tell(names: Sequence[str], word: str, *, as_json: bool) -> None:
    if as_json:
        print_json({word: list(names)})
        return
    for name in names:
        click.echo(f"{name} is {word}.")
    if not names:
        click.echo("Nothing to do.")
