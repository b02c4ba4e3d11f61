"""What GitHub is told, and its log of deliveries."""

from __future__ import annotations

import pytest

from tests.unit.hosts.api_answering import C1, Answers, ok, secret
from workers.errors import Gone, Refused, TryAgain
from workers.flow.ports import GitHost
from workers.hosts.github_api import GitHubApi
from workers.releases.origin import (
    DeploymentReport,
    DeploymentRequest,
    Hook,
    HostDelivery,
    ReportState,
    StatusReport,
)

SHOP = "/repos/acme/shop"
URL = "https://api.github.com"


def github() -> tuple[GitHost, Answers]:
    answers = Answers()
    return GitHubApi(answers.client, None, secret()), answers


def test_a_status_is_reported_in_githubs_words_and_length() -> None:
    host, answers = github()
    answers.written[f"POST {SHOP}/statuses/{C1}"] = ok({"id": 1}, 201)

    host.report_status("acme/shop", C1, StatusReport(ReportState.RUNNING, "deploy/shop", "x" * 200))

    assert answers.asked[-1].body == {
        "state": "pending",
        "context": "deploy/shop",
        "description": "x" * 140,
    }


def test_a_status_for_a_commit_that_is_not_visible_yet_may_be_tried_again() -> None:
    host, answers = github()
    target = f"POST {SHOP}/statuses/{C1}"
    report = StatusReport(ReportState.SUCCESS, "deploy/shop", "", "https://bot.example.com/1")

    answers.written[target] = ok({"message": f"No commit found for SHA: {C1}"}, 422)
    with pytest.raises(TryAgain):
        host.report_status("acme/shop", C1, report)
    answers.written[target] = ok({"message": "Validation Failed"}, 422)
    with pytest.raises(Refused, match="Validation Failed"):
        host.report_status("acme/shop", C1, report)


def test_a_deployment_is_announced_without_merging_or_waiting_and_then_moved() -> None:
    host, answers = github()
    answers.written[f"POST {SHOP}/deployments"] = ok({"id": 12}, 201)
    answers.written[f"POST {SHOP}/deployments/12/statuses"] = ok({"id": 1}, 201)

    made = host.create_deployment("acme/shop", DeploymentRequest(C1, "main", "production"))
    host.update_deployment(
        "acme/shop", made, DeploymentReport(ReportState.SUCCESS, environment_url="https://shop.example.com")
    )

    asked, told = (each.body for each in answers.asked)
    assert (asked["ref"], asked["auto_merge"], asked["required_contexts"]) == (C1, False, [])
    assert (told["state"], told["environment_url"]) == ("success", "https://shop.example.com")


def test_a_deployment_that_github_answers_with_a_merge_instead_is_not_taken_for_one() -> None:
    host, answers = github()
    answers.written[f"POST {SHOP}/deployments"] = ok({"message": "Auto-merged main into topic"}, 202)

    with pytest.raises(TryAgain):
        host.create_deployment("acme/shop", DeploymentRequest(C1, "main", "production"))


def test_a_comment_is_written_and_edited_by_its_id() -> None:
    host, answers = github()
    answers.written[f"POST {SHOP}/issues/5/comments"] = ok({"id": 31}, 201)
    answers.written[f"PATCH {SHOP}/issues/comments/31"] = ok({"id": 31})

    made = host.comment("acme/shop", 5, "live")
    host.edit_comment("acme/shop", 5, made, "taken back")

    assert [each.body for each in answers.asked] == [{"body": "live"}, {"body": "taken back"}]
    with pytest.raises(Gone):
        host.edit_comment("acme/shop", 5, "32", "late")


def entry(number: int, at: str, code: int = 200) -> dict[str, object]:
    return {"id": number, "guid": f"g{number}", "delivered_at": at, "status_code": code, "event": "push"}


def test_the_log_of_deliveries_is_read_back_to_the_moment_that_was_asked_for() -> None:
    host, answers = github()
    first = [entry(3, "2026-11-21T12:00:30Z", 502), entry(2, "2026-11-21T12:00:10Z")]
    log = f"GET {SHOP}/hooks/9/deliveries?per_page=100"
    answers.written[log] = ok(first, link=f'<{URL}{SHOP}/hooks/9/deliveries?cursor=v1_2>; rel="next"')
    answers.written[f"{log}&cursor=v1_2"] = ok(
        [entry(1, "2026-11-21T11:00:00Z")], link=f'<{URL}/x?cursor=v1_1>; rel="next"'
    )
    noon = 1795262400.0

    assert host.deliveries("acme/shop", "9", noon) == [
        HostDelivery("3", "g3", "push", noon + 30, ok=False),
        HostDelivery("2", "g2", "push", noon + 10, ok=True),
    ]
    assert len(answers.asked) == 2


def test_a_delivery_is_sent_again_by_its_id_in_the_log() -> None:
    host, answers = github()
    answers.written[f"POST {SHOP}/hooks/9/deliveries/3/attempts"] = ok({}, 202)

    host.redeliver("acme/shop", "9", "3")

    assert answers.asked[-1].body is None
    with pytest.raises(Gone):
        host.redeliver("acme/shop", "9", "4")


def test_hooks_are_listed_with_their_addresses() -> None:
    host, answers = github()
    hook = {"id": 9, "active": True, "config": {"url": "https://bot.example.com/webhooks/github"}}
    answers.written[f"GET {SHOP}/hooks?per_page=100&page=1"] = ok([hook])

    assert host.hooks("acme/shop") == [Hook("9", "https://bot.example.com/webhooks/github", active=True)]
