"""What GitLab is told, and its log of deliveries."""

from __future__ import annotations

import pytest

from tests.unit.hosts.api_answering import C1, Answers, ok, secret
from workers.errors import Gone, Refused, TryAgain
from workers.flow.ports import GitHost
from workers.hosts.gitlab_api import GitLabApi
from workers.releases.origin import (
    DeploymentReport,
    DeploymentRequest,
    Hook,
    HostDelivery,
    ReportState,
    StatusReport,
)

URL = "https://gitlab.com"
NAME = "acme/web/shop"
SHOP = "/api/v4/projects/acme%2Fweb%2Fshop"
NOON = 1795262400.0


def gitlab() -> tuple[GitHost, Answers]:
    answers = Answers()
    return GitLabApi(answers.client, None, secret()), answers


REPORT = StatusReport(ReportState.FAILURE, "deploy/shop", "it did not answer", "https://bot.example.com/1")


def test_a_status_is_reported_in_gitlabs_words() -> None:
    host, answers = gitlab()
    answers.written[f"POST {SHOP}/statuses/{C1}"] = ok({"id": 1}, 201)

    host.report_status(NAME, C1, REPORT)

    assert answers.asked[-1].body == {
        "state": "failed",
        "name": "deploy/shop",
        "description": "it did not answer",
        "target_url": "https://bot.example.com/1",
    }


def test_a_status_that_stands_already_is_reported_well() -> None:
    host, answers = gitlab()
    said = {
        "message": "Cannot transition status via :run from :running (Reason(s): Status cannot transition)"
    }
    answers.written[f"POST {SHOP}/statuses/{C1}"] = ok(said, 400)

    host.report_status(NAME, C1, REPORT)


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (404, "404 Commit Not Found", TryAgain),
        (404, "404 Project Not Found", Gone),
        (400, "state does not have a valid value", Refused),
        (403, "403 Forbidden", Refused),
    ],
)
def test_a_status_that_gitlab_does_not_take_says_why(status: int, said: str, error: type[Exception]) -> None:
    host, answers = gitlab()
    answers.written[f"POST {SHOP}/statuses/{C1}"] = ok({"message": said}, status)

    with pytest.raises(error):
        host.report_status(NAME, C1, REPORT)


def test_a_deployment_is_announced_as_running_and_then_moved() -> None:
    host, answers = gitlab()
    answers.written[f"POST {SHOP}/deployments"] = ok({"id": 12}, 201)
    answers.written[f"PUT {SHOP}/deployments/12"] = ok({"id": 12})

    made = host.create_deployment(NAME, DeploymentRequest(C1, "main", "production"))
    host.update_deployment(NAME, made, DeploymentReport(ReportState.SUCCESS))

    assert [each.body for each in answers.asked] == [
        {"environment": "production", "sha": C1, "ref": "main", "tag": False, "status": "running"},
        {"status": "success"},
    ]


@pytest.mark.parametrize(("stands", "refused"), [("success", False), ("failed", True)])
def test_a_deployment_that_stands_so_already_is_no_error(stands: str, refused: bool) -> None:
    host, answers = gitlab()
    answers.written[f"PUT {SHOP}/deployments/12"] = ok({"message": {"status": ["is wrong"]}}, 400)
    answers.written[f"GET {SHOP}/deployments/12"] = ok({"id": 12, "status": stands})
    report = DeploymentReport(ReportState.SUCCESS)

    if refused:
        with pytest.raises(Refused, match="is wrong"):
            host.update_deployment(NAME, "12", report)
    else:
        host.update_deployment(NAME, "12", report)


def test_a_note_is_written_and_edited_by_its_id() -> None:
    host, answers = gitlab()
    answers.written[f"POST {SHOP}/merge_requests/5/notes"] = ok({"id": 31}, 201)
    answers.written[f"PUT {SHOP}/merge_requests/5/notes/31"] = ok({"id": 31})

    made = host.comment(NAME, 5, "live")
    host.edit_comment(NAME, 5, made, "taken back")

    assert [each.body for each in answers.asked] == [{"body": "live"}, {"body": "taken back"}]


def entry(number: int, **more: object) -> dict[str, object]:
    sent = {"Idempotency-Key": f"key-{number}", "X-Gitlab-Event": "Push Hook"}
    return {"id": number, "trigger": "push_hooks", "request_headers": sent, "response_status": "200", **more}


def test_the_log_of_deliveries_is_read_back_to_the_moment_that_was_asked_for() -> None:
    host, answers = gitlab()
    log = f"GET {SHOP}/hooks/9/events?per_page=20"
    newest = [
        entry(41 - n, created_at=f"2026-11-21T12:00:{59 - n}.000Z", response_status="500") for n in range(20)
    ]
    older = [
        entry(21, response_headers={"Date": "Sat, 21 Nov 2026 12:00:05 GMT"}),
        entry(20, created_at="2026-11-21T11:59:59.000Z"),
        entry(19, response_status="internal error"),
    ]
    answers.written[f"{log}&page=1"] = ok(newest)
    answers.written[f"{log}&page=2"] = ok(older)

    found = host.deliveries(NAME, "9", NOON)

    assert len(found) == 22
    assert found[0] == HostDelivery("41", "key-41", "Push Hook", NOON + 59, ok=False)
    assert found[-2:] == [
        HostDelivery("21", "key-21", "Push Hook", NOON + 5, ok=True),
        HostDelivery("19", "key-19", "Push Hook", None, ok=False),
    ]
    assert len(answers.asked) == 2


def test_a_delivery_is_sent_again_by_its_id_in_the_log() -> None:
    host, answers = gitlab()
    answers.written[f"POST {SHOP}/hooks/9/events/21/resend"] = ok({"response_status": 200}, 201)

    host.redeliver(NAME, "9", "21")

    assert answers.asked[-1].method == "POST"


def test_a_hook_that_gitlab_switched_off_is_listed_as_not_active() -> None:
    host, answers = gitlab()
    address = "https://bot.example.com/webhooks/gitlab"
    listed = [
        {"id": 9, "url": address, "alert_status": "executable"},
        {"id": 10, "url": address, "alert_status": "disabled"},
        {"id": 11, "url": address},
    ]
    answers.written[f"GET {SHOP}/hooks?per_page=100&page=1"] = ok(listed)

    assert host.hooks(NAME) == [
        Hook("9", address, active=True),
        Hook("10", address, active=False),
        Hook("11", address, active=True),
    ]
