"""When somebody should look at a release."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.flow.watchdog import is_stuck, suspicious_after

seconds = st.floats(min_value=0, max_value=86400)


def test_a_step_that_takes_three_times_its_longest_time_is_suspicious() -> None:
    assert not is_stuck(299, [30, 100, 40], timeout=1800)
    assert is_stuck(301, [30, 100, 40], timeout=1800)


def test_a_quick_step_is_given_a_minute() -> None:
    assert suspicious_after([0.1, 0.2, 0.1], timeout=1800) == 60


def test_half_the_deadline_counts_as_long_as_too_little_is_known() -> None:
    assert suspicious_after([5, 5], timeout=1800) == 900


@given(st.lists(seconds, max_size=20), st.floats(min_value=1, max_value=86400))
def test_nobody_learns_of_it_later_than_at_half_the_deadline(usual: list[float], timeout: float) -> None:
    assert 0 < suspicious_after(usual, timeout) <= timeout / 2
