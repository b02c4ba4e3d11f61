"""The pure rules of looking: which places, what is missing, what failed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.projects import ProjectSettings
from config.settings import Settings
from tests.flow.house import project
from workers.flow.looking.found import delivery_id
from workers.flow.looking.heads import BRANCH, compare, named_by, patterns_of, taken_by
from workers.flow.looking.places import places_of
from workers.flow.looking.resending import failed_in
from workers.releases.looks import Known
from workers.releases.origin import HostDelivery

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
HERE, MAIN = "github acme/shop", "main release/*"


def config(**projects: list[dict[str, Any]]) -> Settings:
    """Return settings with projects on one repository that have these triggers."""
    domains = {name: f"{name}.example.com" for name in projects}
    made = {
        name: project(
            triggers=triggers,
            target={"domain": domains[name], "public_url": f"http://{domains[name]}"},
        )
        for name, triggers in projects.items()
    }
    host = {"driver": "github", "secrets": ["x" * 20]}
    platform = {"driver": "codesphere", "token": "sandbox-token"}
    return Settings.model_validate(
        {
            "hosts": {"github": host, "quiet": host},
            "platforms": {"codesphere": platform},
            "notices": {"team": {"url": "json://127.0.0.1:1"}},
            "projects": made,
        }
    )


PUSH = {"push": {"branches": ["main"]}}


def test_a_repository_of_several_projects_is_one_place_with_the_shortest_time() -> None:
    [place] = places_of(config(a=[PUSH], b=[PUSH, {"catch-up": {"every": "1m"}}]), lambda _: True)

    assert (place.name, place.every) == ("catch-up github acme/shop", 60.0)
    assert [each.name for each in place.projects] == ["a", "b"]


def test_a_poll_is_a_place_beside_the_sweep() -> None:
    places = places_of(config(a=[PUSH, {"poll": {"every": "10s"}}]), lambda _: True)

    assert {place.found_by: place.every for place in places} == {"catch-up": 300.0, "poll": 10.0}


@pytest.mark.parametrize(
    ("triggers", "found"),
    [
        ([PUSH, {"catch-up": {"enabled": False}}], []),
        ([{"manual": {}}], []),
        ([{"schedule": {"cron": "0 6 * * *"}}], []),
        ([{"comment": {}}, {"poll": {}}], ["catch-up"]),
        ([{"push": {"tags": ["v*"]}}], ["catch-up"]),
    ],
)
def test_only_where_something_can_be_lost_is_looked(triggers: list[dict[str, Any]], found: list[str]) -> None:
    assert [place.found_by for place in places_of(config(a=triggers), lambda _: True)] == found


def test_a_host_that_cannot_be_asked_is_no_place() -> None:
    assert places_of(config(a=[PUSH, {"poll": {}}]), lambda name: name == "quiet") == []


def shop(**push: Any) -> ProjectSettings:
    return config(shop=[{"push": {"branches": ["main", "release/*"]} | push}]).projects["shop"]


def test_only_branches_that_a_trigger_takes_are_compared() -> None:
    heads = {"main": ONE, "release/1": TWO, "feature": THREE, "gh-readonly-queue/main/x": THREE}

    assert taken_by(shop(), heads) == {"main": ONE, "release/1": TWO}
    assert taken_by(shop(branches=["**", "!feature"]), heads) == {"main": ONE, "release/1": TWO}
    assert named_by([shop(branches=["**", "!feature", "main"])]) == {"main"}
    assert patterns_of(shop()) == MAIN


def known(
    accepted: dict[str, str] | None = None, kept_back: dict[str, str] | None = None, **more: str | None
) -> Known:
    """Return what a project knows of branches, looked after before as it is now."""
    refs = [
        {BRANCH + name: commit for name, commit in (each or {}).items()} for each in (accepted, kept_back)
    ]
    return Known(refs[0], refs[1], more.get("repository", HERE), more.get("patterns", MAIN))


@pytest.mark.parametrize(
    ("knows", "noted", "missing"),
    [
        (known({"main": ONE}), [], []),
        (known({"main": TWO}), [], ["main"]),
        (known({"main": TWO}, {"main": ONE}), [], []),
        (known({"main": TWO}, {"main": THREE}), [], ["main"]),
        (known(), [], ["main"]),
        (known({"main": TWO}, repository=None, patterns=None), ["main"], []),
        (known({"main": TWO}, repository="github acme/other"), ["main"], []),
        (known(patterns="main"), ["main"], []),
        (known({"main": TWO}, patterns="main"), [], ["main"]),
        (known({}, {"main": TWO}, patterns="main"), [], ["main"]),
    ],
)
def test_a_head_is_told_of_noted_or_missing(knows: Known, noted: list[str], missing: list[str]) -> None:
    found = compare({"main": ONE}, knows, repository=HERE, patterns=MAIN, all_heads=None)

    assert dict(found.note) == {BRANCH + name: ONE for name in noted}
    assert dict(found.missing) == dict.fromkeys(missing, ONE)


def test_branches_that_are_gone_are_forgotten_where_all_are_listed() -> None:
    knows = known({}, {"main": ONE, "old": TWO})
    heads = {"main": ONE}

    assert compare(heads, knows, repository=HERE, patterns=MAIN, all_heads=heads).gone == (f"{BRANCH}old",)
    assert compare(heads, knows, repository=HERE, patterns=MAIN, all_heads=None).gone == ()


def entry(number: int, delivery: str, *, ok: bool, event: str = "push") -> HostDelivery:
    return HostDelivery(str(number), delivery, event, float(number), ok)


def test_what_failed_is_the_newest_attempt_of_what_never_went_well_newest_first() -> None:
    entries = [
        entry(6, "c", ok=False),
        entry(5, "a", ok=True),
        entry(4, "b", ok=False),
        entry(3, "b", ok=False),
        entry(2, "ping", ok=False, event="ping"),
        entry(1, "a", ok=False),
    ]

    assert [each.id for each in failed_in(entries)] == ["6", "4"]


PARTS = st.lists(st.text("ab/~ ü", max_size=4), max_size=4)


@given(one=PARTS, other=PARTS)
def test_finds_have_the_same_id_exactly_when_they_are_the_same(one: list[str], other: list[str]) -> None:
    first, second = (delivery_id("catch-up", "github", *parts) for parts in (one, other))

    assert (first == second) == (one == other)
    assert len(first) <= 128
