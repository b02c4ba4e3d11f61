"""How long to wait: adaptive between looks, ever longer between failures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.flow.waiting import LONGEST_BACK_OFF, back_off, next_look

JITTER = st.floats(0, 1, exclude_max=True)


@given(st.floats(0, 1e6), st.floats(0.01, 60), JITTER)
def test_a_look_comes_between_a_tenth_of_the_interval_and_five_times_it(
    waited: float, interval: float, jitter: float
) -> None:
    seconds = next_look(waited, interval, jitter)

    assert 0.9 * interval / 10 <= seconds <= 5 * interval


@given(st.floats(0, 200), JITTER)
def test_an_end_is_noticed_within_five_percent_or_a_tenth_of_the_interval(
    waited: float, jitter: float
) -> None:
    assert next_look(waited, 2.0, jitter) <= max(0.05 * waited, 0.2)


@given(st.integers(1, 10_000), JITTER)
def test_failures_are_met_by_waiting_longer_up_to_a_bound(errors: int, jitter: float) -> None:
    seconds = back_off(errors, None, jitter)

    assert 0.75 * min(0.5 * 2 ** min(errors - 1, 10), LONGEST_BACK_OFF) <= seconds <= 1.25 * LONGEST_BACK_OFF


@given(st.integers(1, 20), st.floats(0, 3600), JITTER)
def test_what_the_platform_advises_is_never_undercut(errors: int, advised: float, jitter: float) -> None:
    assert back_off(errors, advised, jitter) >= advised


def test_the_first_failure_waits_about_half_a_second() -> None:
    assert back_off(1, None, 0.5) == 0.5
    assert back_off(0, None, 0.5) == 0.5


@given(st.floats(0, 200), st.floats(0, 100), JITTER)
def test_looks_that_come_late_are_asked_for_more_seldom_up_to_the_usual_interval(
    waited: float, late: float, jitter: float
) -> None:
    at_ease, busy = next_look(waited, 2.0, jitter), next_look(waited, 2.0, jitter, late)

    assert at_ease <= busy <= max(at_ease, 2.0)
    assert busy >= min(3 * late, 2.0) * 0.9
