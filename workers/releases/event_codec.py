"""Events as JSON values for the store, and back: whole, so that a decision can be made again later."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from workers.releases.events import Change, Event, RefType
from workers.releases.model import JSON


def event_document(event: Event) -> JSON:
    """Return every field of the event as JSON values; fields that say nothing are left out.

    What is in `facts` must be JSON values already, as hosts put them there; a tuple comes back as a list.
    """
    document = _said(event, Event)
    if event.changes:
        document["changes"] = [_said(change, Change) for change in event.changes]
    return document


def event_from_document(document: JSON) -> Event:
    """Return the event that `event_document` wrote down; ValueError when it is none.

    Fields that this version does not know are dropped, as a newer one may have written them.
    """
    try:
        known = _known(document, Event)
        known["changes"] = tuple(_change_from(change) for change in document.get("changes", ()))
        return Event(**known)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"what is stored is no event: {error}") from None


def _change_from(document: JSON) -> Change:
    known = _known(document, Change)
    known["ref_type"] = RefType(known["ref_type"])
    if known.get("paths") is not None:
        known["paths"] = tuple(known["paths"])
    # Each has no default, and None is left out.
    for name in ("before", "after", "commit"):
        known.setdefault(name, None)
    return Change(**known)


def _said(record: Event | Change, shape: type[Event | Change]) -> JSON:
    return {name: value for name, silent in _SILENT[shape] if (value := getattr(record, name)) != silent}


def _known(document: JSON, shape: type[Event | Change]) -> dict[str, Any]:
    return {name: document[name] for name, _ in _SILENT[shape] if name in document}


def _silent_values(shape: type[Event | Change]) -> tuple[tuple[str, Any], ...]:
    """Return each field with the value that is not written down."""
    return tuple(
        (each.name, None if each.default is MISSING else each.default)
        for each in fields(shape)
        if each.name not in ("changes", "facts")
    ) + ((("facts", {}),) if shape is Event else ())


_SILENT: dict[type[Event | Change], tuple[tuple[str, Any], ...]] = {
    shape: _silent_values(shape) for shape in (Event, Change)
}
