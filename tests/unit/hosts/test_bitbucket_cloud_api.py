"""What Bitbucket Cloud's answers mean, and what it is told."""

from __future__ import annotations

import pytest

from tests.unit.hosts.api_answering import C1, C2, C3, Answers, ok, secret
from workers.errors import Gone, Refused, TryAgain
from workers.flow.ports import GitHost
from workers.hosts.bitbucket_cloud_api import BitbucketCloudApi, status_key
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
    RepositoryFacts,
    StatusReport,
)

UUID = "{11111111-2222-3333-4444-555555555555}"
FORK = "{66666666-2222-3333-4444-555555555555}"
MONA = "{aaaaaaaa-2222-3333-4444-555555555555}"
SHOP = "/2.0/repositories/acme/shop"
BY_UUID = f"/2.0/repositories/%7B%7D/%7B{UUID[1:-1]}%7D"
REPOSITORY = {
    "uuid": UUID,
    "full_name": "acme/shop",
    "is_private": True,
    "mainbranch": {"name": "main", "type": "branch"},
    "links": {
        "clone": [
            {"name": "ssh", "href": "git@bitbucket.org:acme/shop.git"},
            {"name": "https", "href": "https://mona@bitbucket.org/acme/shop.git"},
        ]
    },
}
REPORT = StatusReport(ReportState.SUCCESS, "deploy/shop", "live", "https://bot.example.com/1")


def bitbucket() -> tuple[GitHost, Answers]:
    answers = Answers({f"GET {SHOP}": ok(REPOSITORY), f"GET {BY_UUID}": ok(REPOSITORY)})
    return BitbucketCloudApi(answers.client, None, secret()), answers


@pytest.mark.parametrize("name", ["acme/shop", UUID, UUID[1:-1]])
def test_a_repository_is_read_by_name_and_by_uuid_without_the_user_in_its_address(name: str) -> None:
    assert bitbucket()[0].repository(name) == RepositoryFacts(
        UUID, "acme/shop", "main", True, "https://bitbucket.org/acme/shop.git"
    )


@pytest.mark.parametrize("name", ["shop", "77", "acme/", "acme/shop/more", ""])
def test_what_cannot_be_a_repository_is_refused_without_a_call(name: str) -> None:
    host, answers = bitbucket()

    with pytest.raises(Refused, match="workspace/repository"):
        host.repository(name)
    assert answers.asked == []


def test_branches_and_tags_are_read() -> None:
    host, answers = bitbucket()
    answers.written[f"GET {SHOP}/refs/branches/feature/x%20%231"] = ok(
        {"name": "feature/x #1", "target": {"hash": C1}}
    )
    answers.written[f"GET {SHOP}/refs/tags/v1"] = ok({"name": "v1", "target": {"hash": C2}})

    assert host.branch_head("acme/shop", "feature/x #1") == C1
    assert host.tag_commit("acme/shop", "v1") == C2


def test_what_is_not_there_is_none_but_a_missing_repository_is_gone() -> None:
    host, answers = bitbucket()

    assert host.branch_head("acme/shop", "nope") is None
    assert host.tag_commit("acme/shop", "nope") is None
    assert host.change("acme/shop", 9) is None
    assert host.compare("acme/shop", C1, C2) is None
    assert host.compare("acme/shop", C1, C2[:12]) is None
    assert host.ci_state("acme/shop", C1) == ()
    answers.written.clear()
    with pytest.raises(Gone):
        host.branch_head("acme/shop", "nope")


def test_branches_are_listed_for_as_long_as_a_next_page_is_named() -> None:
    host, answers = bitbucket()
    listed = f"GET {SHOP}/refs/branches?pagelen=100&page="
    answers.written[f"{listed}1"] = ok(
        {"values": [{"name": "a", "target": {"hash": C1}}], "next": "https://api.bitbucket.org/2.0/x?page=2"}
    )
    answers.written[f"{listed}2"] = ok({"values": [{"name": "b", "target": {"hash": C2}}]})

    found = host.branch_heads("acme/shop")

    assert (dict(found.heads), found.complete) == ({"a": C1, "b": C2}, True)


