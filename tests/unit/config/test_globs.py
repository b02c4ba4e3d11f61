"""Patterns for branches, tags and paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.globs import fault_of, matches

segments = st.text("ab.-+x(", min_size=1, max_size=4)
names = st.lists(segments, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("patterns", "name", "taken"),
    [
        (["main"], "main", True),
        (["main"], "Main", False),
        (["main"], "maintenance", False),
        (["release/*"], "release/1", True),
        (["release/*"], "release/1/2", False),
        (["release/**"], "release/1/2", True),
        (["release/**"], "release", False),
        (["**"], "a/b/c", True),
        (["**/hot"], "hot", True),
        (["**/hot"], "a/b/hot", True),
        (["**/hot"], "a/shot", False),
        (["a/**/z"], "a/z", True),
        (["a/**/z"], "a/b/c/z", True),
        (["v?"], "v1", True),
        (["v?"], "v/", False),
        (["**", "!wip/**"], "wip/x", False),
        (["**", "!wip/**", "wip/ok"], "wip/ok", True),
        (["!main"], "main", False),
        (["!main"], "other", False),
        ([], "main", False),
        (["v1.0"], "v1x0", False),
        (["*"], "a\nb", True),
    ],
)
def test_a_name_is_taken_by_the_last_pattern_that_fits(patterns: list[str], name: str, taken: bool) -> None:
    assert matches(patterns, name) is taken


@given(names)
def test_every_name_fits_itself_and_is_taken_away_by_itself(name: str) -> None:
    assert matches([name], name)
    assert not matches(["**", f"!{name}"], name)


@given(names)
def test_one_star_takes_exactly_the_names_of_one_segment(name: str) -> None:
    assert matches(["*"], name) == ("/" not in name)
    assert matches(["**"], name)


@given(names, names)
def test_two_stars_reach_everything_below(top: str, rest: str) -> None:
    assert matches([f"{top}/**"], f"{top}/{rest}")
    assert matches([f"{top}/*"], f"{top}/{rest}") == ("/" not in rest)
    assert matches([f"{top}/**/{rest}"], f"{top}/{rest}")


@given(st.lists(names), names)
def test_patterns_that_only_take_away_take_nothing(patterns: list[str], name: str) -> None:
    assert not matches([f"!{pattern}" for pattern in patterns], name)


@pytest.mark.parametrize("pattern", ["", "!", "!!a", "a***", "a b", "[ab]", "{a,b}", "a\\b"])
def test_a_bad_pattern_is_explained(pattern: str) -> None:
    assert fault_of(pattern)


@pytest.mark.parametrize("pattern", ["main", "!main", "release/*", "**", "a/**/b", "v?.*"])
def test_a_sound_pattern_has_no_fault(pattern: str) -> None:
    assert fault_of(pattern) is None
