"""What only the host knows is asked before anything is released: CI, paths, rights, tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.projects import ProjectSettings
from config.settings import Settings
from tests.flow.asking_house import SECRET, AskingHouse, asking_settings
from workers.identities import Identities
from workers.store.inquiries import RepositoryIds

Make = Callable[[Settings], AskingHouse]
WHEN_GREEN: dict[str, Any] = {"push": {"branches": ["main"], "when": "ci"}}


@pytest.fixture
def make(store_url: str) -> Iterator[Make]:
    made: list[AskingHouse] = []

    def open_house(config: Settings) -> AskingHouse:
        made.append(AskingHouse(store_url, config))
        return made[-1]

    yield open_house
    for house in made:
        house.close()


@pytest.fixture
def house(make: Make) -> AskingHouse:
    """Return a house whose project releases when CI is green."""
    return make(asking_settings(WHEN_GREEN))


def test_a_push_goes_live_after_its_checks_turned_green_and_not_before(house: AskingHouse) -> None:
    commit = house.pushed()
    suite = house.host.start_checks(house.there, commit)
    house.rest(300)

    assert house.verdict(0)[0] == "asking"
    assert house.verdict(0)[1].startswith("shop: branch main matches the push patterns main; it waits until")
    assert house.count() == 0

    house.host.finish_checks(house.there, suite)
    release = house.live()

    assert (release.commit, release.trigger.kind) == (commit, "push")
    assert house.verdict(0) == ("accepted", "shop: release #1")
    assert house.delivery(0)["releases"] == [release.id]
    assert house.delivery(0)["decisions"][0]["verdict"] == "release"
    assert house.inquiries.waiting() == 0


def test_without_any_event_of_ci_the_host_is_looked_at_ever_more_seldom(house: AskingHouse) -> None:
    commit = house.pushed()
    for hook in house.there.hooks.values():
        hook.active = False
    suite = house.host.start_checks(house.there, commit)
    before = house.calls()
    house.rest(600)
    looks = house.calls() - before
    house.host.finish_checks(house.there, suite)

    assert 15 <= looks <= 200
    assert house.live().commit == commit


def test_a_success_of_ci_makes_the_push_that_waits_for_it_look_at_once(house: AskingHouse) -> None:
    commit = house.pushed()
    suite = house.host.start_checks(house.there, commit)
    house.rest(1200)
    house.until_looked_at()
    at = house.clock()
    house.host.finish_checks(house.there, suite)

    house.run(lambda: house.count() == 1)

    assert house.clock() - at < 1
    assert house.verdict(-1) == (
        "ignored",
        f"shop: CI told of {commit[:12]}; the push that waits for it is looked at again",
    )


def test_red_checks_are_said_and_nothing_is_released(house: AskingHouse) -> None:
    commit = house.pushed()
    house.rest(60)
    house.checks_end(commit, "failure")
    house.asked()

    assert house.verdict(0)[0] == "ignored"
    assert "but CI is red: build failed" in house.verdict(0)[1]
    assert house.count() == 0


def test_ci_that_takes_too_long_is_said(make: Make) -> None:
    house = make(asking_settings({"push": {"branches": ["main"], "when": "ci", "within": "10m"}}))
    house.host.start_checks(house.there, house.pushed())
    house.asked()

    verdict, reason = house.verdict(0)
    assert verdict == "ignored"
    assert "but CI took longer than 10m: still without success: build" in reason


def test_a_newer_push_ends_the_wait_of_an_older_one_and_says_so(house: AskingHouse) -> None:
    old = house.pushed("old")
    house.host.start_checks(house.there, old)
    house.rest(60)
    new = house.pushed("new")
    house.run(lambda: house.verdict(0)[0] != "asking")

    words = f"{old[:12]} gave way, since the newer {new[:12]} came before its CI was green"
    assert house.verdict(0) == ("ignored", f"shop: refs/heads/main: {words}")
    assert house.of_kind("push")["verdict"] == "asking"
    house.checks_end(new)
    assert house.live().commit == new
    assert house.count() == 1


def test_an_older_commit_that_turns_green_after_a_newer_was_released_is_late(make: Make) -> None:
    house = make(asking_settings(WHEN_GREEN, token=False))
    old, new = house.pushed("old"), house.pushed("new")
    house.asked()
    house.checks_end(new)
    assert house.live().commit == new
    house.checks_end(old)
    house.asked()

    assert house.count() == 1
    told = house.of_kind("ci_finished")
    late = "shop: late: a commit pushed on top of this one was accepted before it"
    assert (told["verdict"], told["reason"]) == ("ignored", late)


def test_without_a_token_the_events_of_ci_release_what_a_push_named(make: Make) -> None:
    house = make(asking_settings(WHEN_GREEN, token=False))
    commit = house.pushed()
    house.asked()
    assert house.verdict(0)[0] == "ignored"
    assert "the host has to tell in an event of its CI" in house.verdict(0)[1]

    house.checks_end(commit)
    release = house.live()

    assert (release.commit, release.ref) == (commit, "refs/heads/main")
    assert house.calls() == 0


def test_without_a_token_all_checks_that_are_named_have_to_be_told_green(make: Make) -> None:
    trigger = {"push": {"branches": ["main"], "when": "ci", "checks": ["build", "lint"]}}
    house = make(asking_settings(trigger, token=False))
    commit = house.pushed()
    house.asked()
    house.host.set_status(house.there, commit, "success", context="lint")
    house.host.set_status(house.there, commit, "failure", context="lint")
    house.host.set_status(house.there, commit, "success", context="build")
    house.asked()
    assert house.count() == 0

    house.host.set_status(house.there, commit, "success", context="lint")
    assert house.live().commit == commit


def test_events_of_ci_are_ignored_without_an_inquiry_where_nobody_waits_for_them(make: Make) -> None:
    house = make(asking_settings({"push": {"branches": ["main"]}}))
    commit = house.pushed()
    house.checks_end(commit)

    assert house.verdict(-1)[0] == "ignored"
    assert house.inquiries.waiting() == 0
    assert not house.client.keys("*named*")


@pytest.mark.parametrize(("files", "released"), [(5, False), (301, True)])
def test_paths_that_the_push_does_not_tell_are_asked_for(make: Make, files: int, released: bool) -> None:
    house = make(asking_settings({"push": {"branches": ["main"], "paths": ["web/**"]}}))
    first = house.pushed(files={"web/a.txt": "1"})
    house.asked()
    assert house.count() == 1
    house.pushed(files={"api/old.txt": "1"})
    changes: dict[str, str | None] = {f"api/{number}.txt": "1" for number in range(files)}
    house.host.commit(house.there, changes, parent=first)  # forced, so that GitHub tells no whole list
    assert house.verdict()[0] == "asking"
    house.asked()

    # Of 301 files GitHub lists 300, so that one may be anywhere.
    assert house.verdict()[0] == ("accepted" if released else "ignored")
    words = "the host lists only some" if released else f"none of {files} changed paths fits web/**"
    assert words in house.delivery()["decisions"][0]["reason"]


def test_a_commenter_without_the_right_releases_nothing(make: Make) -> None:
    house = make(asking_settings({"comment": {"commands": ["/release"], "branches": ["main"]}}))
    head = house.pushed()
    branch = house.host.commit(house.there, {"a.txt": "1"}, branch="topic", by="wes")
    change = house.host.open_change(house.there, "topic", by="wes")
    assert branch

    house.host.comment(house.there, change.number, "/release", by="eve")
    house.asked()
    assert house.verdict() == ("ignored", "shop: eve wrote /release, but has no right to write in acme/shop")

    house.host.comment(house.there, change.number, "/release", by="wes")
    assert house.verdict()[0] == "asking"
    release = house.live()
    assert (release.commit, release.trigger.kind, release.trigger.actor) == (head, "comment", "wes")


def test_a_published_release_is_released_at_the_commit_of_its_tag(make: Make) -> None:
    house = make(asking_settings({"release": {"tags": ["v*"]}}))
    commit = house.pushed()
    house.host.tag(house.there, "v1", message="The first")
    house.host.publish_release(house.there, "v1")
    release = house.live()

    assert (release.commit, release.ref, release.trigger.kind) == (commit, "refs/tags/v1", "release")


def test_what_nobody_can_be_asked_takes_the_safe_way_and_says_what_to_configure(make: Make) -> None:
    house = make(asking_settings({"release": {"tags": ["v*"]}}, token=False))
    house.pushed()
    house.host.tag(house.there, "v1")
    house.host.publish_release(house.there, "v1")
    house.asked()

    published = house.of_kind("release_published")
    assert published["verdict"] == "ignored"
    assert "set hosts.github.token" in published["reason"]
    assert house.count() == 0


def test_a_host_that_refuses_is_quoted(make: Make) -> None:
    house = make(asking_settings({"release": {"tags": ["v*"]}}))
    house.pushed()
    house.host.tag(house.there, "v1")
    house.fails(403, times=None)
    house.host.publish_release(house.there, "v1")
    house.asked()

    published = house.of_kind("release_published")
    assert published["verdict"] == "ignored"
    assert "asked, the host gave no answer" in published["reason"]


def test_a_renamed_repository_is_followed_and_a_new_one_under_its_name_is_not(make: Make) -> None:
    house = make(asking_settings({"push": {"branches": ["main"]}}))
    house.pushed()
    house.host.rename(house.there, "acme/store")
    house.pushed()
    assert (house.of_kind("push")["repository"], house.count()) == ("acme/store", 2)

    other = house.host.repository("acme/shop")
    house.host.add_hook(other, "https://bot.example.com/webhooks/github", SECRET)
    house.host.commit(other)
    refused = house.of_kind("push")
    assert refused["verdict"] == "ignored"
    assert "another repository took its name" in refused["reason"]

    identities = Identities(RepositoryIds(house.client))
    identities.refresh()
    assert identities.of(house.settings.projects) == {"shop": str(house.there.id)}
    identities.forget(house.settings.projects["shop"])
    house.host.commit(other)
    assert house.of_kind("push")["verdict"] == "accepted"


def test_a_project_of_one_delivery_releases_while_another_still_asks(make: Make) -> None:
    config = asking_settings(WHEN_GREEN)
    second = config.projects["shop"].model_dump(by_alias=True) | {"name": "docs"}
    docs = ProjectSettings.model_validate(second | {"triggers": [{"push": {"branches": ["main"]}}]})
    house = make(config.model_copy(update={"projects": config.projects | {"docs": docs}}))
    commit = house.pushed()

    assert house.told[0][1].verdict == "accepted"
    assert house.told[0][1].reason.startswith("docs: release #1; shop: branch main matches")
    house.checks_end(commit)
    house.run(lambda: house.count() == 2)
    assert house.verdict(0) == ("accepted", "docs: release #1; shop: release #1")
    assert len(house.delivery(0)["releases"]) == 2
