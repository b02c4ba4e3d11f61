"""How long a Git host wants to be left alone, as its answers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hosts.api_answers import LONGEST_QUIET, quiet_asked
from workers.hosts.api_calls import Answer

DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
NOON = 1795262400.0


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON) + 90), "date": DATE}, 90),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON) + 90), "date": DATE}, 90),
        (429, {"ratelimit-remaining": "0", "ratelimit-reset": str(int(NOON) + 30), "date": DATE}, 30),
        (403, {"retry-after": "17"}, 17),
        (429, {"retry-after": "17", "x-ratelimit-remaining": "0"}, 17),
        (429, {"retry-after": "Sat, 21 Nov 2026 12:00:40 GMT", "date": DATE}, 40),
        (503, {"retry-after": "5"}, 5),
        (429, {}, 60),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON) + 90), "date": DATE}, 90),
        (429, {"retry-after": "9999999"}, LONGEST_QUIET),
        (429, {"retry-after": "-5"}, 0),
        (429, {"retry-after": "nan"}, 60),
    ],
)
def test_the_quiet_that_a_host_asks_for_is_understood(
    status: int, headers: dict[str, str], seconds: float
) -> None:
    assert quiet_asked(Answer(status, headers, b"{}"), NOON) == seconds


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"x-ratelimit-remaining": "17"}),
        (200, {"x-ratelimit-remaining": "17", "x-ratelimit-reset": "9999999999"}),
        (404, {"retry-after": "5"}),
        (500, {}),
    ],
)
def test_an_answer_that_asks_for_no_quiet_gives_none(status: int, headers: dict[str, str]) -> None:
    assert quiet_asked(Answer(status, headers, b"{}"), NOON) is None


def test_a_secondary_limit_without_a_time_is_a_minute() -> None:
    body = b'{"message": "You have exceeded a secondary rate limit."}'

    assert quiet_asked(Answer(403, {}, body), NOON) == 60


@given(
    st.sampled_from([200, 403, 429, 503]),
    st.dictionaries(
        st.sampled_from(
            ["retry-after", "date", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-reset"]
        ),
        st.one_of(st.text(), st.sampled_from(["0", "inf", "1e400", DATE])),
    ),
)
def test_whatever_a_host_asks_the_quiet_is_within_its_bounds(status: int, headers: dict[str, str]) -> None:
    quiet = quiet_asked(Answer(status, headers, b"{}"), NOON)

    assert quiet is None or 0 <= quiet <= LONGEST_QUIET
