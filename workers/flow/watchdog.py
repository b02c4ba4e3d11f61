"""How long a step usually takes, and when a release is stuck. Pure."""

from __future__ import annotations

from collections.abc import Sequence

ENOUGH_SAMPLES = 3
SHORTEST_SECONDS = 60.0
TIMES_THE_LONGEST = 3.0
PART_OF_THE_DEADLINE = 0.5


def suspicious_after(usual: Sequence[float], timeout: float) -> float:
    """Return after how many seconds in a step somebody should look at a release.

    Three times the longest of the last times that this step of this project took, but at least a minute;
    half the deadline as long as too few are known. Never later than half the deadline.
    """
    half = timeout * PART_OF_THE_DEADLINE
    if len(usual) < ENOUGH_SAMPLES:
        return half
    return min(max(max(usual) * TIMES_THE_LONGEST, SHORTEST_SECONDS), half)


def is_stuck(waited: float, usual: Sequence[float], timeout: float) -> bool:
    """Tell whether a release has been in a step for suspiciously long (all in seconds)."""
    return waited > suspicious_after(usual, timeout)
