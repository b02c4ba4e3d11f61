"""The fault matrix: every API call of a release meets every fault, once or from then on for ever."""

from __future__ import annotations

import random
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from config.settings import Settings
from sandbox.core.faults import Fault
from tests.chaos.crossings import template_of
from tests.chaos.killable import KillableHouse
from tests.chaos.paths import push
from tests.chaos.promises import check_release, check_rest
from tests.flow.house import settings
from tests.thoroughness import one_in
from workers.releases.model import Cause, Release
from workers.releases.status import Status

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "time-out before": {"broken": "timeout"},
    "time-out after": {"broken": "timeout", "after": True},
    "reset before": {"broken": "reset"},
    "reset after": {"broken": "reset", "after": True},
    "500 before": {"status": 500},
    "500 after": {"status": 500, "after": True},
    "502 before": {"status": 502},
    "502 after": {"status": 502, "after": True},
    "503 before": {"status": 503},
    "503 after": {"status": 503, "after": True},
    "429": {"status": 429, "retry_after": 7.0},
    "HTML": {"garbage": "html", "after": True},
    "truncated": {"garbage": "truncated", "after": True},
    "unknown state": {"garbage": "unknown-state", "after": True},
    "empty list": {"garbage": "empty-list", "after": True},
    "20 s": {"latency": 20.0, "after": True},
}
BOUND_SECONDS = 3600.0
"""By then every release has ended, whatever the platform does."""
REST_SECONDS = 1000.0
SAMPLE = 24
"""So many of the lasting faults are tried in every run; all of them by `make matrix`."""

Figure = Callable[[str, int, int], None]


def quick() -> Settings:
    """Return settings whose deadlines come soon."""
    minute = {"timeout": 60.0}
    return settings(
        observe={"for": 2.0, "every": 1.0},
        verify={"within": 30.0},
        stages={"create": {"timeout": 400.0}, "prepare": minute, "test": minute, "run": minute},
    )


@dataclass(frozen=True)
class Point:
    """A call of the API, the `nth` of its kind in a release, and what it meets."""

    method: str
    template: str
    nth: int
    fault: str
    lasting: bool

    def rule(self) -> Fault:
        """Return the rule for the sandbox."""
        path = re.escape(self.template).replace(r"\{\}", "[^/]+")
        times = None if self.lasting else 1
        return Fault(path=path, method=self.method, skip=self.nth, times=times, **FAULTS[self.fault])


