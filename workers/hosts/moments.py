"""Moments as hosts write them."""

from __future__ import annotations

from datetime import UTC, datetime


def seconds_since_1970(moment: str | None) -> float | None:
    """Return an ISO 8601 moment in seconds since 1970; None for none, and for one that cannot be right.

    A fraction may have more digits than Python keeps. A moment without a zone is taken for UTC.
    """
    if moment is None:
        return None
    try:
        found = datetime.fromisoformat(moment)
        seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < 1e11 else None
