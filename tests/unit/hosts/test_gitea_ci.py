"""Gitea and Forgejo: commit statuses and runs of their Actions, written by hand from manuals and code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.hosts.gitea_samples import COMMIT, FORGEJO, GITEA, SHOP, TWO, read
from workers.releases.event_json import event_json
from workers.releases.events import Event


@pytest.mark.parametrize(
    ("state", "success"), [("success", True), ("warning", False), ("failure", False), ("skipped", False)]
)
def test_a_commit_status_is_read(state: str, success: bool) -> None:
    body = {"state": state, "sha": TWO, "context": "ci/lint", "commit": COMMIT}
    event = read(GITEA, "status", body)

    assert event.kind == "ci_status"
    assert event.facts == {"state": state, "success": success, "commit": TWO, "context": "ci/lint"}


def workflow_run(action: str = "completed", **changes: Any) -> Event:
    run = {
        "conclusion": "success",
        "head_sha": TWO,
        "head_branch": "main",
        "path": "ci.yaml@refs/heads/main",
        "event": "push",
    }
    body = {"action": action, "workflow": {"name": "All checks"}, "workflow_run": run | changes}
    return read(GITEA, "workflow_run", body)


def test_a_finished_workflow_is_read() -> None:
    assert workflow_run().facts == {
        "success": True,
        "commit": TWO,
        "branch": "main",
        "trigger": "push",
        "name": "All checks",
        "workflow": "ci.yaml",
    }


@pytest.mark.parametrize("conclusion", ["failure", "skipped", "cancelled", "", None])
def test_only_the_word_success_is_success(conclusion: str | None) -> None:
    assert workflow_run(conclusion=conclusion).facts["success"] is False


@pytest.mark.parametrize("action", ["requested", "in_progress"])
def test_workflows_that_are_not_over_are_other(action: str) -> None:
    assert workflow_run(action).kind == "other"


@pytest.mark.parametrize(
    ("path", "short", "branch"),
    [
        ("ci.yaml@refs/heads/a@b", "", "a@b"),
        ("ci.yaml@refs/tags/main", "main", None),
        ("ci.yaml@refs/pull/3/head", "#3", None),
        ("ci.yaml", "main", "main"),
        ("ci.yaml", "#3", None),
        ("", None, None),
    ],
)
def test_the_branch_of_a_workflow_is_no_tag_and_no_pull_request(
    path: str, short: str | None, branch: str | None
) -> None:
    assert workflow_run(path=path, head_branch=short).facts["branch"] == branch


def action_run(event: str = "action_run_success", **changes: Any) -> Event:
    run = {
        "status": "success",
        "commit_sha": TWO,
        "prettyref": "main",
        "trigger_event": "push",
        "event_payload": json.dumps({"ref": "refs/heads/main"}),
        "is_fork_pull_request": False,
        "workflow_id": "ci.yaml",
        "repository": SHOP,
        "trigger_user": {"login": "ada"},
    }
    body = {"action": "success", "prior_status": "running", "run": run | changes, "repository": "missing"}
    return read(FORGEJO, event, body)


@pytest.mark.parametrize("event", ["action_run_success", "action_run_recover"])
def test_a_finished_action_names_its_repository_inside(event: str) -> None:
    found = action_run(event)

    assert (found.kind, found.repository_id, found.actor) == ("ci_finished", "7", "ada")
    assert event_json(found) == {
        "kind": "ci_finished",
        "repo": "acme/shop",
        "success": True,
        "commit": TWO,
        "branch": "main",
        "trigger": "push",
        "from_fork": False,
        "workflow": "ci.yaml",
    }


def test_a_failed_action_is_no_success() -> None:
    assert action_run("action_run_failure", status="failure").facts["success"] is False


@pytest.mark.parametrize(
    ("payload", "short", "branch"),
    [
        ('{"ref": "refs/tags/main"}', "main", None),
        ('{"ref": "refs/heads/#3"}', "#3", "#3"),
        ("not json", "main", "main"),
        ("", "#3", None),
    ],
)
def test_the_branch_of_an_action_is_no_tag_of_that_name(payload: str, short: str, branch: str | None) -> None:
    assert action_run(event_payload=payload, prettyref=short).facts["branch"] == branch


def test_an_action_for_a_pull_request_of_a_fork_has_no_branch() -> None:
    facts = action_run(trigger_event="pull_request", prettyref="#3", is_fork_pull_request=True).facts

    assert (facts["branch"], facts["trigger"], facts["from_fork"]) == (None, "pull_request", True)
