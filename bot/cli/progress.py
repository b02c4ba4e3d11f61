"""How a release's progress is told: lines for a pipe, a table for a terminal. The words are pure."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from rich.table import Table

    from bot.client import Client

JSON = dict[str, Any]

WENT_WELL: Final = frozenset({"live", "replaced"})
_MARKS: Final = {"done": "✓", "skipped": "-", "running": "▸", "failed": "✗", "pending": "·"}
_STYLES: Final = {"done": "green", "skipped": "dim", "running": "yellow", "failed": "red", "pending": "dim"}


def watch(client: Client, release_id: str, *, quiet: bool) -> JSON:
    """Show a release until it is final, and return it. `quiet` shows nothing."""
    shown = client.follow(release_id)
    if quiet:
        return _last(shown)
    if not _on_terminal():
        return _told_in_lines(shown)
    return _told_in_table(shown)


def seconds_of(step: Mapping[str, Any], now: datetime) -> float | None:
    """Return how long a step took, or takes up to now; None when it has not begun."""
    if step["started_at"] is None:
        return None
    end = now if step["finished_at"] is None else datetime.fromisoformat(step["finished_at"])
    return max(0.0, (end - datetime.fromisoformat(step["started_at"])).total_seconds())


def duration(seconds: float) -> str:
    """Return seconds as people read them: 0.4s, 12.3s, 2m05s."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s"


def lines_between(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[str]:
    """Return what happened between two looks at a release, one line each."""
    lines = []
    if before is None or before["status"] != after["status"]:
        lines.append(f"{name_of(after)} is {after['status']}: {after['reason']}")
    former = {step["name"]: step["status"] for step in (before or {}).get("steps", ())}
    now = datetime.now(UTC)
    lines += [
        step_line(step, now)
        for step in after["steps"]
        if step["status"] != former.get(step["name"], "pending")
    ]
    blocked = after.get("blocked_by")
    if blocked and blocked != (before or {}).get("blocked_by"):
        lines.append(f"  blocked: {blocked}")
    return lines


def step_line(step: Mapping[str, Any], now: datetime) -> str:
    """Return a step with its time in one line."""
    seconds = seconds_of(step, now)
    took = "" if seconds is None or step["status"] == "running" else f" in {duration(seconds)}"
    detail = f" ({step['detail']})" if step.get("detail") else ""
    return f"  {step['name']}: {step['status']}{took}{detail}"


def name_of(release: Mapping[str, Any]) -> str:
    """Return how people call a release."""
    return f"{release['project']} #{release['number']} ({release['commit'][:10]})"


def summary(release: Mapping[str, Any]) -> str:
    """Return how a release ended, with what a person needs to know next."""
    lines = [f"{name_of(release)} is {release['status']}: {release['reason']}"]
    seen = release.get("downtime")
    if seen:
        lines.append(
            f"  production: {seen['probes']} probes, {seen['failed']} failed, longest gap "
            f"{seen['longest_gap_ms']} ms, unobserved {seen['unobserved_ms']} ms"
        )
    failure = release.get("failure")
    if failure:
        lines.append(f"  {failure['cause']} failure at {failure['step'] or 'no step'}: {failure['message']}")
        lines += [f"    {line}" for line in failure["log"][-20:]]
    return "\n".join(lines)


def _last(shown: Iterator[JSON]) -> JSON:
    *_, release = shown
    return release


def _told_in_lines(shown: Iterator[JSON]) -> JSON:
    before: JSON | None = None
    release: JSON = {}
    for release in shown:
        for line in lines_between(before, release):
            click.echo(line)
        before = release
    click.echo(summary(release))
    return release


def _told_in_table(shown: Iterator[JSON]) -> JSON:
    from rich.console import Console
    from rich.live import Live

    release: JSON = next(shown)
    latest = [release]
    with Live(
        console=Console(), get_renderable=lambda: table_of(latest[0], datetime.now(UTC)), refresh_per_second=8
    ):
        for release in shown:
            latest[0] = release
    click.echo(summary(release))
    return release


def table_of(release: Mapping[str, Any], now: datetime) -> Table:
    """Return the steps of a release as a table, with the time of each up to now."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{name_of(release)}: {release['status']}", box=None, title_justify="left")
    for head in ("", "step", "time", ""):
        table.add_column(head, justify="right" if head == "time" else "left")
    for step in release["steps"]:
        seconds = seconds_of(step, now)
        # Text, not markup: a step's detail may hold brackets.
        cells = (
            _MARKS.get(step["status"], "?"),
            step["name"],
            "" if seconds is None else duration(seconds),
            step.get("detail") or "",
        )
        table.add_row(*(Text(cell, style=_STYLES.get(step["status"], "")) for cell in cells))
    waiting = release.get("blocked_by") or release.get("waiting_for") or release["reason"]
    table.caption = Text(str(waiting), style="dim")
    table.caption_justify = "left"
    return table


def _on_terminal() -> bool:
    return sys.stdout.isatty()
