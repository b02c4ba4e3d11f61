"""`switchover explain`: what would this delivery do, and why? Offline, unsigned."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.frame import FAILED, Invocation, Misuse, as_json, pass_invocation, print_json

if TYPE_CHECKING:
    from workers.flow.triggers import Decision
    from workers.hosts.base import Headers
    from workers.releases.events import Event


@click.command()
@click.option("--driver", help="The host's driver, for example github. Default: as the headers tell.")
@click.option(
    "--headers",
    "headers_file",
    required=True,
    type=click.Path(path_type=Path),
    help="JSON object of the delivery's headers.",
)
@click.option("--payload", "payload_file", required=True, type=click.Path(path_type=Path), help="Its body.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Configuration file.")
@as_json
@pass_invocation
def explain(
    invocation: Invocation,
    driver: str | None,
    headers_file: Path,
    payload_file: Path,
    config_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say what a delivery would do, and why.

    Exit status 0 when a project would release, 1 when none would (or only after asking the host), 2 on
    wrong use. Secrets, tokens and variables of workspaces are not used, and may be unset.
    """
    headers, body = headers_of(headers_file), _bytes_of(payload_file)
    driver = driver or _recognised(headers, body)
    event = read_event(driver, headers, body)
    decisions = _decisions(event, driver, invocation, config_file)
    _tell(event, decisions, as_json=as_json)
    sys.exit(0 if any(decision.verdict == "release" for decision in decisions) else FAILED)


def _recognised(headers: Headers, body: bytes) -> str:
    from workers.hosts.recognition import driver_of
    from workers.hosts.registry import DRIVERS

    driver = driver_of(headers, body)
    if driver is None:
        raise Misuse(f"Neither headers nor body tell the host; say --driver, one of: {', '.join(DRIVERS)}.")
    return driver


def read_event(driver: str, headers: Headers, body: bytes) -> Event:
    """Return what the delivery says; `Misuse` for what cannot be read."""
    # Straight from the room: by way of wiring, the store's and the platforms' clients would be loaded too.
    from workers.hosts.registry import DRIVERS, host_of
    from workers.releases.events import BadDelivery, UnsupportedMedia

    if driver not in DRIVERS:
        raise Misuse(f"There is no driver {driver}; there are: {', '.join(DRIVERS)}.")
    try:
        return host_of(driver, "explain", ()).read(headers, body)
    except (BadDelivery, UnsupportedMedia) as error:
        raise Misuse(str(error)) from None


def headers_of(file: Path) -> Headers:
    """Return the headers in a JSON file: an object of texts, or of lists of texts."""
    from workers.hosts.base import Headers

    try:
        document = json.loads(_bytes_of(file))
    except (ValueError, RecursionError):
        raise Misuse(f"{file} is not JSON; write an object of header names to values.") from None
    if not isinstance(document, dict) or not all(map(_is_value, document.values())):
        raise Misuse(f"{file} is not an object of header names to texts.")
    if not any(name.lower() == "content-type" for name in document):
        document["Content-Type"] = "application/json"
    return Headers.from_mapping(document)


def _is_value(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    )


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Misuse(f"Cannot read {file}: {error.strerror}.") from None


def _decisions(
    event: Event, driver: str, invocation: Invocation, config_file: Path | None
) -> Sequence[Decision]:
    path = config_file or invocation.config
    if path is None:
        return ()
    from workers.flow.triggers import decide

    settings = invocation.settings(path, needs_credentials=False)
    hosts = {name for name, host in settings.hosts.items() if host.driver == driver}
    return decide(event, [project for project in settings.projects.values() if project.host in hosts])


def _told(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON; one that asks with its questions and what it comes to unanswered."""
    told: dict[str, Any] = {
        "project": decision.project,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "rule": decision.rule,
    }
    if decision.verdict != "ask":
        return told
    from workers.flow.triggers import without_answers

    otherwise = without_answers(decision)
    return told | {
        "questions": [str(question) for question in decision.questions],
        "otherwise": {"verdict": otherwise.verdict, "reason": otherwise.reason},
    }


def _tell(event: Event, decisions: Sequence[Decision], *, as_json: bool) -> None:
    from workers.releases.event_json import event_json

    document = event_json(event)
    told = [_told(decision) for decision in decisions]
    if as_json:
        print_json({"event": document, "decisions": told})
        return
    click.echo(f"A {document['kind']} event of {document.get('repo') or 'no repository'}.")
    for change in document.get("changes", ()):
        click.echo(
            f"  {change['action']} {change['ref_type']} {change['name']}: {change['commit'] or 'gone'}"
        )
    for decision in told:
        rule = f" [{decision['rule']}]" if decision["rule"] else ""
        click.echo(f"{decision['project']}: {decision['verdict']}: {decision['reason']}{rule}")
        for question in decision.get("questions", ()):
            click.echo(f"  asks {question}")
        if "otherwise" in decision:
            otherwise = decision["otherwise"]
            click.echo(f"  where nothing can be asked: {otherwise['verdict']}: {otherwise['reason']}")
    if not told:
        click.echo("No project was asked; name a configuration with --config to see what it decides.")
