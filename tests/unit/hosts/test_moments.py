"""Moments as hosts write them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from workers.hosts.moments import seconds_since_1970


@pytest.fixture(params=["UTC", "Asia/Kolkata"])
def _somewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_somewhere")
@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2026-11-02T08:30:05Z", 1793608205.0),
        ("2026-11-02T09:30:05+01:00", 1793608205.0),
        ("2026-11-02T08:30:05", 1793608205.0),
        ("2026-11-02T08:30:05.1234567Z", 1793608205.123456),
        ("2026-11-02T08:30:05.5Z", 1793608205.5),
        ("1970-01-01T00:00:00Z", 0.0),
        ("1969-12-31T23:59:59Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_moment_is_the_same_wherever_we_are(moment: str | None, seconds: float | None) -> None:
    assert seconds_since_1970(moment) == (None if seconds is None else pytest.approx(seconds, abs=1e-6))
