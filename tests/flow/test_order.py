"""Whatever the order and number of deliveries, the newest commit ends up live and nothing older after it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.core.platform import Timing
from sandbox.scripted.behaviour import Behaviour
from sandbox.scripted.ci_files import flat_ci
from tests.flow.house import House
from tests.flow.house import settings as house_settings
from tests.thoroughness import one_in
from workers.store.connection import connect

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
QUICK = Timing(workspace_start=0.0, landscape=0.0, route=0.0)


@st.composite
def told(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Return how many commits were pushed, and in which order their deliveries come, some twice."""
    count = draw(st.integers(2, 5))
    again = draw(st.lists(st.integers(0, count - 1), max_size=3))
    return count, draw(st.permutations([*range(count), *again]))


def deliver(house: House, commits: Sequence[str], order: Sequence[int], *, timed: bool) -> None:
    for number in order:
        house.push(
            commits[number],
            before=commits[number - 1] if number else None,
            at=1000.0 + number if timed else None,
        )


def accepted(house: House) -> list[str]:
    """Return the commits of the releases that were made, in the order in which they were accepted."""
    found, _ = house.reading.page(project="shop", status=None, limit=200, before=None)
    return [release.commit for release in sorted(found, key=lambda release: release.order)]


def opened(url: str) -> House:
    client = connect(url)
    client.flushall()
    client.close()
    return House(url, house_settings(), QUICK)


@settings(
    max_examples=60 // one_in(4),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(told())
def test_with_the_hosts_time_no_commit_is_accepted_after_a_newer_one(
    store_url: str, case: tuple[int, list[int]]
) -> None:
    count, order = case
    house = opened(store_url)
    commits = [house.commit(str(number)) for number in range(count)]

    deliver(house, commits, order, timed=True)

    positions = [commits.index(commit) for commit in accepted(house)]
    house.close()
    assert positions == sorted(set(positions))
    assert positions[-1] == count - 1


@settings(
    max_examples=60 // one_in(4),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_without_times_neighbours_that_change_places_are_put_right_by_the_chain(
    store_url: str, data: st.DataObject
) -> None:
    count = data.draw(st.integers(2, 5))
    order = list(range(count))
    for place in data.draw(st.sets(st.integers(0, count - 2))):
        if order[place] == place:  # two neighbours overtake each other, none moves further
            order[place], order[place + 1] = order[place + 1], order[place]
    again = data.draw(st.lists(st.integers(0, count - 1), max_size=3))
    house = opened(store_url)
    commits = [house.commit(str(number)) for number in range(count)]

    deliver(house, commits, [*order, *again], timed=False)

    positions = [commits.index(commit) for commit in accepted(house)]
    house.close()
    assert positions == sorted(set(positions))
    assert positions[-1] == count - 1


@settings(
    max_examples=8 // one_in(2),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(told(), st.sampled_from(["queued", "running"]), st.data())
def test_the_newest_commit_ends_up_live_and_production_never_goes_back(
    store_url: str, case: tuple[int, list[int]], supersede: str, data: st.DataObject
) -> None:
    count, order = case
    house = opened(store_url)
    house.settings = house_settings(supersede=supersede, observe={"for": 0.4})
    quick = Behaviour(step_seconds=0.0)
    files = {"ci.yml": flat_ci(prepare=(), test=())}
    commits = [house.commit(str(number), quick, files=files) for number in range(count)]
    served: list[int] = []

    def look() -> bool:
        if house.connections():
            served.append(commits.index(house.served()))
        return False

    for number in order:
        deliver(house, commits, [number], timed=True)
        house.rest(data.draw(st.sampled_from([0.0, 0.3, 2.0])))
        look()
    house.rest(60)
    look()

    house.close()
    assert served[-1] == count - 1
    assert served == sorted(served)