def test_a_commit_tells_its_message() -> None:
    host, answers = bitbucket()
    answers.written[f"GET {SHOP}/commit/{C1}"] = ok({"hash": C1, "message": "Mend it"})

    assert host.message("acme/shop", C1) == "Mend it"


@pytest.mark.parametrize(("parted", "relation"), [(C1, Relation.AHEAD), (C3, Relation.DIVERGED)])
def test_a_comparison_tells_what_changed_since_the_two_parted(parted: str, relation: Relation) -> None:
    host, answers = bitbucket()
    files = [
        {"old": {"path": "a.py"}, "new": {"path": "b.py"}},
        {"old": None, "new": {"path": "c.py"}},
        {"old": {"path": "d.py"}, "new": None},
    ]
    answers.written[f"GET {SHOP}/merge-base/{C1}..{C2}"] = ok({"hash": parted})
    stat = f"GET {SHOP}/diffstat/{C2}..{parted}?topic=false&pagelen=100&page=1"
    answers.written[stat] = ok({"values": files})

    assert host.compare("acme/shop", C1, C2) == Comparison(
        relation, ("a.py", "b.py", "c.py", "d.py"), complete=True
    )


def test_a_commit_that_is_behind_or_the_same_changed_nothing() -> None:
    host, answers = bitbucket()
    answers.written[f"GET {SHOP}/merge-base/{C1}..{C2}"] = ok({"hash": C2})
    answers.written[f"GET {SHOP}/merge-base/{C1}..{C1}"] = ok({"hash": C1})

    assert host.compare("acme/shop", C1, C2) == Comparison(Relation.BEHIND, (), complete=True)
    assert host.compare("acme/shop", C1, C1) == Comparison(Relation.IDENTICAL, (), complete=True)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("admin", Permission.ADMIN),
        ("write", Permission.WRITE),
        ("read", Permission.READ),
        ("?", Permission.NONE),
    ],
)
def test_the_rights_of_a_user_are_asked_for_by_uuid(said: str, right: Permission) -> None:
    host, answers = bitbucket()
    query = f"q=user.uuid%3D%22%7B{MONA[1:-1]}%7D%22&pagelen=100&page=1"
    other = {"permission": "admin", "user": {"display_name": "Other", "uuid": FORK}}
    mona = {"permission": said, "user": {"display_name": "Mona", "uuid": MONA}}
    answers.written[f"GET /2.0/workspaces/acme/permissions/repositories/shop?{query}"] = ok(
        {"values": [other, mona]}
    )

    assert host.permission("acme/shop", MONA) == right


@pytest.mark.parametrize("user", ["Mona", "", '{x}" OR user.uuid!="'])
def test_a_name_that_anybody_could_choose_has_no_rights(user: str) -> None:
    host, answers = bitbucket()

    assert host.permission("acme/shop", user) == Permission.NONE
    assert answers.asked == []


def pull(state: str = "OPEN", source: str | None = UUID) -> dict[str, object]:
    return {
        "id": 5,
        "state": state,
        "source": {
            "branch": {"name": "topic"},
            "commit": {"hash": C1[:12]},
            "repository": None if source is None else {"uuid": source},
        },
        "destination": {
            "branch": {"name": "main"},
            "commit": {"hash": C2[:12]},
            "repository": {"uuid": UUID},
        },
        "author": {"display_name": "Mona", "uuid": MONA},
    }


@pytest.mark.parametrize(
    ("source", "asked", "from_fork"),
    [(UUID, BY_UUID, False), (FORK, BY_UUID.replace("11111111", "66666666"), True), (None, SHOP, True)],
)
def test_an_open_pull_request_tells_the_whole_hash_of_its_head(
    source: str | None, asked: str, from_fork: bool
) -> None:
    host, answers = bitbucket()
    answers.written[f"GET {SHOP}/pullrequests/5"] = ok(pull(source=source))
    answers.written[f"GET {asked}/commit/{C1[:12]}"] = ok({"hash": C1})

    found = host.change("acme/shop", 5)

    assert found is not None
    assert (found.head, found.head_branch, found.base_branch, found.author) == (C1, "topic", "main", MONA)
    assert found.from_fork is from_fork


