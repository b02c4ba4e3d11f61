"""The five fields of a cron line, and the minutes that they name. Knows no time zones.

Source: POSIX.1-2017, crontab, "INPUT FILES". As there, a day counts when the day of the month *or* the day
of the week fits, where both are restricted. Beyond it: steps (`*/5`, `8-18/2`), names (`MON`, `JAN`), 7 for
Sunday.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_ITEM = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/([0-9]{1,3}))?", re.ASCII)
_LONGEST_WAIT_DAYS = 8 * 366 + 31
"""The 29th of February can be eight years away: 2100 has none."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    words: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed line. `weekdays` counts from Sunday, 0 to 6; `either_day` is the rule of day or weekday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def names_day(self, moment: datetime) -> bool:
        """Tell whether the line names any minute of this day."""
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return moment.month in self.months and (day or weekday if self.either_day else day and weekday)

    def names(self, moment: datetime) -> bool:
        """Tell whether the line names this minute."""
        return moment.hour in self.hours and moment.minute in self.minutes and self.names_day(moment)

    def next_from(self, moment: datetime) -> datetime | None:
        """Return the first minute named at or after `moment`, without a zone; None when there is none.

        At most eight years are looked through, which is the longest wait that a calendar knows.
        """
        start = moment.replace(second=0, microsecond=0, tzinfo=None, fold=0)
        if start < moment.replace(tzinfo=None, fold=0):
            start += timedelta(minutes=1)
        for _ in range(_LONGEST_WAIT_DAYS):
            found = self._within_day(start) if self.names_day(start) else None
            if found is not None:
                return found
            start = start.replace(hour=0, minute=0) + timedelta(days=1)
        return None

    def _within_day(self, start: datetime) -> datetime | None:
        for hour in sorted(hour for hour in self.hours if hour >= start.hour):
            first = start.minute if hour == start.hour else 0
            minute = min((minute for minute in self.minutes if minute >= first), default=None)
            if minute is not None:
                return start.replace(hour=hour, minute=minute)
        return None


def parse_cron(text: str) -> Cron:
    """Return what a line of five fields says; ValueError, with the field's name, when it is no such line."""
    written = text.split()
    if len(written) != len(_FIELDS):
        raise ValueError(
            "should have five fields: minute, hour, day of the month, month, day of the week; "
            "for example 0 6 * * 1-5"
        )
    minutes, hours, days, months, weekdays = (
        _values(field, words) for field, words in zip(_FIELDS, written, strict=True)
    )
    # POSIX asks whether the fields are asterisks; `*/2` counts as one, as in every cron in use.
    either = not written[2].startswith("*") and not written[4].startswith("*")
    cron = Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)
    if cron.next_from(datetime(2001, 1, 1)) is None:  # noqa: DTZ001 - a calendar's day, in no zone
        raise ValueError("names a day that never comes, such as the 31st of February")
    return cron


def _values(field: _Field, text: str) -> frozenset[int]:
    return frozenset().union(*(_item(field, item) for item in text.split(",")))


def _item(field: _Field, text: str) -> frozenset[int]:
    match = _ITEM.fullmatch(text)
    if match is None:
        raise ValueError(f"has a {field.name} that cannot be read; write *, a number, 1-5, 1,3,5 or */15")
    star, first, last, step = match.groups()
    if step is not None and not star and last is None:
        raise ValueError(f"has a step without a range in the {field.name}; write */15 or 8-18/2")
    if step is not None and int(step) == 0:
        raise ValueError(f"has a step of 0 in the {field.name}")
    low = field.least if star else _number(field, first)
    high = field.most if star else low if last is None else _number(field, last)
    if high < low:
        raise ValueError(f"has a range that runs backwards in the {field.name}; write two, joined by a comma")
    return frozenset(range(low, high + 1, int(step or 1)))


def _number(field: _Field, text: str) -> int:
    value = field.words.get(text.upper())
    if value is None and text.isascii() and text.isdigit() and len(text) <= 2:
        value = int(text)
    if value is None or not field.least <= value <= field.most:
        raise ValueError(f"has a {field.name} that is not from {field.least} to {field.most}")
    return value
