"""The kill matrix: a crash at every point of every path, in process; the release goes its way."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.chaos.killable import KillableHouse
from tests.chaos.paths import PATHS, REST_SECONDS, Path
from tests.chaos.promises import check_nothing_was_done_twice
from tests.thoroughness import one_in

MOST_POINTS = 1500
ENOUGH_FAULTS = 5
PARTS = {"first": 3, "replace": 4, "returned": 3, "superseded": 2}
"""Paths of many points are split, so that several processes share them."""

Figure = Callable[[str, int, int], None]


class Matrix:
    """Plays one path many times, with a crash each time, in a house that lasts as long as it is in order."""

    def __init__(self, path: Path, make: Callable[[Path], KillableHouse]) -> None:
        self._path = path
        self._make = make
        self._house: KillableHouse | None = None
        self.tried = 0
        self.faults: list[str] = []

    def play(self, *plan: int) -> list[str]:
        """Play the path with a crash at these points; return the points that were passed."""
        house = self._house
        if house is None or self._path.fresh:
            house = self._house = self._make(self._path)
            self._path.begin(house)
        random.seed(20260501)  # the jitter of waiting, the same in every trial
        house.remember()
        try:
            self._path.ready(house)
            house.crossings.start(plan)
            self._path.play(house)
            house.run_on(seconds=REST_SECONDS)
            house.crossings.stop()
            self._path.check(house)
            check_nothing_was_done_twice(house)
            self._path.restore(house)
        except Exception as error:  # noqa: BLE001 - every way to break a promise is a fault of this point
            house.crossings.stop()
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.faults.append(
                f"killed {', '.join(house.crossings.met)}: {error!r} at {where.name}: {where.line}\n"
                f"{house.describe()}"
            )
            self._house = None
        self.tried += bool(house.crossings.met)
        return house.crossings.seen

    def kill_everywhere(self, part: int, parts: int) -> None:
        """Kill at every point of this part, as far as points go."""
        for number in range(part, MOST_POINTS, parts):
            seen = self.play(number)
            if len(seen) <= number or len(self.faults) >= ENOUGH_FAULTS:
                return
        raise AssertionError(f"more than {MOST_POINTS} points: the path does not end")


EVERYDAY_SHARE = 24

MakeMatrix = Callable[[str], Matrix]


@pytest.fixture
def make_matrix(store_url: str) -> Iterator[MakeMatrix]:
    """Return a way to begin the matrix of a path."""
    houses: list[KillableHouse] = []

    def make_house(path: Path) -> KillableHouse:
        if houses:
            houses.pop().close()
        house = KillableHouse(store_url, path.settings())
        house.client.flushall()
        houses.append(house)
        return house

    def make(name: str) -> Matrix:
        return Matrix(PATHS[name], make_house)

    yield make
    for house in houses:
        house.close()


def tell(figure: Figure, what: str, matrix: Matrix) -> None:
    """Tell the matrix's size, and fail with its faults."""
    figure(what, matrix.tried, matrix.tried - len(matrix.faults))
    assert not matrix.faults, "\n\n".join(matrix.faults)


CASES: Sequence[tuple[str, int, int]] = [
    (name, part, PARTS.get(name, 1)) for name in PATHS for part in range(PARTS.get(name, 1))
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "part", "parts"), CASES, ids=[f"{n} {p + 1} of {m}" for n, p, m in CASES])
def test_a_crash_at_any_point_costs_nothing(
    name: str, part: int, parts: int, make_matrix: MakeMatrix, figure: Figure
) -> None:
    matrix = make_matrix(name)

    matrix.kill_everywhere(part, parts * one_in(EVERYDAY_SHARE))

    tell(figure, "kill matrix", matrix)
    assert matrix.tried > 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PATHS)
def test_a_second_crash_after_the_first_costs_nothing(
    name: str, make_matrix: MakeMatrix, figure: Figure
) -> None:
    chance = random.Random(f"two crashes, {name}")
    matrix = make_matrix(name)
    points = len(matrix.play())

    for _ in range(10 // one_in(5)):
        first = chance.randrange(points)
        matrix.play(first, first + chance.choice((1, 2, 3, 4, 6, 9, 15, 40)))

    tell(figure, "kill matrix, two crashes", matrix)
