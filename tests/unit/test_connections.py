"""What a domain's connections become: ours replaced, everything else carried over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.flow.connections import in_words, named_in, on_paths, same, with_ours

PATHS = st.sampled_from(["/", "/api", "/docs", "/old"])
IDS = st.lists(st.integers(1, 5), max_size=3)
ROUTES = st.dictionaries(PATHS, IDS)


@given(ROUTES, st.lists(PATHS, min_size=1, unique=True), st.integers(6, 9))
def test_our_paths_lead_to_us_and_every_other_stays_as_it_was(
    current: dict[str, list[int]], paths: list[str], workspace: int
) -> None:
    merged = with_ours(current, paths, {path: [workspace] for path in paths})

    assert all(merged[path] == [workspace] for path in paths)
    assert {path: ids for path, ids in merged.items() if path not in paths} == {
        path: ids for path, ids in current.items() if path not in paths
    }
    assert [path for path in merged if path in current] == list(current)


@given(ROUTES, st.lists(PATHS, min_size=1, unique=True), st.integers(6, 9))
def test_going_back_restores_the_map_but_for_paths_that_led_nowhere(
    current: dict[str, list[int]], paths: list[str], workspace: int
) -> None:
    former = on_paths(current, paths)
    switched = with_ours(current, paths, {path: [workspace] for path in paths})

    back = with_ours(switched, paths, former)

    assert {path: ids for path, ids in back.items() if ids} == {p: ids for p, ids in current.items() if ids}


def test_equal_maps_are_equal_whatever_holds_the_ids_and_their_order_counts() -> None:
    assert same({"/": (1, 2), "/a": [3]}, {"/a": (3,), "/": [1, 2]})
    assert not same({"/": [1, 2]}, {"/": [2, 1]})
    assert not same({"/": [1]}, {"/": [1], "/a": []})
    assert same(None, None)
    assert not same(None, {})


def test_a_named_workspace_is_found_with_its_domain_and_path() -> None:
    domains = [("a.example", {"/": [1]}), ("b.example", {"/": [2], "/api": [3, 4]})]

    assert named_in(4, domains) == "b.example/api"
    assert named_in(5, domains) is None


def test_maps_are_told_in_words() -> None:
    assert in_words({}) == "nothing"
    assert in_words({"/": [1, 2], "/api": []}) == "/ to 1 and 2, /api to nothing"
