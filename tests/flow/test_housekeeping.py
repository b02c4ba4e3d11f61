"""What is forgotten, and by whom."""

from __future__ import annotations

from functools import partial

import pytest

from tests.flow.house import House
from workers.errors import NotFound
from workers.housekeeping import Chore, Housekeeper
from workers.releases.status import Status

DAY = 24 * 3600.0


def test_old_releases_are_forgotten_but_never_the_live_one(house: House) -> None:
    first = house.commit("one")
    house.push(first)
    house.live()
    second = house.commit("two")
    house.push(second, before=first)
    house.live(2)
    gone, kept = house.release(1).id, house.release(2).id
    house.run(seconds=3 * DAY)  # the former workspace is retired

    early = house.services.store.forget(releases_seconds=30 * DAY, deliveries_seconds=30 * DAY)
    house.jump(40 * DAY)
    late = house.services.store.forget(releases_seconds=30 * DAY, deliveries_seconds=30 * DAY)

    assert (early, late) == (0, 1)
    assert house.reading.release(kept).status is Status.LIVE
    with pytest.raises(NotFound):
        house.reading.release(gone)
    assert house.intake.page(limit=10, before=None) == ([], None)


def test_a_parked_release_is_not_forgotten(house: House) -> None:
    first = house.commit("one")
    house.push(first)
    house.live()
    house.push(house.commit("two"), before=first)
    house.live(2)
    house.jump(3600)

    assert house.services.store.forget(releases_seconds=60, deliveries_seconds=DAY) == 0
    assert house.release(1).status is Status.REPLACED


def test_two_workers_do_a_chore_once_in_its_time(house: House) -> None:
    done: list[str] = []
    keepers = [
        Housekeeper(house.services.store, [Chore("sweep", 60.0, partial(done.append, name))])
        for name in ("one", "two")
    ]

    for keeper in keepers:
        keeper.look()

    assert done == ["one"]
