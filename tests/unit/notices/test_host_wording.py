"""What a Git host is told of a release, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.projects import ProjectSettings
from workers.notices.host_wording import (
    deployment_report,
    deployment_request,
    deployment_state,
    digest_of,
    line_of,
    page_of,
    status_of,
)
from workers.releases.model import Release, Trigger
from workers.releases.origin import ReportState
from workers.releases.status import Status


def release(status: Status, **changes: Any) -> Release:
    facts: dict[str, Any] = {
        "id": "01abc",
        "number": 7,
        "project": "shop",
        "lane": "shop@shop.example.com",
        "flow": "zero-downtime",
        "commit": "a" * 40,
        "ref": "refs/heads/release/2",
        "git_url": "https://git.example.com/acme/shop.git",
        "reason": "because",
        "step": "test",
        "trigger": Trigger("push"),
        "config": "c",
        "order": 1,
        "created_at": 0.0,
    }
    return Release(status=status, **facts | changes)


def project(**changes: Any) -> ProjectSettings:
    facts = {
        "name": "shop",
        "host": "github",
        "repository": "acme/shop",
        "target": {"platform": "codesphere", "team": 1, "plan": 8, "domain": "shop.example.com"},
    }
    return ProjectSettings.model_validate(facts | changes)


@pytest.mark.parametrize(
    ("status", "state", "deployment", "line"),
    [
        (Status.QUEUED, "pending", None, "Release #7 is queued"),
        (Status.RUNNING, "running", "running", "Release #7: test"),
        (Status.WAITING, "pending", "running", "Release #7 waits for test"),
        (Status.LIVE, "success", "success", "Release #7 went live"),
        (Status.REPLACED, "success", "inactive", "Release #7 went live"),
        (Status.FAILED, "failure", "failure", "Release #7 failed at test: because"),
        (Status.ROLLED_BACK, "failure", "failure", "Release #7 was rolled back: because"),
        (Status.CANCELLED, "canceled", "canceled", "Release #7 was cancelled: because"),
        (Status.SUPERSEDED, "canceled", "canceled", "Release #7 was superseded: because"),
    ],
)
def test_every_status_has_its_state_and_its_line(
    status: Status, state: str, deployment: str | None, line: str
) -> None:
    made = release(status)
    report = status_of(made, None)

    assert (report.state, report.context, report.description) == (state, "switchover/shop", line)
    assert deployment_state(made) == deployment


@given(st.text(max_size=400), st.sampled_from(list(Status)))
def test_whatever_the_reason_it_is_one_short_line(reason: str, status: Status) -> None:
    line = line_of(release(status, reason=reason))

    assert len(line) <= 140
    assert len(line.splitlines()) == 1


def test_going_on_within_a_step_is_no_news_and_the_next_step_is() -> None:
    waiting = status_of(release(Status.RUNNING, waiting_for="the stage"), None)
    later = status_of(release(Status.RUNNING, waiting_for="another look", attempt=2), None)
    following = status_of(release(Status.RUNNING, step="run"), None)

    assert digest_of(waiting) == digest_of(later) != digest_of(following)


@pytest.mark.parametrize(
    ("ref", "name", "tag"),
    [
        ("refs/heads/release/2", "release/2", False),
        ("refs/tags/v1", "v1", True),
        (None, "a" * 40, False),
    ],
)
def test_a_deployment_names_its_ref_as_people_do(ref: str | None, name: str, tag: bool) -> None:
    request = deployment_request(release(Status.RUNNING, ref=ref), project(report={"environment": "staging"}))

    assert (request.ref, request.tag, request.commit) == (name, tag, "a" * 40)
    assert request.environment == "staging"


def test_the_descriptions_of_two_releases_differ() -> None:
    one = deployment_request(release(Status.RUNNING), project())
    other = deployment_request(release(Status.RUNNING, id="01abd"), project())

    assert one.description != other.description


def test_a_report_leads_to_the_release_and_to_production() -> None:
    made = release(Status.LIVE)
    page = page_of(made, "https://release.example.com")
    report = deployment_report(made, project(), ReportState.SUCCESS, page)

    assert report.log_url == page == "https://release.example.com/#release-01abc"
    assert report.environment_url == "https://shop.example.com"
    assert page_of(made, None) is None


def test_without_a_token_of_its_host_or_a_kind_of_report_a_project_reports_nothing() -> None:
    nothing = {"status": False, "deployment": False}

    assert project(host_has_token=True).reports
    assert not project().reports
    assert not project(host_has_token=True, report=nothing).reports
