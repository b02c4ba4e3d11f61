"""The one table of moves between statuses."""

from __future__ import annotations

from itertools import product

import pytest

from workers.errors import IllegalMove
from workers.releases.status import ALLOWED, UNFINISHED, Status, check_move, origins_of

FINAL = (Status.FAILED, Status.CANCELLED, Status.SUPERSEDED, Status.ROLLED_BACK)


@pytest.mark.parametrize("status", Status)
def test_every_status_may_stay(status: Status) -> None:
    check_move("r", status, status)


BY_RETRY_ALL = (Status.FAILED, Status.SUPERSEDED)
"""The contract's one exception: retry-all leaves all but the newest failed release of a lane superseded."""


@pytest.mark.parametrize(
    ("status", "to"),
    [pair for pair in product(FINAL, Status) if pair[0] is not pair[1] and pair != BY_RETRY_ALL],
)
def test_a_final_status_is_never_left(status: Status, to: Status) -> None:
    with pytest.raises(IllegalMove, match=f"release r cannot go from {status} to {to}"):
        check_move("r", status, to)


def test_nothing_goes_live_without_running() -> None:
    assert {status for status in Status if Status.LIVE in ALLOWED[status]} == {
        Status.RUNNING,
        Status.REPLACED,  # a person rolled back to it
    }


@pytest.mark.parametrize("status", sorted(UNFINISHED))
def test_every_unfinished_release_can_end(status: Status) -> None:
    assert {Status.CANCELLED, Status.SUPERSEDED, Status.FAILED} <= ALLOWED[status]


@pytest.mark.parametrize(("origin", "to"), list(product(Status, Status)))
def test_the_origins_told_to_the_store_are_exactly_what_the_table_allows(origin: Status, to: Status) -> None:
    allowed = origin is to or to in ALLOWED[origin]

    assert (origin in origins_of(to)) is allowed