@pytest.mark.parametrize("state", ["MERGED", "DECLINED", "SUPERSEDED"])
def test_a_pull_request_that_is_over_is_no_open_change(state: str) -> None:
    host, answers = bitbucket()
    answers.written[f"GET {SHOP}/pullrequests/5"] = ok(pull(state))

    assert host.change("acme/shop", 5) is None


def test_build_statuses_are_the_checks() -> None:
    host, answers = bitbucket()
    states = {"ok": "SUCCESSFUL", "on": "INPROGRESS", "bad": "FAILED", "off": "STOPPED"}
    listed = [{"key": key, "state": state, "name": None} for key, state in states.items()]
    answers.written[f"GET {SHOP}/commit/{C1}/statuses?pagelen=100&page=1"] = ok({"values": listed})

    assert host.ci_state("acme/shop", C1) == (
        Check("ok", CheckState.SUCCESS),
        Check("on", CheckState.PENDING),
        Check("bad", CheckState.FAILURE),
        Check("off", CheckState.FAILURE),
    )


def test_a_status_is_reported_under_a_key_that_bitbucket_takes() -> None:
    host, answers = bitbucket()
    answers.written[f"POST {SHOP}/commit/{C1}/statuses/build"] = ok({}, 201)

    host.report_status("acme/shop", C1, REPORT)

    assert answers.asked[-1].body == {
        "key": "deploy/shop",
        "name": "deploy/shop",
        "state": "SUCCESSFUL",
        "url": "https://bot.example.com/1",
        "description": "live",
    }
    assert len(status_key("x" * 41)) == 40
    assert status_key("x" * 41) != status_key("x" * 42)
    with pytest.raises(TryAgain):
        host.report_status("acme/shop", C2, REPORT)


def test_a_status_without_an_address_is_refused_before_bitbucket_does() -> None:
    host, answers = bitbucket()

    with pytest.raises(Refused, match="target_url"):
        host.report_status("acme/shop", C1, StatusReport(ReportState.PENDING, "deploy", ""))
    assert answers.asked == []


def test_a_comment_is_written_and_edited() -> None:
    host, answers = bitbucket()
    answers.written[f"POST {SHOP}/pullrequests/5/comments"] = ok({"id": 31}, 201)
    answers.written[f"PUT {SHOP}/pullrequests/5/comments/31"] = ok({"id": 31})

    host.edit_comment("acme/shop", 5, host.comment("acme/shop", 5, "live"), "taken back")

    assert [each.body for each in answers.asked] == [
        {"content": {"raw": "live"}},
        {"content": {"raw": "taken back"}},
    ]


def test_hooks_are_listed_and_the_token_tells_whose_it_is() -> None:
    host, answers = bitbucket()
    hook = {"uuid": FORK, "url": "https://bot.example.com/webhooks/bitbucket", "active": True}
    answers.written[f"GET {SHOP}/hooks?pagelen=100&page=1"] = ok({"values": [hook]})
    answers.written["GET /2.0/user"] = ok({"display_name": "The bot", "nickname": "bot"})

    assert host.hooks("acme/shop") == [Hook(FORK, "https://bot.example.com/webhooks/bitbucket", active=True)]
    assert host.whoami() == "bot"


def test_what_bitbucket_has_no_api_for_is_refused_without_a_call() -> None:
    host, answers = bitbucket()

    assert not {Offer.DEPLOYMENTS, Offer.DELIVERIES} & host.offers
    with pytest.raises(Refused, match="no API for deployments"):
        host.create_deployment("acme/shop", DeploymentRequest(C1, "main", "production"))
    with pytest.raises(Refused, match="no API for deployments"):
        host.update_deployment("acme/shop", "1", DeploymentReport(ReportState.SUCCESS))
    with pytest.raises(Refused, match="no API for log of deliveries"):
        host.deliveries("acme/shop", "9", 0)
    with pytest.raises(Refused, match="no API for log of deliveries"):
        host.redeliver("acme/shop", "9", "1")
    assert answers.asked == []
