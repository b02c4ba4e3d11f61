"""How a release's progress is told: pure words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from bot.cli.progress import duration, lines_between, seconds_of, step_line, summary, table_of

NOW = datetime(2026, 11, 2, 9, 0, 30, tzinfo=UTC)


def step(name: str, status: str, begun: str | None = None, ended: str | None = None) -> dict[str, Any]:
    """Return a step as the API gives it."""
    return {"name": name, "status": status, "started_at": begun, "finished_at": ended, "detail": None}


def release(status: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a release as the API gives it."""
    return {
        "id": "r",
        "project": "shop",
        "number": 3,
        "commit": "2" * 40,
        "status": status,
        "reason": "a push",
        "steps": list(steps),
        "blocked_by": None,
        "waiting_for": None,
        "downtime": None,
        "failure": None,
    } | more


DONE = step("create", "done", "2026-11-02T09:00:00.000Z", "2026-11-02T09:00:12.300Z")
RUNNING = step("prepare", "running", "2026-11-02T09:00:12.300Z")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0s"), (12.34, "12.3s"), (59.9, "59.9s"), (60, "1m00s"), (125.4, "2m05s")]
)
def test_a_duration_is_short_and_exact_enough(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_step_that_ended_has_its_time_and_one_that_runs_counts_on() -> None:
    assert seconds_of(DONE, NOW) == pytest.approx(12.3)
    assert seconds_of(RUNNING, NOW) == pytest.approx(17.7)
    assert seconds_of(step("run", "pending"), NOW) is None
    assert step_line(DONE, NOW) == "  create: done in 12.3s"


def test_only_what_changed_between_two_looks_is_told() -> None:
    first, second = release("queued"), release("running", DONE, RUNNING)

    assert lines_between(None, first) == ["shop #3 (2222222222) is queued: a push"]
    assert lines_between(first, second) == [
        "shop #3 (2222222222) is running: a push",
        "  create: done in 12.3s",
        "  prepare: running",
    ]
    assert lines_between(second, second) == []


def test_what_blocks_a_release_is_told_once() -> None:
    blocked = release("queued", blocked_by="frozen by ann: holidays")

    assert lines_between(release("queued"), blocked) == ["  blocked: frozen by ann: holidays"]
    assert lines_between(blocked, blocked) == []


def test_the_end_tells_downtime_and_the_failing_steps_log() -> None:
    downtime = {"probes": 9, "failed": 0, "longest_gap_ms": 0, "unobserved_ms": 0}
    failure = {"cause": "application", "step": "test", "message": "it broke", "log": ["line 1"]}

    words = summary(release("failed", downtime=downtime, failure=failure))

    assert "9 probes, 0 failed" in words
    assert "application failure at test: it broke" in words
    assert "line 1" in words


def test_the_table_shows_each_step_with_its_time_and_reads_no_markup_in_details() -> None:
    console = Console(width=80, record=True, file=None, force_terminal=False)
    odd = DONE | {"detail": "[red]not markup[/red]"}
    with console.capture() as captured:
        console.print(table_of(release("running", odd, RUNNING), NOW))

    text = captured.get()
    assert "12.3s" in text
    assert "17.7s" in text
    assert "[red]not markup[/red]" in text