class Matrix:
    """Releases again and again in one house, as long as it is in order."""

    def __init__(self, make: Callable[[], KillableHouse]) -> None:
        self._make = make
        self._house: KillableHouse | None = None
        self._former = ""
        self.tried = 0
        self.faults: list[str] = []
        self.endings: Counter[str] = Counter()

    def calls(self) -> list[tuple[str, str, int]]:
        """Return every call of an undisturbed release with its cleaning up: method, template, nth."""
        house = self._ready()
        self._release(house, None)
        kinds = [(call.method, template_of(call.path)) for call in house.sandbox.calls]
        return [(*kind, kinds[:position].count(kind)) for position, kind in enumerate(kinds)]

    def try_point(self, point: Point) -> None:
        """Let a release meet a fault, and hold what comes of it to the promises."""
        house = self._ready()
        self.tried += 1
        rule = point.rule()
        try:
            release = self._release(house, rule)
            if not rule.met:  # this time there were fewer such calls
                release = self._release(self._ready(), rule := point.rule())
            self.endings[release.status.value] += 1
            assert rule.met, "the fault was not met"
            self._check(house, release, point)
        except Exception as error:  # noqa: BLE001 - every way to break a promise is a fault of this point
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.faults.append(f"{point}: {error!r} at {where.name}: {where.line}\n{house.describe()}")
            self._house = None

    def _ready(self) -> KillableHouse:
        if self._house is None:
            self._house = self._make()
            for _ in range(2):  # so that every release replaces, parks and retires another
                push(self._house)
                self._house.run(seconds=REST_SECONDS)
        house = self._house
        random.seed(20260501)
        house.remember()
        self._former = house.newest().id
        return house

    def _release(self, house: KillableHouse, rule: Fault | None) -> Release:
        push(house)
        if rule is not None:
            house.sandbox.faults.add(rule)
        began = house.clock()
        try:
            house.run(lambda: not house.newest().unfinished, seconds=BOUND_SECONDS)
            assert house.clock() - began < BOUND_SECONDS
            house.run(seconds=REST_SECONDS)
        finally:
            house.sandbox.faults.clear()
        house.run(seconds=REST_SECONDS)
        return house.newest()

    def _check(self, house: KillableHouse, release: Release, point: Point) -> None:
        check_release(house, release)
        former = house.reading.release(self._former)
        if release.status is Status.LIVE:
            check_rest(house, release, [release, former])
            return
        self._house = None  # a lane that is held goes on with nobody
        assert release.status in (Status.FAILED, Status.ROLLED_BACK), release
        assert release.failure is not None
        true_causes = {Cause.TRANSIENT, Cause.REFUSED}
        if point.fault == "empty list" or release.status is Status.ROLLED_BACK:
            true_causes.add(Cause.APPLICATION)  # a stage without rows may be the platform's fault or not
        if point.fault.startswith("500") and point.template.endswith("/landscape/deploy"):
            true_causes.add(Cause.APPLICATION)  # so the platform also answers to a wrong pipeline file
        assert release.failure.cause in true_causes, release.failure
        assert point.fault != "500 before" or "answered 500" in release.reason, release.reason
        if house.reading.lane(house.lane).lane.hold is None:
            check_rest(house, former, [former, house.reading.release(former.previous or "")])
        else:
            assert release.past_switch
            assert house.served() in (former.commit, release.commit)
            assert former.workspace_id in house.workspaces()


@pytest.fixture
def matrix(store_url: str) -> Iterator[Matrix]:
    """Return an empty matrix; what it opens is closed."""
    houses: list[KillableHouse] = []

    def make() -> KillableHouse:
        if houses:
            houses.pop().close()
        house = KillableHouse(store_url, quick())
        house.client.flushall()
        houses.append(house)
        return house

    yield Matrix(make)
    for house in houses:
        house.close()


def tell(figure: Figure, what: str, matrix: Matrix) -> None:
    """Tell the matrix's size, and fail with its first faults."""
    figure(what, matrix.tried, matrix.tried - len(matrix.faults))
    assert not matrix.faults, "\n\n".join(matrix.faults[:5])


EVERYDAY_SHARE = 16


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_that_goes_wrong_once_costs_no_release(fault: str, matrix: Matrix, figure: Figure) -> None:
    share = one_in(EVERYDAY_SHARE)
    for method, template, nth in matrix.calls()[list(FAULTS).index(fault) % share :: share]:
        matrix.try_point(Point(method, template, nth, fault, lasting=False))

    tell(figure, "fault matrix, once", matrix)


def lasting_points(matrix: Matrix) -> list[Point]:
    """Return every point of a call that goes wrong for ever, shuffled the same way each time."""
    calls = matrix.calls()
    points = [Point(*call, fault, lasting=True) for call in calls for fault in FAULTS]
    random.Random("lasting").shuffle(points)
    return points


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(4))
def test_a_call_that_goes_wrong_for_ever_ends_the_release_well_or_with_its_reason(
    part: int, matrix: Matrix, figure: Figure
) -> None:
    for point in lasting_points(matrix)[part : SAMPLE // one_in(3) : 4]:
        matrix.try_point(point)

    tell(figure, "fault matrix, for ever (sample)", matrix)


@pytest.mark.matrix
@pytest.mark.timeout(3600)
def test_every_call_that_goes_wrong_for_ever_ends_the_release_well_or_with_its_reason(
    matrix: Matrix, figure: Figure
) -> None:
    for point in lasting_points(matrix):
        matrix.try_point(point)

    tell(figure, "fault matrix, for ever (all)", matrix)
