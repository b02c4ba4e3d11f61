"""GitLab's events: pushes, merge requests, CI, comments, releases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.hosts.gitlab_samples import (
    GITLAB,
    JSON_BODY,
    ONE,
    TAG_OBJECT,
    TWO,
    ZEROS,
    changed,
    read,
    sample,
    without_missing,
)
from workers.hosts.base import Headers
from workers.releases.event_json import event_json
from workers.releases.events import BadDelivery, RefType

# Pushes


def test_a_push_to_a_branch_is_read() -> None:
    event = read(sample("push_branch"))
    change = event.changes[0]

    assert (event.kind, event.repository, event.repository_id) == ("push", "acme/web/shop", "4711")
    assert (event.actor, event.clone_url) == ("ada", "https://gitlab.example/acme/web/shop.git")
    assert (change.ref, change.before, change.commit) == ("refs/heads/release/2", ONE, TWO)
    assert (change.message, change.timestamp) == ("Count the change\n\nTwice.", "2026-11-02T09:30:05+01:00")


def test_a_push_is_shown_under_the_names_of_the_contract() -> None:
    assert event_json(read(sample("push_branch"))) == {
        "kind": "push",
        "repo": "acme/web/shop",
        "default_branch": "main",
        "pusher": "ada",
        "changes": [
            {
                "ref_type": "branch",
                "name": "release/2",
                "action": "update",
                "before": ONE,
                "after": TWO,
                "commit": TWO,
                "commits_listed": 2,
            }
        ],
    }


def test_a_system_hook_tells_of_a_push_by_its_event_name_alone() -> None:
    assert read(changed("push_branch", object_kind="missing")) == read(sample("push_branch"))


def test_the_signed_body_tells_the_event_and_no_header_does() -> None:
    lying = Headers([*JSON_BODY, ("X-Gitlab-Event", "Release Hook")])

    assert GITLAB.read(lying, sample("push_branch")).kind == "push"


def test_an_annotated_tag_names_the_commit_behind_the_tag_object() -> None:
    change = read(sample("tag_push")).changes[0]

    assert (change.ref_type, change.name, change.action) == (RefType.TAG, "v2.0.0", "create")
    assert (change.before, change.after, change.commit) == (None, TAG_OBJECT, TWO)
    assert change.message == "Count the change"


@pytest.mark.parametrize("name", ["push_branch_deleted", "tag_push"])
def test_a_deletion_has_nothing_to_release(name: str) -> None:
    change = read(changed(name, before=TWO, after=ZEROS, checkout_sha=None, commits=[])).changes[0]

    assert (change.action, change.before, change.after, change.commit) == ("delete", TWO, None, None)
    assert (change.message, change.commits_listed) == (None, 0)


def test_a_tag_of_no_commit_has_nothing_to_release() -> None:
    assert read(changed("tag_push", checkout_sha=None)).changes[0].commit is None


def test_sha256_repositories_have_longer_names_and_zeros() -> None:
    change = read(changed("push_branch", before="0" * 64, after="a" * 64)).changes[0]

    assert (change.action, change.before, change.commit) == ("create", None, "a" * 64)


@pytest.mark.parametrize("commits", [[], None, "missing"])
def test_a_push_without_commits_still_has_its_tip(commits: object) -> None:
    change = read(changed("push_branch", commits=commits)).changes[0]

    assert (change.commit, change.commits_listed, change.message) == (TWO, 0, None)


def test_the_message_is_that_of_the_tip_wherever_it_stands_in_the_list() -> None:
    commits = json.loads(sample("push_branch"))["commits"]

    assert read(changed("push_branch", commits=commits[::-1])).changes[0].message == commits[-1]["message"]
    assert read(changed("push_branch", commits=commits[:1])).changes[0].message is None


@pytest.mark.parametrize(
    ("fields", "actor"),
    [({}, "ada"), ({"user_username": None}, "Ada L."), ({"user_username": "a\0b"}, "ab")],
)
def test_who_pushed_has_an_account_or_at_least_a_name(fields: dict[str, Any], actor: str) -> None:
    assert read(changed("push_branch", **fields)).actor == actor


def test_a_project_that_does_not_tell_its_id_is_known_by_the_one_beside_it() -> None:
    body = json.loads(sample("push_branch"))
    del body["project"]["id"]

    assert read(body | {"project_id": 12}).repository_id == "12"
    assert read(without_missing(body | {"project_id": "missing"})).repository_id is None


@pytest.mark.parametrize("name", ["a/b/c", "fix-#12", "-dash", "über", "heads/main", "a..b"])
def test_names_of_branches_are_kept_whole(name: str) -> None:
    assert read(changed("push_branch", ref=f"refs/heads/{name}")).changes[0].name == name


@pytest.mark.parametrize(
    "ref", ["refs/merge-requests/3/head", "refs/keep-around/1", "refs/heads/", "refs/tags"]
)
def test_refs_that_are_no_branch_and_no_tag_are_other_events(ref: str) -> None:
    assert event_json(read(changed("push_branch", ref=ref))) == {"kind": "other", "repo": "acme/web/shop"}


@pytest.mark.parametrize("field", ["ref", "before", "after", "project"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(BadDelivery, match=f"push delivery cannot be read at {field}: Field required"):
        read(changed("push_branch", **{field: "missing"}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", 7),
        ("ref", "main"),
        ("ref", "refs/heads/a\nb"),
        ("after", "abc"),
        ("after", None),
        ("before", "g" * 40),
        ("checkout_sha", "--upload-pack=x"),
        ("commits", {}),
        ("commits", [{"id": "2222222"}]),
        ("project", []),
        ("project", {"path_with_namespace": "shop"}),
        ("project", {"path_with_namespace": "acme//shop"}),
        ("project", {"path_with_namespace": "/shop"}),
        ("project", {"path_with_namespace": "acme/shop", "id": -1}),
        ("project_id", 2**64),
        ("user_username", 7),
    ],
)
def test_a_field_of_the_wrong_type_is_named_and_its_value_is_not_shown(field: str, value: object) -> None:
    with pytest.raises(BadDelivery, match=f"at {field}") as caught:
        read(changed("push_branch", **{field: value}))
    assert "upload-pack" not in str(caught.value)


# Merge requests


@pytest.mark.parametrize(
    ("action", "oldrev", "draft", "kind"),
    [
        ("open", None, None, "change_opened"),
        ("reopen", None, None, "change_opened"),
        ("update", ONE, None, "change_updated"),
        ("update", None, None, "change_edited"),
        ("update", None, (True, False), "change_opened"),
        ("update", None, (False, True), "change_edited"),
        ("update", ONE, (True, False), "change_updated"),
        ("missing", None, None, "change_edited"),
        ("missing", ONE, None, "change_updated"),
        ("close", None, None, "change_closed"),
        ("merge", None, None, "change_merged"),
        ("approved", None, None, "other"),
        ("unapproval", ONE, None, "other"),
        ("an action of tomorrow", None, None, "other"),
    ],
)
def test_a_merge_request_is_told_by_action_new_commits_and_draft(
    action: str, oldrev: str | None, draft: tuple[bool, bool] | None, kind: str
) -> None:
    changes = {} if draft is None else {"draft": {"previous": draft[0], "current": draft[1]}}
    attributes = {"action": action, "oldrev": oldrev}

    assert read(changed("merge_request", attributes=attributes, changes=changes)).kind == kind


def test_a_merge_request_is_shown_under_the_names_of_the_contract() -> None:
    event = read(sample("merge_request"))

    assert (event.actor, event.repository_id) == ("ada", "4711")
    assert event.facts == {
        "number": 3,
        "head": TWO,
        "head_branch": "till",
        "base_branch": "main",
        "head_repo": "acme/web/shop",
        "from_fork": False,
        "merge_commit": None,
    }


@pytest.mark.parametrize(
    ("source", "source_id", "head_repo"),
    [({"path_with_namespace": "eve/shop"}, 99, "eve/shop"), (None, None, None), (None, 99, None)],
)
def test_a_merge_request_from_another_project_or_one_that_is_gone_comes_from_a_fork(
    source: object, source_id: int | None, head_repo: str | None
) -> None:
    facts = read(
        changed("merge_request", attributes={"source": source, "source_project_id": source_id})
    ).facts

    assert (facts["from_fork"], facts["head_repo"]) == (True, head_repo)


@pytest.mark.parametrize(
    ("merge", "squash", "last", "commit"),
    [
        (ONE, TAG_OBJECT, {"id": TWO}, ONE),
        (None, TAG_OBJECT, {"id": TWO}, TAG_OBJECT),
        (None, None, {"id": TWO}, TWO),
        (None, None, None, None),
    ],
)
def test_what_was_merged_is_the_merge_the_squash_or_the_last_commit(
    merge: str | None, squash: str | None, last: object, commit: str | None
) -> None:
    attributes = {"merge_commit_sha": merge, "squash_commit_sha": squash, "last_commit": last}
    body = changed("merge_request", attributes=attributes | {"action": "merge"})

    assert read(body).facts["merge_commit"] == commit
    body["object_attributes"]["action"] = "close"
    assert read(body).facts["merge_commit"] is None


# CI, comments, deployments, releases


@pytest.mark.parametrize(
    ("status", "kind", "success"),
    [
        ("success", "ci_finished", True),
        ("failed", "ci_finished", False),
        ("canceled", "ci_finished", False),
        ("skipped", "ci_finished", False),
        ("running", "other", None),
        ("manual", "other", None),
        ("SUCCESS", "other", None),
    ],
)
def test_a_pipeline_counts_once_it_is_over(status: str, kind: str, success: bool | None) -> None:
    event = read(changed("pipeline", attributes={"status": status}))

    assert (event.kind, event.facts.get("success")) == (kind, success)


def test_a_pipeline_tells_commit_branch_and_what_started_it() -> None:
    facts = read(sample("pipeline")).facts

    assert facts == {
        "success": True,
        "commit": TWO,
        "branch": "main",
        "is_tag": False,
        "trigger": "push",
        "number": None,
    }


def test_the_pipeline_of_a_tag_names_no_branch_of_the_same_name() -> None:
    facts = read(changed("pipeline", attributes={"tag": True, "ref": "main"})).facts

    assert (facts["branch"], facts["is_tag"], facts["tag"]) == (None, True, "main")


def test_the_pipeline_of_a_merge_request_names_it() -> None:
    facts = read(changed("pipeline", merge_request={"iid": 3})).facts

    assert facts["number"] == 3


@pytest.mark.parametrize(
    ("fields", "success", "branches"),
    [
        ({}, True, ["main"]),
        ({"tag": True, "ref": "v2"}, True, []),
        ({"build_status": "running"}, False, ["main"]),
    ],
)
def test_a_job_is_one_state_of_its_commit(fields: dict[str, Any], success: bool, branches: list[str]) -> None:
    event = read(changed("job", **fields))

    assert (event.kind, event.facts["context"], event.facts["commit"]) == ("ci_status", "unit", TWO)
    assert (event.facts["success"], event.facts["branches"]) == (success, branches)


def test_a_job_of_an_old_gitlab_names_its_project_by_id_only() -> None:
    event = read(changed("job", project="missing"))

    assert (event.repository, event.repository_id) == (None, "4711")


@pytest.mark.parametrize("action", ["create", "update", None])
def test_a_comment_on_a_merge_request_is_read(action: str | None) -> None:
    event = read(changed("note", attributes={"action": action}))

    assert (event.kind, event.facts) == (
        "comment",
        {"action": action, "body": "/release", "number": 3, "on_change": True, "author": "ada"},
    )


@pytest.mark.parametrize(
    ("about", "fields", "number"),
    [("Issue", {"issue": {"iid": 8}}, 8), ("Commit", {}, None), ("Snippet", {}, None)],
)
def test_a_comment_on_anything_else_is_on_no_change(
    about: str, fields: dict[str, Any], number: int | None
) -> None:
    facts = read(changed("note", attributes={"noteable_type": about}, **fields)).facts

    assert (facts["on_change"], facts["number"]) == (False, number)


def test_a_remark_of_gitlab_itself_is_no_comment() -> None:
    assert read(changed("note", attributes={"system": True})).kind == "other"


def test_a_deployment_tells_how_it_stands() -> None:
    event = read(sample("deployment"))

    assert (event.kind, event.facts) == (
        "deployment_status",
        {"state": "success", "environment": "production", "short_sha": "22222222"},
    )


@pytest.mark.parametrize(
    ("action", "kind"),
    [("create", "release_published"), ("update", "release_other"), ("delete", "release_other")],
)
def test_a_release_is_published_when_it_is_made(action: str, kind: str) -> None:
    event = read(changed("release", action=action))

    assert (event.kind, event.facts) == (kind, {"action": action, "tag": "v2.0.0", "commit": TWO})


@pytest.mark.parametrize("name", ["project_rename", "project_transfer"])
def test_a_project_that_was_renamed_or_moved_keeps_its_id(name: str) -> None:
    event = read(changed("project_rename", event_name=name))

    assert (event.kind, event.repository, event.repository_id) == (
        "repository_renamed",
        "acme/web/store",
        "4711",
    )
    assert event.facts == {"old_name": "shop", "old_repo": "acme/web/shop"}


@pytest.mark.parametrize(
    "kind",
    [{"object_kind": "wiki_page"}, {"event_name": "repository_update"}, {"object_kind": "of tomorrow"}, {}],
)
def test_unknown_events_are_other(kind: dict[str, str]) -> None:
    named = kind | {"project": {"path_with_namespace": "acme/shop"}}

    assert event_json(read(named)) == {"kind": "other", "repo": "acme/shop"}
    assert event_json(read(dict[str, Any](kind))) == {"kind": "other"}
