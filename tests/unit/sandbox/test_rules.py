"""Small rules over their whole space of inputs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.gateway import longest_prefix
from sandbox.routing import SLOTS, slots
from sandbox.scripted import Repository

SEGMENT = st.text("ab", min_size=1, max_size=2)
PATHS = st.lists(SEGMENT, max_size=3).map(lambda parts: "/" + "/".join(parts))


@given(PATHS, st.lists(PATHS, max_size=5))
def test_a_prefix_covers_whole_segments_and_no_longer_one_does(path: str, prefixes: list[str]) -> None:
    def covers(prefix: str) -> bool:
        parts = [part for part in prefix.split("/") if part]
        return [part for part in path.split("/") if part][: len(parts)] == parts

    found = longest_prefix(path, prefixes)
    fitting = [prefix for prefix in prefixes if covers(prefix)]
    assert found == max(fitting, key=len, default=None)


@given(st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_slots_are_shared_equally(count: int) -> None:
    addresses = [f"127.0.0.1:{port}" for port in range(count)]
    shared = slots(addresses, "nobody")
    assert {shared.count(address) for address in addresses} == {SLOTS // count}
    assert set(slots([], "nobody")) == {"nobody"}


@given(st.lists(st.sampled_from(["main", "side"]), max_size=12))
def test_a_history_is_all_that_was_committed_before_on_the_branch(branches: list[str]) -> None:
    repository = Repository("https://git.example.com/a/b.git")
    made: dict[str, list[str]] = {"main": [], "side": []}
    for branch in branches:
        made[branch].append(repository.commit(branch=branch))
    for branch, shas in made.items():
        if shas:
            assert repository.history(repository.branches[branch]) == set(shas)
            assert repository.history(shas[-1], depth=1) == {shas[-1]}
