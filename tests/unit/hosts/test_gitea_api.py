"""What Gitea's and Forgejo's answers mean, and what they are told."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.hosts.api_answering import C1, C2, TOKEN, Answers, ok, secret
from workers.errors import Gone, Refused, TryAgain
from workers.flow.ports import GitHost
from workers.hosts.gitea_api import GiteaApi
from workers.releases.origin import (
    Check,
    CheckState,
    Comparison,
    DeploymentReport,
    DeploymentRequest,
    Hook,
    Offer,
    Permission,
    Relation,
    ReportState,
    StatusReport,
)

URL = "https://code.example.com/api/v1"
SHOP = "/api/v1/repos/acme/shop"
REPOSITORY = {
    "id": 77,
    "full_name": "acme/shop",
    "default_branch": "main",
    "private": False,
    "clone_url": "https://code.example.com/acme/shop.git",
}


def gitea() -> tuple[GitHost, Answers]:
    answers = Answers({f"GET {SHOP}": ok(REPOSITORY), "GET /api/v1/repositories/77": ok(REPOSITORY)})
    return GiteaApi(answers.client, URL, secret()), answers


def test_the_token_goes_in_the_way_that_gitea_asks_for() -> None:
    host, answers = gitea()
    answers.written["GET /api/v1/user"] = ok({"login": "bot"})

    assert host.whoami() == "bot"
    assert answers.asked[0].headers["authorization"] == f"token {TOKEN}"


def test_a_repository_asked_for_by_id_is_called_by_the_name_that_it_has_now() -> None:
    host, answers = gitea()
    answers.written[f"GET {SHOP}/branches/main"] = ok({"name": "main", "commit": {"id": C1}})

    assert host.repository("77").full_name == "acme/shop"
    assert host.branch_head("77", "main") == C1


def test_the_slashes_of_a_branch_stay_and_the_rest_is_encoded() -> None:
    host, answers = gitea()
    answers.written[f"GET {SHOP}/branches/feature/x%20%231"] = ok(
        {"name": "feature/x #1", "commit": {"id": C1}}
    )
    answers.written[f"GET {SHOP}/tags/v1"] = ok({"name": "v1", "id": C1, "commit": {"sha": C2}})

    assert host.branch_head("acme/shop", "feature/x #1") == C1
    assert host.tag_commit("acme/shop", "v1") == C2


def test_what_is_not_there_is_none_but_a_missing_repository_is_gone() -> None:
    host, answers = gitea()

    assert host.branch_head("acme/shop", "nope") is None
    assert host.tag_commit("acme/shop", "nope") is None
    assert host.change("acme/shop", 9) is None
    assert host.compare("acme/shop", C1, C2) is None
    assert host.ci_state("acme/shop", C1) == ()
    assert host.permission("acme/shop", "nobody") == Permission.NONE
    answers.written.clear()
    with pytest.raises(Gone):
        host.branch_head("acme/shop", "nope")


def test_branches_are_listed_by_what_the_host_says_of_further_pages() -> None:
    host, answers = gitea()
    first = ok([{"name": "a", "commit": {"id": C1}}], link=f'<{URL}/x?page=2&limit=1>; rel="next"')
    answers.written[f"GET {SHOP}/branches?limit=50&page=1"] = first
    last = ok([{"name": "b", "commit": {"id": C2}}], link=f'<{URL}/x?page=1>; rel="first"')
    answers.written[f"GET {SHOP}/branches?limit=50&page=2"] = last

    found = host.branch_heads("acme/shop")

    assert (dict(found.heads), found.complete) == ({"a": C1, "b": C2}, True)


def test_a_commit_tells_its_message_without_what_is_dear_to_make() -> None:
    host, answers = gitea()
    call = f"GET {SHOP}/git/commits/{C1}?stat=false&verification=false&files=false"
    answers.written[call] = ok({"sha": C1, "commit": {"message": "Mend it"}})

    assert host.message("acme/shop", C1) == "Mend it"


@pytest.mark.parametrize(
    ("ahead", "behind", "relation"),
    [
        (0, 0, Relation.IDENTICAL),
        (1, 0, Relation.AHEAD),
        (0, 2, Relation.BEHIND),
        (1, 2, Relation.DIVERGED),
    ],
)
def test_two_commits_are_compared_by_asking_both_ways(ahead: int, behind: int, relation: Relation) -> None:
    host, answers = gitea()
    commit = {"files": [{"filename": "a.py", "status": "modified"}]}
    for sides, total in ((f"{C1}...{C2}", ahead), (f"{C2}...{C1}", behind)):
        answers.written[f"GET {SHOP}/compare/{sides}"] = ok(
            {"total_commits": total, "commits": [commit] * total}
        )

    assert host.compare("acme/shop", C1, C2) == Comparison(relation, ("a.py",) * bool(ahead), complete=True)


@pytest.mark.parametrize("commits", [[], None, [{"files": None}]])
def test_a_comparison_whose_files_are_not_all_told_is_not_complete(commits: object) -> None:
    host, answers = gitea()
    for sides in (f"{C1}...{C2}", f"{C2}...{C1}"):
        answers.written[f"GET {SHOP}/compare/{sides}"] = ok({"total_commits": 1, "commits": commits})

    found = host.compare("acme/shop", C1, C2)

    assert found is not None
    assert not found.complete


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("owner", Permission.ADMIN),
        ("write", Permission.WRITE),
        ("read", Permission.READ),
        ("?", Permission.NONE),
    ],
)
def test_the_rights_of_a_user_are_known(said: str, right: Permission) -> None:
    host, answers = gitea()
    answers.written[f"GET {SHOP}/collaborators/mona/permission"] = ok({"permission": said})

    assert host.permission("acme/shop", "mona") == right


def test_the_newest_status_of_every_context_counts() -> None:
    host, answers = gitea()
    listed = [
        {"context": "ci / test", "status": "success"},
        {"context": "ci / lint", "status": "warning"},
        {"context": "ci / slow", "status": "pending"},
        {"context": "ci / bad", "status": "error"},
    ]
    answers.written[f"GET {SHOP}/commits/{C1}/status?limit=50&page=1"] = ok(
        {"state": "failure", "statuses": listed}
    )

    assert host.ci_state("acme/shop", C1) == (
        Check("ci / test", CheckState.SUCCESS),
        Check("ci / lint", CheckState.NEUTRAL),
        Check("ci / slow", CheckState.PENDING),
        Check("ci / bad", CheckState.FAILURE),
    )


def test_a_status_is_reported_and_one_for_an_unknown_commit_may_be_tried_again() -> None:
    host, answers = gitea()
    answers.written[f"POST {SHOP}/statuses/{C1}"] = ok({"id": 1}, 201)
    report = StatusReport(ReportState.CANCELED, "deploy", "taken back")

    host.report_status("acme/shop", C1, report)

    assert answers.asked[-1].body == {"state": "error", "context": "deploy", "description": "taken back"}
    with pytest.raises(TryAgain):
        host.report_status("acme/shop", C2, report)


def test_a_comment_is_written_and_edited() -> None:
    host, answers = gitea()
    answers.written[f"POST {SHOP}/issues/5/comments"] = ok({"id": 31}, 201)
    answers.written[f"PATCH {SHOP}/issues/comments/31"] = ok({"id": 31})

    host.edit_comment("acme/shop", 5, host.comment("acme/shop", 5, "live"), "taken back")

    assert [each.body for each in answers.asked] == [{"body": "live"}, {"body": "taken back"}]


def test_hooks_are_listed() -> None:
    host, answers = gitea()
    hook = {"id": 9, "active": False, "config": {"url": "https://bot.example.com/webhooks/gitea"}}
    answers.written[f"GET {SHOP}/hooks?limit=50&page=1"] = ok([hook])

    assert host.hooks("acme/shop") == [Hook("9", "https://bot.example.com/webhooks/gitea", active=False)]


def test_what_gitea_has_no_api_for_is_refused_without_a_call() -> None:
    host, answers = gitea()

    assert not {Offer.DEPLOYMENTS, Offer.DELIVERIES} & host.offers
    with pytest.raises(Refused, match="gitea has no API for deployments"):
        host.create_deployment("acme/shop", DeploymentRequest(C1, "main", "production"))
    with pytest.raises(Refused, match="no API for deployments"):
        host.update_deployment("acme/shop", "1", DeploymentReport(ReportState.SUCCESS))
    with pytest.raises(Refused, match="no API for log of deliveries"):
        host.deliveries("acme/shop", "9", 0)
    with pytest.raises(Refused, match="no API for log of deliveries"):
        host.redeliver("acme/shop", "9", "1")
    assert answers.asked == []


def test_a_renamed_repository_is_read_where_the_host_leads_to() -> None:
    host, answers = gitea()
    moved = httpx.Response(307, headers={"location": "/api/v1/repos/acme/shop"})
    answers.written["GET /api/v1/repos/acme/old"] = moved

    assert host.repository("acme/old").full_name == "acme/shop"
