"""The entries of `triggers`: defaults, and each way in which one can be wrong."""

import json
from typing import Any

import pytest

from config.projects import ProjectSettings
from config.triggers import (
    CatchUpTrigger,
    CommentTrigger,
    MergedTrigger,
    PollTrigger,
    PushTrigger,
    ReleaseTrigger,
    ScheduleTrigger,
    as_written,
)

from .samples import SECRET, bent, faults, load

AT = "projects.shop.triggers.0"


def written(trigger: dict[str, Any]) -> Any:
    return load(bent(("projects.shop.triggers", [trigger]))).projects["shop"].triggers[0]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"release": None}, ReleaseTrigger(tags=("**",), prereleases=False)),
        ({"merged": {"branches": ["main"]}}, MergedTrigger(branches=("main",))),
        ({"comment": {}}, CommentTrigger(commands=("/release",), by="write", on="changes", branches=())),
        ({"schedule": {"cron": "0 6 * * *"}}, ScheduleTrigger(cron="0 6 * * *", zone="UTC", branch=None)),
        ({"catch-up": {}}, CatchUpTrigger(every=300.0, enabled=True)),
        ({"poll": {}}, PollTrigger(every=30.0)),
        (
            {"push": {"branches": ["main"], "when": "ci", "within": "1h"}},
            PushTrigger(branches=("main",), when="ci", within=3600.0, checks=(), paths=(), forced="release"),
        ),
    ],
)
def test_what_is_left_out_has_its_default(entry: dict[str, Any], expected: object) -> None:
    assert written(entry) == expected


def test_a_push_skips_three_phrases_unless_told_otherwise() -> None:
    assert written({"push": {"branches": ["main"]}}).skip == (
        "[skip release]",
        "[release skip]",
        "[no release]",
    )
    assert written({"push": {"branches": ["main"], "skip": []}}).skip == ()


EVERY_KIND: list[dict[str, Any]] = [
    {"push": {"branches": ["main"], "paths": ["a/**", "!a/b"], "when": "ci", "checks": ["build"]}},
    {"release": {"tags": ["v*"], "prereleases": True}},
    {"merged": {"branches": ["main"]}},
    {"comment": {"commands": ["/ship it"], "by": "admin", "on": "anywhere", "branches": ["main"]}},
    {"schedule": {"cron": "0 6 * * 1-5", "zone": "Europe/Berlin", "branch": "main"}},
    {"catch-up": {"every": "1h", "enabled": False}},
    {"poll": {"every": "10s"}},
    {"manual": {}},
]


def test_every_kind_survives_the_snapshot() -> None:
    shop = load(bent(("projects.shop.triggers", EVERY_KIND))).projects["shop"]

    again = ProjectSettings.from_snapshot(json.loads(json.dumps(shop.snapshot())))

    assert again == shop
    assert again.digest() == shop.digest()
    assert [next(iter(as_written(each))) for each in again.triggers] == [next(iter(e)) for e in EVERY_KIND]


@pytest.mark.parametrize(
    ("entry", "path", "words"),
    [
        ({"push": {"branches": ["main"], "paths": ["!docs/**"]}}, "push.paths", "only takes away"),
        ({"push": {"branches": ["main"], "paths": ["a b"]}}, "push.paths.0", "white space"),
        ({"push": {"branches": ["main"], "skip": [" "]}}, "push.skip.0", "empty"),
        ({"push": {"branches": ["main"], "when": "pushd"}}, "push.when", 'did you mean "pushed"?'),
        ({"push": {"branches": ["main"], "checks": ["build"]}}, "push", "add when: ci"),
        ({"push": {"branches": ["main"], "within": "30s"}}, "push.within", "from 1m to 7d"),
        ({"push": {"branches": ["main"], "within": 7200}}, "push.within", "unit"),
        ({"relase": {}}, "", 'did you mean "release"?'),
        ({"release": {"tags": []}}, "release.tags", "at least 1"),
        ({"release": {"drafts": True}}, "release.drafts", "known here: tags, prereleases"),
        ({"merged": {}}, "merged.branches", "is required"),
        ({"merged": {"branches": ["!main"]}}, "merged.branches", "only takes away"),
        ({"comment": {"commands": ["release"]}}, "comment.commands.0", "no ordinary sentence"),
        ({"comment": {"commands": [""]}}, "comment.commands.0", "no ordinary sentence"),
        ({"comment": {"commands": ["/a\n/b"]}}, "comment.commands.0", "one line"),
        ({"comment": {"commands": []}}, "comment.commands", "at least 1"),
        ({"comment": {"by": "read"}}, "comment.by", "write, maintain, admin"),
        ({"comment": {"on": "change"}}, "comment.on", 'did you mean "changes"?'),
        ({"schedule": {}}, "schedule.cron", "is required"),
        ({"schedule": {"cron": "0 6 * *"}}, "schedule.cron", "five fields"),
        ({"schedule": {"cron": "0 0 31 2 *"}}, "schedule.cron", "never comes"),
        (
            {"schedule": {"cron": "0 6 * * *", "zone": "Europe/Berlln"}},
            "schedule.zone",
            "Europe/Berlin or UTC",
        ),
        ({"schedule": {"cron": "0 6 * * *", "zone": "../../etc/passwd"}}, "schedule.zone", "Europe/Berlin"),
        ({"schedule": {"cron": "0 6 * * *", "zone": ""}}, "schedule.zone", "Europe/Berlin"),
        ({"schedule": {"cron": "0 6 * * *", "branch": "rel/*"}}, "schedule.branch", "one branch"),
        ({"catch-up": {"every": "1s"}}, "catch-up.every", "from 30s to 24h"),
        ({"poll": {"every": "1s"}}, "poll.every", "from 5s to 24h"),
        ({"push": {"branches": ["x"]}, "poll": {}}, "", "exactly one key"),
    ],
)
def test_a_wrong_entry_is_one_fault_with_its_place_and_the_way_out(
    entry: dict[str, Any], path: str, words: str
) -> None:
    found = faults(bent(("projects.shop.triggers", [entry])))

    place = f"{AT}.{path}".rstrip(".")
    assert found.keys() == {place}
    assert words in found[place]


@pytest.mark.parametrize("key", ["cron", "zone", "branch"])
def test_what_was_written_is_not_repeated(key: str) -> None:
    entry = {"schedule": {"cron": "0 6 * * *", key: f"{SECRET} *"}}

    assert SECRET not in str(faults(bent(("projects.shop.triggers", [entry]))))
