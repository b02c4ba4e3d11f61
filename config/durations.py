"""Durations and sizes as people write them: `200ms`, `30m`, `25MiB`."""

import math
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
LONGEST = 100 * 365 * 86_400.0
WRITTEN_BY_A_PERSON = {"units": "required"}
"""Validation context of a file: a bare number is refused there, since it does not say its unit."""

_DURATION = re.compile(r"([0-9]{1,15})(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,15})(B|KiB|MiB|GiB)", re.ASCII)


def parse_duration(text: str) -> float:
    """Return the seconds that `text` stands for; ValueError when it is no duration."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("is not a duration; write a whole number and a unit: 200ms, 2s, 30m, 7d")
    seconds = int(match[1]) * MILLISECONDS[match[2]] / 1000
    if seconds > LONGEST:
        raise ValueError("is longer than a hundred years")
    return seconds


def format_duration(seconds: float) -> str:
    """Write a duration in the largest unit that holds it exactly, rounded to the millisecond."""
    milliseconds = round(seconds * 1000)
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % MILLISECONDS[unit] == 0:
            return f"{milliseconds // MILLISECONDS[unit]}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"


def parse_size(text: str) -> int:
    """Return the bytes that `text` stands for; ValueError when it is no size."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("is not a size; write a whole number and a unit: 512KiB, 25MiB, 1GiB")
    return int(match[1]) * BYTES[match[2]]


def _number_needs_unit(info: ValidationInfo, example: str) -> None:
    if info.context is not None and info.context.get("units") == "required":
        raise ValueError(f"does not say its unit; write for example {example}")


def _duration(value: object, info: ValidationInfo) -> float:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a duration; write for example 200ms, 2s, 30m, 7d")  # noqa: TRY004 - pydantic collects ValueError only
    _number_needs_unit(info, f"{value}s")
    if not math.isfinite(value) or value < 0:
        raise ValueError("is not a duration of zero or more seconds")
    return float(value)


def _size(value: object, info: ValidationInfo) -> int:
    if isinstance(value, str):
        return parse_size(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is not a size; write for example 25MiB")  # noqa: TRY004 - pydantic collects ValueError only
    _number_needs_unit(info, "25MiB")
    return value


def lasting(least: str, most: str) -> AfterValidator:
    """Bound a duration, both ends included."""
    low, high = parse_duration(least), parse_duration(most)

    def check(seconds: float) -> float:
        if not low <= seconds <= high:
            raise ValueError(f"is {format_duration(seconds)}; it must be from {least} to {most}")
        return seconds

    return AfterValidator(check)


Duration = Annotated[float, BeforeValidator(_duration)]
"""Seconds. In a file a text with a unit, in Python also a number of seconds."""

Size = Annotated[int, BeforeValidator(_size)]
"""Bytes. In a file a text with a unit, in Python also a number of bytes."""
