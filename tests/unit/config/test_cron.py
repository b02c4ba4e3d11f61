"""Cron lines: what they name, and how a wrong one is explained."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.cron import parse_cron


def at(text: str) -> datetime:
    """Return a time of the calendar, in no zone."""
    return datetime.fromisoformat(text)


START = at("2026-11-21 10:30")  # a Saturday

moments = st.datetimes(at("2000-01-01 00:00"), at("2060-01-01 00:00"))
fields = st.tuples(
    st.sampled_from(["*", "0", "59", "*/7", "10-20/5", "1,30"]),
    st.sampled_from(["*", "0", "23", "*/5", "8-18", "8-18/3,2"]),
    st.sampled_from(["*", "1", "31", "*/10", "29"]),
    st.sampled_from(["*", "2", "JAN,dec", "3-9/3"]),
    st.sampled_from(["*", "0", "7", "MON-FRI", "5-7"]),
)
lines = fields.map(" ".join).filter(lambda line: line.split()[2:4] != ["31", "2"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("* * * * *", at("2026-11-21 10:30")),
        ("*/15 * * * *", at("2026-11-21 10:30")),
        ("0 6 * * 1-5", at("2026-11-23 06:00")),
        ("0 6 * * MON-FRI", at("2026-11-23 06:00")),
        ("0 10 * * *", at("2026-11-22 10:00")),
        ("0 0 * * 7", at("2026-11-22 00:00")),
        ("0 0 * * 0", at("2026-11-22 00:00")),
        ("30 10 21 11 *", at("2026-11-21 10:30")),
        ("0 0 29 2 *", at("2028-02-29 00:00")),
        ("5-10/5 0 1 1 *", at("2027-01-01 00:05")),
        ("0 0 1 jan *", at("2027-01-01 00:00")),
    ],
)
def test_the_next_minute_that_a_line_names(line: str, expected: datetime) -> None:
    assert parse_cron(line).next_from(START) == expected


def test_where_day_and_weekday_are_restricted_either_will_do() -> None:
    both = parse_cron("0 0 24 * SUN")

    assert both.next_from(START) == at("2026-11-22 00:00")  # the Sunday
    assert both.next_from(at("2026-11-23 00:00")) == at("2026-11-24 00:00")  # the 24th, a Tuesday


@pytest.mark.parametrize("line", ["0 0 * * SUN", "0 0 */2 * SUN", "0 0 24 * *", "0 0 24 * */2"])
def test_where_one_of_them_is_a_star_both_must_fit(line: str) -> None:
    cron = parse_cron(line)
    found = cron.next_from(START)

    assert found is not None
    assert found.day in cron.days
    assert found.isoweekday() % 7 in cron.weekdays


@settings(deadline=None)  # a loop over minutes, on a machine that may be busy
@given(lines, moments)
def test_the_next_time_is_named_is_not_before_and_nothing_lies_between(line: str, moment: datetime) -> None:
    cron = parse_cron(line)
    found = cron.next_from(moment)

    assert found is not None
    assert found >= moment
    assert cron.names(found)
    minute = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for each in (minute + timedelta(minutes=offset) for offset in range(2000)):
        if each >= found:
            break
        assert not cron.names(each)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "five fields"),
        ("@daily", "five fields"),
        ("0 6 * *", "five fields"),
        ("0 0 6 * * 1", "five fields"),
        ("60 * * * *", "minute that is not from 0 to 59"),
        ("* 24 * * *", "hour that is not from 0 to 23"),
        ("* * 0 * *", "day of the month that is not from 1 to 31"),
        ("* * * 13 *", "month that is not from 1 to 12"),
        ("* * * * 8", "day of the week that is not from 0 to 7"),
        ("* * * * MO", "day of the week that is not"),
        ("MON * * * *", "minute that is not"),
        ("5/15 * * * *", "step without a range"),
        ("*/0 * * * *", "step of 0"),
        ("* * * * FRI-MON", "runs backwards"),
        ("1,,2 * * * *", "cannot be read"),
        ("-1 * * * *", "cannot be read"),
        ("0 0 31 2 *", "never comes"),
        ("0 0 30-31 feb *", "never comes"),
        ("٣ * * * *", "cannot be read"),
        ("999999999999999999999 * * * *", "minute that is not"),
    ],
)
def test_a_line_that_is_none_is_explained(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_cron(line)


@given(st.text("0123456789*/-, MONJAN@", max_size=30))
def test_any_text_is_a_line_or_a_value_error(text: str) -> None:
    try:
        cron = parse_cron(text)
    except ValueError:
        return
    assert cron.next_from(START) is not None
