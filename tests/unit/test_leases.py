from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from workers.errors import StoreAway
from workers.leases import Renewer
from workers.releases.model import Lease

LEASE = Lease("r-1", "worker-1", 7)


@dataclass
class Store:
    """Keeps leases until it is told otherwise."""

    keeps: bool = True
    away: bool = False
    asked: int = 0

    def renew(self, lease: Lease) -> bool:
        assert lease == LEASE
        self.asked += 1
        if self.away:
            raise StoreAway("gone for a moment")
        return self.keeps


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    store: Store = field(default_factory=Store)
    clock: Clock = field(default_factory=Clock)

    def renewer(self) -> Renewer:
        return Renewer(self.store, lease_seconds=3.0, clock=self.clock)


def test_a_renewed_lease_is_held_for_as_long_as_the_block_lasts() -> None:
    world = World()
    renewer = world.renewer()
    with renewer.hold(LEASE) as held:
        for _ in range(10):
            world.clock.now += 1
            renewer.renew_all()
        assert not held.lost
        assert held.seconds_left == pytest.approx(2.8)
    renewer.renew_all()

    assert world.store.asked == 10


def test_a_lease_that_was_not_renewed_within_its_term_is_lost_without_asking_anybody() -> None:
    world = World()
    with world.renewer().hold(LEASE) as held:
        world.clock.now += 2.7
        assert not held.lost
        world.clock.now += 0.2
        assert held.lost


def test_a_lease_is_reckoned_from_before_it_was_asked_for() -> None:
    world = World()
    asked_at = world.clock.now
    world.clock.now += 2.9  # a slow answer of the store

    with world.renewer().hold(LEASE, since=asked_at) as held:
        assert held.lost


def test_a_lease_that_has_passed_on_is_lost() -> None:
    world = World()
    world.store.keeps = False
    renewer = world.renewer()
    with renewer.hold(LEASE) as held:
        renewer.renew_all()

        assert held.lost
        assert held.seconds_left == 0


def test_a_lost_lease_never_comes_back_and_is_not_asked_for_again() -> None:
    world = World()
    renewer = world.renewer()
    with renewer.hold(LEASE) as held:
        world.clock.now += 5  # this process was paused
        renewer.renew_all()
        held.renewed(world.clock.now)

        assert held.lost
    assert world.store.asked == 0


def test_a_move_that_the_store_took_counts_as_a_renewal() -> None:
    world = World()
    with world.renewer().hold(LEASE) as held:
        world.clock.now += 2
        held.renewed(world.clock.now)
        world.clock.now += 2

        assert not held.lost


def test_the_thread_renews_and_survives_an_outage_of_the_store() -> None:
    store = Store(away=True)
    renewer = Renewer(store, lease_seconds=0.6)
    renewer.start()
    deadline = time.monotonic() + 20
    with renewer.hold(LEASE):
        while store.asked < 1:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    store.away = False
    with renewer.hold(LEASE) as held:
        before = store.asked
        while store.asked < before + 3:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert not held.lost
    renewer.stop()
