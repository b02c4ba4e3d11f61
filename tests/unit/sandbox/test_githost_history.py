"""Commits as a graph: what leads to what, and which paths differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.githost.history import History, PathChange

PARENTS = st.lists(st.lists(st.integers(0, 30), min_size=0, max_size=2), min_size=1, max_size=12)


def grown(parents: list[list[int]]) -> tuple[History, list[str]]:
    """A history whose nth commit has the given earlier ones for parents; one root."""
    shas: list[str] = []
    history = History()
    for place, wanted in enumerate(parents):
        chosen = tuple(dict.fromkeys(shas[each % place] for each in wanted or [place - 1])) if place else ()
        shas.append(history.add(f"commit {place}", chosen, {f"{place}": "x"}, "dev", place).sha)
    return history, shas


@given(PARENTS, st.data())
def test_what_lies_between_two_commits_is_what_one_contains_and_the_other_does_not(
    parents: list[list[int]], data: st.DataObject
) -> None:
    history, shas = grown(parents)
    base, head = data.draw(st.sampled_from(shas)), data.draw(st.sampled_from(shas))
    between = [commit.sha for commit in history.between(base, head)]

    assert set(between) == history.ancestors(head) - history.ancestors(base)
    assert all(
        between.index(p) < at
        for at, s in enumerate(between)
        for p in history.commits[s].parents
        if p in between
    )


@given(PARENTS, st.data())
def test_a_merge_base_is_contained_in_both_and_in_no_other_common_commit(
    parents: list[list[int]], data: st.DataObject
) -> None:
    history, shas = grown(parents)
    one, other = data.draw(st.sampled_from(shas)), data.draw(st.sampled_from(shas))
    base = history.merge_base([one, other])

    common = history.ancestors(one) & history.ancestors(other)
    assert base in common
    assert all(base not in history.commits[sha].parents for sha in common)


def test_a_path_that_was_there_and_is_gone_is_removed() -> None:
    history = History()
    first = history.add("one", (), {"a": "1", "b": "1"}, "dev", 0).sha
    second = history.add("two", (first,), {"a": None, "b": "2", "c": "3"}, "dev", 1).sha

    assert history.changed(first, second) == [
        PathChange("a", "removed"),
        PathChange("b", "modified"),
        PathChange("c", "added"),
    ]


def test_histories_without_a_common_root_have_no_merge_base() -> None:
    history = History()
    one = history.add("one", (), {"a": "1"}, "dev", 0).sha
    other = history.add("other", (), {"b": "1"}, "dev", 0).sha

    assert history.merge_base([one, other]) is None


def test_a_parent_that_nobody_committed_is_refused() -> None:
    with pytest.raises(ValueError, match="no commit here"):
        History().add("one", ("f" * 40,), {}, "dev", 0)
