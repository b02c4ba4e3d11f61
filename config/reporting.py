"""The words for what validation found: plain, with the way out, and without what was written."""

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import ValidationError

from config.faults import nearest
from config.triggers import TRIGGERS
from config.values import Section, keys_of

Place = tuple[str | int, ...]
"""Where a fault stands: keys and list indexes from the top of the file."""

Found = tuple[Place, str]
"""A place and what is wrong there."""


def found_by(error: ValidationError, model: type[Section], start: Place = ()) -> list[Found]:
    """Return what validating `model`, which stands at `start`, has found."""
    details = error.errors(include_url=False)
    parents = {detail["loc"][:-1] for detail in details}
    return [
        ((*start, *detail["loc"]), _words(dict(detail), model))
        for detail in details
        if detail["type"] != "default_factory_not_called"
        # A list whose entries are faulty counts as too short; the entries' faults say enough.
        and not (detail["type"] == "too_short" and detail["loc"] in parents)
    ]


def _words(detail: dict[str, Any], model: type[Section]) -> str:
    kind, context, place = detail["type"], detail.get("ctx", {}), detail["loc"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return unknown_key(str(place[-1]), known_at(model, place[:-1]))
    if place and place[-1] == "secrets" and kind in {"missing", "too_short"}:
        return "needs at least one secret; without one no delivery can be trusted"
    if kind == "literal_error":
        choices = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        written = detail["input"]
        hint = nearest(written, choices) if isinstance(written, str) else ""
        return f"should be one of: {', '.join(choices)}{hint}"
    if kind == "union_tag_not_found":
        return _unknown_trigger(detail["input"])
    return _FIXED.get(kind) or _BOUNDS.get(kind, _pydantic_words(detail["msg"]))(context)


def _pydantic_words(message: str) -> Callable[[dict[str, Any]], str]:
    return lambda _: message[:1].lower() + message[1:]


def _unknown_trigger(written: Any) -> str:
    words = list(written) if isinstance(written, Mapping) else [written]
    hint = nearest(words[0], TRIGGERS) if len(words) == 1 and isinstance(words[0], str) else ""
    return f"should be a mapping with exactly one key, one of: {', '.join(TRIGGERS)}{hint}"


_FIXED = {
    "missing": "is required",
    "model_type": "should be a mapping: key, colon, value",
    "model_attributes_type": "should be a mapping: key, colon, value",
    "dict_type": "should be a mapping: key, colon, value",
    "tuple_type": "should be a list: [one, two]",
    "string_type": "should be a text; put it in quotes",
    "string_too_short": "is empty; a value is required",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "path_type": "should be the path of a directory",
    "ip_any_network": "should be a network, for example 10.0.0.0/8",
}

_BOUNDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "too_short": lambda context: f"needs at least {context['min_length']} entry",
}


def unknown_key(key: str, known: Mapping[str, Any]) -> str:
    """Say that a key is unknown, with the nearest known one, or all of them."""
    hint = nearest(key, known)
    return f"is not a known key{hint}" if hint else f"is not a known key; known here: {', '.join(known)}"


def known_at(model: type[Section], place: Place) -> dict[str, Any]:
    """Return the known keys of the section at a place below `model`."""
    annotations: list[Any] = [model]
    for key in place:
        annotations = [below for each in annotations for below in _below(each, key)]
    return {
        key: annotation
        for each in annotations
        for member in members(each)
        if is_section(member)
        for key, annotation in keys_of(member).items()
    }


def members(annotation: Any) -> Iterator[Any]:
    """Yield the plain types that an annotation allows."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from members(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for each in get_args(annotation):
            yield from members(each)
    else:
        yield annotation


def is_section(annotation: Any) -> TypeGuard[type[Section]]:
    """Tell whether a plain type is a mapping with known keys."""
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _below(annotation: Any, key: str | int) -> Iterator[Any]:
    for member in members(annotation):
        if get_origin(member) is dict:
            yield get_args(member)[1]
        elif get_origin(member) is tuple:
            yield get_args(member)[0]
        elif is_section(member) and getattr(member, "kind", None) == key:
            yield member
        elif is_section(member) and key in keys_of(member):
            yield keys_of(member)[str(key)]
