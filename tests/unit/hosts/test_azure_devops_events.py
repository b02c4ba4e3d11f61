"""What the deliveries of Azure DevOps say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.hosts.azure_samples import (
    NONE,
    ONE,
    PERSON,
    REPOSITORY,
    THREE,
    TWO,
    built,
    change,
    moved,
    pushed,
    read,
)
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, Event, RefType

# Pushes


def test_a_push_to_a_branch_is_read() -> None:
    event = read("git.push", pushed(moved("refs/heads/release/2")))
    found = event.changes[0]

    assert (event.repository, event.repository_id) == ("Web/shop front", REPOSITORY["id"])
    assert (event.default_branch, event.clone_url) == ("main", REPOSITORY["remoteUrl"])
    assert (found.ref, found.action, found.message) == ("refs/heads/release/2", "update", "Fix it")
    assert found.pushed_at == pytest.approx(1793608205.123456)
    assert found.timestamp == "2026-11-02T08:29:00Z"


def test_a_push_is_shown_under_the_names_of_the_contract() -> None:
    assert event_json(read("git.push", pushed(moved("refs/heads/main")))) == {
        "kind": "push",
        "repo": "Web/shop front",
        "default_branch": "main",
        "pusher": "Ada",
        "changes": [
            {
                "ref_type": "branch",
                "name": "main",
                "action": "update",
                "before": ONE,
                "after": TWO,
                "commit": TWO,
            }
        ],
    }


def test_one_delivery_may_move_several_refs() -> None:
    updates = [
        moved("refs/heads/main"),
        moved("refs/pull/3/merge"),
        moved("refs/heads/new", old=NONE),
        moved("refs/heads/gone", new=NONE),
    ]
    event = read("git.push", pushed(*updates, commits=None))

    assert [(each.name, each.action, each.commit) for each in event.changes] == [
        ("main", "update", TWO),
        ("new", "create", TWO),
        ("gone", "delete", None),
    ]


def test_a_tag_has_a_commit_only_when_the_push_lists_it() -> None:
    listed, unlisted = (
        read("git.push", pushed(moved("refs/tags/v2", old=NONE, new=new))).changes[0] for new in (TWO, THREE)
    )

    assert (listed.ref_type, listed.action, listed.commit) == (RefType.TAG, "create", TWO)
    assert (unlisted.after, unlisted.commit) == (THREE, None)


def test_sha256_repositories_have_longer_names_and_zeros() -> None:
    found = read("git.push", pushed(moved("refs/heads/main", old="0" * 64, new="a" * 64))).changes[0]

    assert (found.action, found.before, found.commit) == ("create", None, "a" * 64)


@pytest.mark.parametrize("updates", [[], [moved("refs/notes/commits")], [moved("refs/heads/")]])
def test_a_push_of_no_branch_and_no_tag_is_another_event(updates: list[dict[str, str]]) -> None:
    assert event_json(read("git.push", pushed(*updates))) == {"kind": "other", "repo": "Web/shop front"}


@pytest.mark.parametrize("date", [None, "soon", "0001-01-01T00:00:00", "9999-12-31T23:59:59Z"])
def test_a_time_that_cannot_be_right_is_none(date: str | None) -> None:
    assert read("git.push", pushed(moved("refs/heads/main"), date=date)).changes[0].pushed_at is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("refUpdates", None),
        ("refUpdates", [moved("main")]),
        ("refUpdates", [moved("refs/heads/a\nb")]),
        ("refUpdates", [moved("refs/heads/a", new="--upload-pack=x")]),
        ("refUpdates", [{"name": "refs/heads/a"}]),
        ("commits", {}),
        ("repository", None),
        ("repository", REPOSITORY | {"project": {"name": "a/b"}}),
        ("repository", REPOSITORY | {"id": 7}),
        ("date", 7),
    ],
)
def test_a_field_of_the_wrong_type_is_named_and_its_value_is_not_shown(field: str, value: object) -> None:
    with pytest.raises(BadDelivery, match=rf"at resource\.{field}") as caught:
        read("git.push", pushed(moved("refs/heads/main")) | {field: value})

    assert "upload-pack" not in str(caught.value)


# Pull requests


@pytest.mark.parametrize(
    ("event", "status", "merge", "kind"),
    [
        ("created", "active", "queued", "change_opened"),
        ("updated", "active", "succeeded", "change_updated"),
        ("merged", "active", "succeeded", "other"),
        ("merged", "active", "conflicts", "other"),
        ("merged", "completed", "succeeded", "change_merged"),
        ("updated", "completed", "succeeded", "change_merged"),
        ("merged", "completed", "conflicts", "change_closed"),
        ("updated", "completed", None, "change_closed"),
        ("updated", "abandoned", "succeeded", "change_closed"),
        ("merged", "abandoned", "succeeded", "change_closed"),
    ],
)
def test_a_merge_that_was_tried_is_not_yet_a_merge(
    event: str, status: str, merge: str | None, kind: str
) -> None:
    found = read(f"git.pullrequest.{event}", change(status=status, mergeStatus=merge))

    assert found.kind == kind
    if kind != "other":
        assert found.facts["merge_commit"] == (THREE if kind == "change_merged" else None)


def test_a_pull_request_is_shown_under_the_names_of_the_contract() -> None:
    found = read("git.pullrequest.created", change())

    assert found.actor == "Ada"
    assert event_json(found) == {
        "kind": "change_opened",
        "repo": "Web/shop front",
        "default_branch": "main",
        "number": 3,
        "head": TWO,
        "head_branch": "fix/it",
        "base_branch": "main",
        "merge_commit": None,
        "status": "active",
        "from_fork": False,
    }


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ({"repository": REPOSITORY | {"name": "fork"}}, "Web/fork"),
        ({"repository": None}, None),
        ({}, None),
    ],
)
def test_a_pull_request_with_a_source_elsewhere_comes_from_a_fork(
    source: dict[str, Any], name: str | None
) -> None:
    facts = read("git.pullrequest.created", change(forkSource=source)).facts

    assert (facts["from_fork"], facts["head_repo"]) == (True, name)


def test_a_pull_request_without_a_merge_tried_has_no_head_yet() -> None:
    facts = read(
        "git.pullrequest.created", change(lastMergeSourceCommit=None, lastMergeCommit=None, mergeStatus=None)
    ).facts

    assert (facts["head"], facts["merge_commit"]) == (None, None)


# Builds


def test_a_build_names_commit_branch_and_pipeline_but_no_repository() -> None:
    found = read("build.complete", built())

    assert (found.repository, found.repository_id) == (None, "r-1")
    assert event_json(found) == {
        "kind": "ci_finished",
        "repo": None,
        "success": True,
        "commit": TWO,
        "branch": "release/2",
        "name": "web",
    }


@pytest.mark.parametrize("result", ["partiallySucceeded", "failed", "canceled", "none", None])
def test_only_the_word_succeeded_is_success(result: str | None) -> None:
    assert read("build.complete", built(result=result)).facts["success"] is False


@pytest.mark.parametrize("ref", ["refs/pull/3/merge", "refs/tags/main", "main", None])
def test_a_build_of_something_else_has_no_branch(ref: str | None) -> None:
    assert read("build.complete", built(sourceBranch=ref)).facts["branch"] is None


def test_the_id_of_a_repository_elsewhere_is_not_ours() -> None:
    found = read("build.complete", built(repository={"id": "acme/shop", "type": "GitHub"}))

    assert found.repository_id is None


@pytest.mark.parametrize(
    ("status", "version", "success"),
    [
        ("succeeded", f"LG:refs/heads/main:{TWO}", True),
        ("failed", f"LG:refs/heads/main:{TWO}", False),
        ("partiallySucceeded", f"LG:refs/heads/main:{TWO}", False),
        ("inProgress", f"LG:refs/heads/main:{TWO}", None),
        ("succeeded", "C42", None),
    ],
)
def test_a_build_of_the_old_kind_says_the_same_otherwise(
    status: str, version: str, success: bool | None
) -> None:
    found = read(
        "build.complete", {"status": status, "sourceGetVersion": version, "definition": {"name": "web"}}
    )

    if success is None:
        assert found == Event(kind="other")
    else:
        assert (found.facts["success"], found.facts["branch"], found.facts["commit"]) == (
            success,
            "main",
            TWO,
        )


@pytest.mark.parametrize("more", [{"status": "inProgress"}, {"sourceVersion": "42"}, {"sourceVersion": None}])
def test_a_build_that_is_not_over_or_not_from_git_is_other(more: dict[str, Any]) -> None:
    assert read("build.complete", built(**more)).kind == "other"


# Comments and other events


@pytest.mark.parametrize(("deleted", "content"), [(False, "/release\0"), (True, None)])
def test_a_comment_is_on_a_change_and_may_be_deleted(deleted: bool, content: str | None) -> None:
    comment = {"id": 1, "content": content, "isDeleted": deleted, "author": PERSON}
    found = read("ms.vss-code.git-pullrequest-comment-event", {"comment": comment, "pullRequest": change()})

    assert (found.repository, found.actor) == ("Web/shop front", "Ada")
    assert found.facts == {
        "number": 3,
        "body": "/release" if content else "",
        "on_change": True,
        "deleted": deleted,
    }


@pytest.mark.parametrize("event", ["workitem.created", "git.repo.created", "an-event.of_tomorrow"])
@pytest.mark.parametrize("resource", [None, [], {"repository": 7}])
def test_unknown_events_are_other_whatever_they_hold(event: str, resource: object) -> None:
    assert read(event, resource) == Event(kind="other")


@pytest.mark.parametrize("event", ["git.push", "git.pullrequest.merged", "build.complete"])
def test_a_stripped_resource_is_refused_with_advice(event: str) -> None:
    with pytest.raises(BadDelivery, match="Resource details to send"):
        read(event, None)
