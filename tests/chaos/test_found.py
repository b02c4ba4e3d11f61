"""What the matrices found once, each as a case of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.settings import Settings
from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour
from tests.flow.house import House, settings
from workers.releases.status import Status


@pytest.fixture
def house(store_url: str) -> Iterator[House]:
    made = House(store_url, quick())
    yield made
    made.close()


def quick() -> Settings:
    return settings(observe={"for": 0.4})


def test_an_answer_of_the_old_version_proves_nothing_of_the_new_one(house: House) -> None:
    good = house.publish()
    house.live()
    house.publish("bad", Behaviour(production=Answer(500, "down")))
    house.until_step("switch", 2)

    def look_once_more() -> None:
        house.jump(0.2)
        house.probe()
        house.probe = lambda: False  # type: ignore[method-assign]  # the prober dies
        house._watches.clear()

    house.sandbox.faults.add(Fault(method="PUT", path=".*/workspace-connections", do=look_once_more))

    release = house.settled(2)

    assert release.status is Status.ROLLED_BACK
    assert house.served() == good
