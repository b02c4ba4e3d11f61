"""Whatever becomes of webhooks, releases follow the host: never backwards or twice, in the end the head."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.githost import Outgoing
from sandbox.githost.model import Dialect
from tests.flow.git_house import USUAL, GitHouse, git_settings
from tests.flow.house import project
from tests.thoroughness import one_in
from workers.store.connection import connect

FATES = ("come", "lost", "late", "failed")
STEPS = st.one_of(
    st.tuples(st.just("push"), st.sampled_from(FATES)),
    st.tuples(st.just("late one comes"), st.integers(0, 5)),
    st.tuples(st.just("look"), st.sampled_from([0, 5, 15, 60, 300])),
    st.tuples(st.just("die"), st.just(0)),
    st.tuples(st.just("nudge"), st.just(0)),
)


class Street(GitHouse):
    """A house whose webhooks have a fate each."""

    fate = "come"

    def begin(self) -> None:
        """Start the bot (again)."""
        if not hasattr(self, "late"):
            self.late: list[Outgoing] = []
        super().begin()

    def _receive(self, outgoing: Outgoing) -> int:
        if self.fate == "late":
            self.late.append(outgoing)
            return 202
        return 503 if self.fate == "failed" else super()._receive(outgoing)

    def push_with(self, fate: str) -> str:
        self.jump(2.0)  # GitHub tells the time of a push in whole seconds
        self.fate = fate
        commit = self.lost() if fate == "lost" else self.pushed()
        self.fate = "come"
        return commit

    def step(self, name: str, value: Any) -> None:
        match name:
            case "push":
                self.push_with(value)
            case "late one comes" if self.late:
                super()._receive(self.late.pop(value % len(self.late)))
            case "look":
                self.sweep(float(value))
            case "die":
                self.begin()
            case "nudge":
                self.nudge()

    def come_to_rest(self) -> None:
        while self.late:
            super()._receive(self.late.pop())
        self.sweeps(2 * USUAL)


def history(store_url: str, dialect: Dialect, triggers: list[dict[str, Any]], steps: list[Any]) -> list[int]:
    """Play the steps; return the places of the released commits in the branch's own history, as released."""
    with connect(store_url) as client:
        client.flushall()
    street = Street(store_url, git_settings(dialect, shop=project(triggers=triggers)), dialect=dialect)
    try:
        street.push_with("come")
        street.sweep(USUAL)
        for name, value in steps:
            street.step(name, value)
        street.come_to_rest()
        order = {commit: place for place, commit in enumerate(street.repository.commits)}
        released = [order[commit] for commit in street.commits()]
        assert street.commits()[-1] == street.repository.branches["main"]
        return released
    finally:
        street.close()


SWEEPING: list[dict[str, Any]] = [{"push": {"branches": ["main"]}}]
POLLING = [*SWEEPING, {"poll": {"every": "15s"}}]
QUIET = settings(
    max_examples=25 // one_in(3), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUIET
@given(steps=st.lists(STEPS, max_size=14), polls=st.booleans())
def test_where_the_host_tells_the_time_releases_only_ever_go_forward(
    store_url: str, steps: list[Any], polls: bool
) -> None:
    released = history(store_url, "github", POLLING if polls else SWEEPING, steps)

    assert released == sorted(set(released))


@QUIET
@given(steps=st.lists(STEPS, max_size=14), polls=st.booleans())
def test_where_it_does_not_the_head_is_released_in_the_end_all_the_same(
    store_url: str, steps: list[Any], polls: bool
) -> None:
    released = history(store_url, "gitlab", POLLING if polls else SWEEPING, steps)

    assert released[-1] == max(released)
