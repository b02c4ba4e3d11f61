"""How long to wait until the next look. Pure."""

from __future__ import annotations

FIRST_BACK_OFF = 0.5
LONGEST_BACK_OFF = 15.0
MOST_DOUBLINGS = 10
"""More change nothing, and after a thousand failures in a row the power would not fit any number."""


def next_look(waited: float, poll_interval: float, jitter: float, late: float = 0.0) -> float:
    """Return the seconds until the next look at a step that has been going on for `waited` seconds.

    Five percent of the time waited, so that a long build is asked seldom and its end is noticed within
    five percent; never under a tenth of the usual interval, never over five times it. `jitter` is in [0, 1)
    and takes up to a tenth off, so that many releases do not look in step. Where this look came `late`, the
    workers have more to do than they can: all look more seldom then, up to the usual interval.
    """
    least = max(poll_interval / 10, min(3 * late, poll_interval))
    seconds = min(max(waited * 0.05, least), poll_interval * 5)
    return seconds * (1 - jitter / 10)


def back_off(errors: int, advised: float | None, jitter: float) -> float:
    """Return the seconds to wait after so many errors in a row (at least 1), or what the platform advised."""
    doublings = min(max(errors, 1) - 1, MOST_DOUBLINGS)
    seconds = min(FIRST_BACK_OFF * 2.0**doublings, LONGEST_BACK_OFF)
    seconds *= 0.75 + jitter / 2
    return max(seconds, advised or 0.0)
