"""Inquiries survive dead workers, hosts that do not answer, and a store that is started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.core.faults import Fault
from tests.flow.asking_house import AskingHouse, asking_settings
from workers.flow.admission import intake_of
from workers.flow.inquiries import TERM_SECONDS
from workers.flow.triggers import decide
from workers.releases.events import Change, DeliveryFacts, Event, RefType
from workers.store.embedded import EmbeddedStore
from workers.store.keyspace import key

WHEN_GREEN: dict[str, Any] = {"push": {"branches": ["main"], "when": "ci"}}


class Killed(BaseException):
    """The worker is killed here."""


def die() -> None:
    raise Killed


@pytest.fixture
def house(store_url: str) -> Iterator[AskingHouse]:
    """Return a house whose project releases when CI is green."""
    made = AskingHouse(store_url, asking_settings(WHEN_GREEN))
    yield made
    made.close()


def test_an_inquiry_whose_worker_is_killed_while_it_asks_is_due_again_by_itself(house: AskingHouse) -> None:
    commit = house.pushed()
    suite = house.host.start_checks(house.there, commit)
    house.host.finish_checks(house.there, suite)
    house.service.faults.add(Fault(do=die, times=1))
    with pytest.raises(Killed):
        house.asked()
    house.begin()
    at = house.clock()

    assert house.live().commit == commit
    assert house.count() == 1
    assert house.clock() - at < 3 * TERM_SECONDS


def test_an_inquiry_that_was_claimed_and_never_begun_is_due_again_by_itself(house: AskingHouse) -> None:
    commit = house.pushed()
    house.services.store.claim(50, 1000, 3.0)
    house.checks_end(commit)

    assert house.live().commit == commit


def test_an_inquiry_that_kills_every_worker_is_given_up(house: AskingHouse) -> None:
    house.pushed()
    house.service.faults.add(Fault(do=die, times=None))
    for _ in range(5):
        with pytest.raises(Killed):
            house.asked()
    house.asked()

    assert house.verdict(0)[0] == "ignored"
    assert "it was begun 5 times and never came to an end" in house.verdict(0)[1]


def test_two_workers_at_one_inquiry_make_one_release(house: AskingHouse) -> None:
    commit = house.pushed()
    house.checks_end(commit)
    inquiry = f"{house.told[0][0]}/shop"
    other = Fault(do=lambda: house.services.inquirer.look(inquiry, only_called=False), times=1)
    house.service.faults.add(other)
    house.asked()

    assert other.met == 1
    assert house.count() == 1
    assert house.verdict(0)[0] == "accepted"
    assert house.live().commit == commit


def test_a_wake_up_that_nobody_called_for_asks_nobody(house: AskingHouse) -> None:
    house.pushed()
    before = house.calls()
    house.services.inquirer.look(f"{house.told[0][0]}/shop")

    assert house.calls() == before


def test_a_delivery_that_comes_twice_has_one_inquiry_and_says_that_it_stands(house: AskingHouse) -> None:
    house.pushed()
    again = house.intake.accept(house.judged(house.sent[0]))

    assert (again.verdict, again.reason) == ("duplicate", "this delivery came before and is still asking")
    assert house.inquiries.waiting() == 1


def test_a_host_that_is_away_is_asked_again_until_it_answers(house: AskingHouse) -> None:
    commit = house.pushed()
    house.checks_end(commit)
    away = house.fails(503, times=None)
    house.rest(600)

    verdict, reason = house.verdict(0)
    assert verdict == "asking"
    assert "asked again in" in reason
    # From half a second up to fifteen between two tries, for each of the two inquiries.
    assert 60 <= away.met <= 240

    house.service.faults.clear()
    assert house.live().commit == commit
    assert house.count() == 1


def test_a_host_that_asks_for_quiet_gets_it(house: AskingHouse) -> None:
    house.pushed()
    away = house.fails(429, times=None, retry_after=200)
    house.rest(590)

    assert 1 <= away.met <= 3
    assert house.verdict(0)[0] == "asking"


def test_a_host_that_stays_away_is_waited_for_a_quarter_of_an_hour(store_url: str) -> None:
    house = AskingHouse(store_url, asking_settings({"release": {"tags": ["v*"]}}))
    house.pushed()
    house.host.tag(house.there, "v1", message="The first")
    house.fails(503, times=None)
    at = house.clock()
    house.host.publish_release(house.there, "v1")
    house.asked()
    published = house.of_kind("release_published")
    house.close()

    assert published["verdict"] == "ignored"
    assert "which commit the tag v1 names is not known" in published["reason"]
    assert 900 <= house.clock() - at < 930


def test_ci_of_a_host_that_stays_away_is_given_up_when_its_time_is_over(house: AskingHouse) -> None:
    house.pushed()
    house.fails(503, times=None)
    at = house.clock()
    house.asked()

    assert "could not be found out within 2h" in house.verdict(0)[1]
    assert 7200 <= house.clock() - at < 7230


def test_an_inquiry_survives_the_store_being_started_again(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "state")
    store.start()
    house = AskingHouse(store.url, asking_settings(WHEN_GREEN))
    commit = house.pushed()
    house.until_looked_at()
    store.stop()
    store.start()
    house.checks_end(commit)
    release = house.live()
    house.close()
    store.stop()

    assert release.commit == commit


def told(house: AskingHouse, delivery: str, commit: str, paths: tuple[str, ...] | None) -> str:
    """Take in a push of a host that tells neither times nor what was there before."""
    change = Change(RefType.BRANCH, "main", "update", "e" * 40, commit, commit, paths=paths)
    event = Event("push", "acme/shop", actor="ann", changes=(change,))
    projects = house.settings.projects
    decisions = decide(event, projects.values())
    facts = DeliveryFacts("github", delivery, "push")
    verdict = house.intake.accept(
        intake_of(facts, event, decisions, projects, keep_seconds=86400, driver="github")
    )
    return verdict.verdict


def test_a_push_that_is_settled_late_gives_way_to_one_that_came_after_it(store_url: str) -> None:
    trigger = {"push": {"branches": ["main"], "paths": ["web/**"]}}
    house = AskingHouse(store_url, asking_settings(trigger))
    old, new = house.commit("old"), house.commit("new")
    house.fails(503, times=1)

    assert told(house, "d-old", old, None) == "asking"
    house.until_looked_at()
    house.jump(0.1)
    assert told(house, "d-new", new, ("web/a.txt",)) == "accepted"
    house.asked()
    found = house.intake.delivery("d-old")
    count = house.count()
    house.close()

    assert (found["verdict"], count) == ("ignored", 1)
    assert found["reason"] == "shop: late: the host moved the ref on before this delivery came"


def test_what_was_written_down_and_cannot_be_read_any_more_is_given_up(house: AskingHouse) -> None:
    house.pushed()
    inquiry = f"{house.told[0][0]}/shop"
    house.client.hset(
        key("inquiry", inquiry), "document", '{"host": "github", "event_name": "", "event": {}}'
    )
    house.asked()

    assert house.verdict(0)[0] == "ignored"
    assert "what is stored is no event" in house.verdict(0)[1]
