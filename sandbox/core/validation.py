"""Checks of request bodies that refuse with the platform's wording: what was expected, got, where."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from sandbox.core.http import ApiFault

Check = Callable[[object, str], None]
"""Returns when the value fits; raises ApiFault(400) naming the place when it does not."""


def refuse(expected: str, got: object, place: str) -> ApiFault:
    """The 400 for a value that does not fit its schema."""
    shown = "undefined" if got is MISSING else got if isinstance(got, str) else json.dumps(got)
    where = f", at {place}" if place else ""
    detail = f"expected a type of '{expected}', got: '{shown}'{where}"
    return ApiFault(400, "Path or request body variable does not match schema.", detail)


class _Missing:
    """Stands for a property that was not sent."""


MISSING = _Missing()


def integer(minimum: int) -> Check:
    """A whole number that is at least `minimum`; JSON's true and 1.0 are none."""
    name = "PositiveInteger" if minimum else "NonNegativeInteger"

    def check(value: object, place: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise refuse(name, value, place)

    return check


def number(value: object, place: str) -> None:
    """Any JSON number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise refuse("number", value, place)


def boolean(value: object, place: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise refuse("boolean", value, place)


def string(pattern: str = "") -> Check:
    """A text, which matches `pattern` as a whole where one is given."""

    def check(value: object, place: str) -> None:
        if not isinstance(value, str):
            raise refuse("string", value, place)
        if pattern and not re.fullmatch(pattern, value):
            raise refuse(f"string matching {pattern}", value, place)

    return check


def nullable(check: Check) -> Check:
    """Null, or what `check` takes."""

    def checked(value: object, place: str) -> None:
        if value is not None:
            check(value, place)

    return checked


def array(check: Check) -> Check:
    """A list of which every element fits."""

    def checked(value: object, place: str) -> None:
        if not isinstance(value, list):
            raise refuse("array", value, place)
        for index, element in enumerate(value):
            check(element, f"{place}[{index}]")

    return checked


def mapping(keys: str, check: Check) -> Check:
    """An object with free keys that match `keys` and values that fit."""

    def checked(value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise refuse("object", value, place)
        for key, element in value.items():
            if not re.fullmatch(keys, key):
                raise refuse(f"key matching {keys}", key, place)
            check(element, f"{place}.{key}".lstrip("."))

    return checked


def record(required: Mapping[str, Check], optional: Mapping[str, Check], *, unknown: bool = False) -> Check:
    """An object with these properties; others are refused unless `unknown` lets them pass."""

    def checked(value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise refuse("object", value, place)
        for name, check in required.items():
            check(value.get(name, MISSING), f"{place}.{name}".lstrip("."))
        for name, check in optional.items():
            if name in value:
                check(value[name], f"{place}.{name}".lstrip("."))
        strange = sorted(set(value) - set(required) - set(optional))
        if strange and not unknown:
            raise refuse("known property", strange[0], place)

    return checked
