"""Gogs: what only it says in its own way. The bodies were written by hand from its manual and its code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workers.hosts.base import Headers
from workers.hosts.gogs import Gogs
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, Event

GOGS = Gogs("code", ["a secret of acme's Gogs"])
ONE, TWO, MERGED = "1" * 40, "2" * 40, "3" * 40
SHOP = {"id": 7, "full_name": "acme/shop", "default_branch": "main"}
FORK = {"id": 8, "full_name": "eve/shop", "default_branch": "main"}


def read(event: str, body: dict[str, Any]) -> Event:
    headers = Headers([("Content-Type", "application/json"), ("X-Gogs-Event", event)])
    return GOGS.read(headers, json.dumps({"repository": SHOP, "sender": {"login": "ada"}} | body).encode())


def pull_request(action: str = "opened", **changes: Any) -> Event:
    change = {
        "head_branch": "fix",
        "head_repo": SHOP,
        "base_branch": "main",
        "base_repo": SHOP,
        "merged": False,
        "merge_commit_sha": None,
    }
    return read("pull_request", {"action": action, "number": 3, "pull_request": change | changes})


def test_a_push_is_read_without_a_head_commit() -> None:
    listed = {"id": TWO, "message": "Sell hats\0", "timestamp": "2026-11-02T09:30:05+01:00"}
    event = read("push", {"ref": "refs/heads/main", "before": ONE, "after": TWO, "commits": [listed]})
    change = event.changes[0]

    assert (event.kind, event.repository_id, event.actor) == ("push", "7", "ada")
    assert (change.ref, change.action, change.commit) == ("refs/heads/main", "update", TWO)
    assert (change.message, change.timestamp) == ("Sell hats", "2026-11-02T09:30:05+01:00")
    assert (change.forced, change.truncated, change.commits_listed) == (None, None, 1)


@pytest.mark.parametrize("tip", [TWO, "0" * 40])
def test_the_test_button_releases_nothing_in_an_empty_repository_either(tip: str) -> None:
    event = read("push", {"ref": "refs/heads/main", "before": tip, "after": tip, "commits": []})

    assert event_json(event) == {"kind": "ping", "repo": "acme/shop", "default_branch": "main"}


def test_a_new_tag_is_told_by_create_alone() -> None:
    event = read("create", {"ref": "v1.0", "ref_type": "tag", "sha": TWO, "default_branch": "main"})

    assert event_json(event) == {
        "kind": "ref_created",
        "repo": "acme/shop",
        "default_branch": "main",
        "ref_type": "tag",
        "name": "v1.0",
        "sha": TWO,
    }


def test_a_pull_request_does_not_say_its_head() -> None:
    assert pull_request().facts == {
        "number": 3,
        "head": None,
        "head_branch": "fix",
        "base_branch": "main",
        "head_repo": "acme/shop",
        "from_fork": False,
        "merge_commit": None,
    }


@pytest.mark.parametrize(
    ("action", "merged", "kind"),
    [
        ("opened", False, "change_opened"),
        ("reopened", False, "change_opened"),
        ("synchronized", False, "change_updated"),
        ("edited", False, "change_edited"),
        ("closed", False, "change_closed"),
        ("closed", True, "change_merged"),
        ("label_updated", False, "other"),
    ],
)
def test_a_pull_request_is_told_by_action_and_merge(action: str, merged: bool, kind: str) -> None:
    event = pull_request(action, merged=merged, merge_commit_sha=MERGED)

    assert event.kind == kind
    if kind != "other":
        assert event.facts["merge_commit"] == (MERGED if merged else None)


@pytest.mark.parametrize(
    ("head", "base", "from_fork"),
    [
        (SHOP, SHOP, False),
        (SHOP, None, False),
        (SHOP | {"full_name": "Acme/Shop"}, SHOP, False),
        (FORK, SHOP, True),
        (None, SHOP, True),
        (SHOP | {"id": 8}, SHOP, True),
        (FORK | {"id": 7}, SHOP, True),
    ],
)
def test_a_fork_is_told_by_number_and_name(head: object, base: object, from_fork: bool) -> None:
    assert pull_request(head_repo=head, base_repo=base).facts["from_fork"] is from_fork


@pytest.mark.parametrize(("mark", "on_change"), [(None, False), ({"merged": False}, True)])
def test_a_comment_tells_issues_from_pull_requests(mark: object, on_change: bool) -> None:
    issue = {"number": 4, "pull_request": mark}
    body = {"action": "created", "issue": issue, "comment": {"body": "/release", "user": {"username": "eve"}}}

    facts = read("issue_comment", body).facts
    assert (facts["on_change"], facts["author"], facts["number"]) == (on_change, "eve", 4)


def test_a_release_is_read() -> None:
    body = {"action": "published", "release": {"tag_name": "v2", "target_commitish": "main", "draft": False}}
    event = read("release", body)

    assert event.kind == "release_published"
    assert (event.facts["tag"], event.facts["target"], event.facts["prerelease"]) == ("v2", "main", False)


@pytest.mark.parametrize("event", ["fork", "issues", "status", "workflow_run", "action_run_success"])
def test_events_that_gogs_does_not_have_are_other(event: str) -> None:
    assert event_json(read(event, {})) == {"kind": "other", "repo": "acme/shop"}


def test_a_field_of_the_wrong_type_is_named() -> None:
    with pytest.raises(BadDelivery, match=r"at pull_request\.head_branch"):
        pull_request(head_branch=7)
