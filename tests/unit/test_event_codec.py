"""Events as JSON: what is written down comes back the same."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.releases.event_codec import event_document, event_from_document
from workers.releases.events import Change, Event, RefType

TEXT = st.text(max_size=30)
MAYBE_TEXT = st.none() | TEXT
MAYBE_BOOL = st.none() | st.booleans()
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
CHANGES = st.builds(
    Change,
    ref_type=st.sampled_from(RefType),
    name=TEXT,
    action=st.sampled_from(["create", "update", "delete", ""]),
    before=MAYBE_TEXT,
    after=MAYBE_TEXT,
    commit=MAYBE_TEXT,
    forced=MAYBE_BOOL,
    commits_listed=st.none() | st.integers(0, 5000),
    truncated=MAYBE_BOOL,
    message=MAYBE_TEXT,
    timestamp=MAYBE_TEXT,
    pushed_at=st.none() | st.floats(0, 4e9),
    paths=st.none() | st.lists(TEXT, max_size=3).map(tuple),
)
EVENTS = st.builds(
    Event,
    kind=st.sampled_from(["push", "comment", "ci_finished", "other", ""]),
    repository=MAYBE_TEXT,
    repository_id=MAYBE_TEXT,
    default_branch=MAYBE_TEXT,
    clone_url=MAYBE_TEXT,
    actor=MAYBE_TEXT,
    changes=st.lists(CHANGES, max_size=3).map(tuple),
    facts=st.dictionaries(TEXT, JSON_VALUES, max_size=4),
)
WHOLE_CHANGE = Change(
    RefType.TAG, "v1", "update", "1" * 40, "2" * 40, "3" * 40, True, 2, False, "m", "t", 5.5, ("a", "b")
)
WHOLE = Event("push", "acme/shop", "7", "main", "https://x/y.git", "ada", (WHOLE_CHANGE,), {"draft": False})


@given(EVENTS)
def test_an_event_comes_back_as_it_was_written_by_way_of_json(event: Event) -> None:
    assert event_from_document(json.loads(json.dumps(event_document(event)))) == event


def test_every_field_is_written_down_also_those_that_are_added_later() -> None:
    document = event_document(WHOLE)

    assert set(document) == {field.name for field in fields(Event)}
    assert set(document["changes"][0]) == {field.name for field in fields(Change)}


def test_what_a_newer_version_wrote_beside_it_is_dropped() -> None:
    document = event_document(WHOLE) | {"weather": "fine"}
    document["changes"][0]["mood"] = "good"

    assert event_from_document(document) == WHOLE


@pytest.mark.parametrize("document", [{}, {"kind": "push", "changes": [{}]}, {"kind": "push", "changes": 3}])
def test_what_is_no_event_is_said_to_be_none(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no event"):
        event_from_document(document)
