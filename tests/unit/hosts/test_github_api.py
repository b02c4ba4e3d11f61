"""What GitHub's answers mean, and what GitHub is told."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.hosts.api_answering import C1, C2, C3, TOKEN, Answers, ok, secret
from workers.errors import Gone, Refused
from workers.flow.ports import GitHost
from workers.hosts.github_api import GitHubApi
from workers.releases.origin import (
    Check,
    CheckState,
    Comparison,
    Permission,
    Relation,
    RepositoryFacts,
)

SHOP = "/repos/acme/shop"
URL = "https://api.github.com"
REPOSITORY = {
    "id": 77,
    "full_name": "acme/shop",
    "default_branch": "main",
    "private": True,
    "clone_url": "https://github.com/acme/shop.git",
    "owner": {"login": "acme"},
}


def github() -> tuple[GitHost, Answers]:
    answers = Answers({f"GET {SHOP}": ok(REPOSITORY)})
    return GitHubApi(answers.client, None, secret()), answers


def test_a_repository_is_read_with_the_headers_that_github_asks_for() -> None:
    host, answers = github()

    facts = host.repository("acme/shop")

    assert facts == RepositoryFacts("77", "acme/shop", "main", True, "https://github.com/acme/shop.git")
    [asked] = answers.asked
    assert asked.headers["accept"] == "application/vnd.github+json"
    assert asked.headers["x-github-api-version"] == "2022-11-28"


def test_a_renamed_repository_is_found_by_its_former_name_and_by_its_id() -> None:
    host, answers = github()
    by_id = ok({**REPOSITORY, "full_name": "acme/store"})
    answers.written["GET /repositories/77"] = by_id
    answers.written["GET /repos/acme/old"] = httpx.Response(
        301, headers={"location": f"{URL}/repositories/77"}
    )

    assert host.repository("acme/old").full_name == "acme/store"
    assert host.repository("77").full_name == "acme/store"


@pytest.mark.parametrize("name", ["shop", "acme/", "/shop", "acme/shop/more", "", "٣"])
def test_what_cannot_be_a_repository_is_refused_without_a_call(name: str) -> None:
    host, answers = github()

    with pytest.raises(Refused, match="owner/name"):
        host.branch_head(name, "main")
    assert answers.asked == []


def test_the_head_of_a_branch_with_a_difficult_name_is_read() -> None:
    host, answers = github()
    name = "feature/x #1"
    answers.written[f"GET {SHOP}/branches/feature%2Fx%20%231"] = ok({"name": name, "commit": {"sha": C1}})

    assert host.branch_head("acme/shop", name) == C1


def test_a_branch_that_is_not_there_has_no_head_but_a_missing_repository_is_gone() -> None:
    host, answers = github()

    assert host.branch_head("acme/shop", "nope") is None
    assert host.tag_commit("acme/shop", "nope") is None
    answers.written.clear()
    with pytest.raises(Gone):
        host.branch_head("acme/shop", "main")


def test_the_former_name_of_a_branch_is_not_taken_for_the_branch() -> None:
    host, answers = github()
    moved = httpx.Response(301, headers={"location": f"{URL}{SHOP}/branches/main"})
    answers.written[f"GET {SHOP}/branches/master"] = moved
    answers.written[f"GET {SHOP}/branches/main"] = ok({"name": "main", "commit": {"sha": C1}})

    assert host.branch_head("acme/shop", "master") is None


def test_all_branches_are_listed_page_by_page() -> None:
    host, answers = github()
    listed = [{"name": f"b{n}", "commit": {"sha": C1}} for n in range(103)]
    for page, part in ((1, listed[:100]), (2, listed[100:])):
        answers.written[f"GET {SHOP}/branches?per_page=100&page={page}"] = ok(part)

    found = host.branch_heads("acme/shop")

    assert len(found.heads) == 103
    assert found.heads["b102"] == C1
    assert found.complete


def test_an_annotated_tag_is_peeled_to_its_commit() -> None:
    host, answers = github()
    answers.written[f"GET {SHOP}/git/ref/tags/v1"] = ok({"object": {"type": "tag", "sha": C1}})
    answers.written[f"GET {SHOP}/git/tags/{C1}"] = ok({"object": {"type": "tag", "sha": C2}})
    answers.written[f"GET {SHOP}/git/tags/{C2}"] = ok({"object": {"type": "commit", "sha": C3}})

    assert host.tag_commit("acme/shop", "v1") == C3


def test_a_plain_tag_is_its_commit_and_a_tag_of_a_file_has_none() -> None:
    host, answers = github()
    answers.written[f"GET {SHOP}/git/ref/tags/v1"] = ok({"object": {"type": "commit", "sha": C1}})
    answers.written[f"GET {SHOP}/git/ref/tags/blob"] = ok({"object": {"type": "blob", "sha": C1}})

    assert host.tag_commit("acme/shop", "v1") == C1
    assert host.tag_commit("acme/shop", "blob") is None


def test_an_empty_repository_has_no_tag() -> None:
    host, answers = github()
    answers.written[f"GET {SHOP}/git/ref/tags/v1"] = ok({"message": "Git Repository is empty."}, 409)

    assert host.tag_commit("acme/shop", "v1") is None


def test_a_comparison_names_both_names_of_a_renamed_file() -> None:
    host, answers = github()
    files = [{"filename": "b.py", "previous_filename": "a.py"}, {"filename": "c.py"}]
    answers.written[f"GET {SHOP}/compare/{C1}...{C2}?per_page=1"] = ok({"status": "ahead", "files": files})

    found = host.compare("acme/shop", C1, C2)

    assert found is not None
    assert (found.relation, found.paths, found.complete) == (Relation.AHEAD, ("a.py", "b.py", "c.py"), True)


def test_a_comparison_with_as_many_files_as_github_lists_is_not_complete() -> None:
    host, answers = github()
    files = [{"filename": f"{n}.py"} for n in range(300)]
    answers.written[f"GET {SHOP}/compare/{C1}...{C2}?per_page=1"] = ok({"status": "diverged", "files": files})

    found = host.compare("acme/shop", C1, C2)

    assert found is not None
    assert not found.complete


def test_histories_without_a_common_beginning_have_diverged() -> None:
    host, answers = github()
    said = {"message": f"No common ancestor between {C1} and {C2}."}
    answers.written[f"GET {SHOP}/compare/{C1}...{C2}?per_page=1"] = ok(said, 404)

    assert host.compare("acme/shop", C1, C2) == Comparison(Relation.DIVERGED, (), complete=False)


@pytest.mark.parametrize("commit", ["1234567", "main", C1.upper().replace("1", "A"), "0" * 40])
def test_what_is_no_full_commit_is_unknown_without_a_call(commit: str) -> None:
    host, answers = github()

    assert host.compare("acme/shop", C1, commit) is None
    assert host.compare("acme/shop", commit, C1) is None
    assert host.ci_state("acme/shop", commit) == ()
    assert answers.asked == []


def test_a_commit_that_github_does_not_have_cannot_be_compared() -> None:
    assert github()[0].compare("acme/shop", C1, C2) is None


@pytest.mark.parametrize(
    ("said", "role", "right"),
    [
        ("admin", "admin", Permission.ADMIN),
        ("write", "maintain", Permission.MAINTAIN),
        ("write", "write", Permission.WRITE),
        ("write", "deployer", Permission.WRITE),
        ("read", "triage", Permission.READ),
        ("read", "maintain", Permission.READ),
        ("none", "none", Permission.NONE),
        ("owner of all", None, Permission.NONE),
    ],
)
def test_the_rights_of_a_user_are_never_read_as_more_than_they_are(
    said: str, role: str | None, right: Permission
) -> None:
    host, answers = github()
    answers.written[f"GET {SHOP}/collaborators/mona/permission"] = ok({"permission": said, "role_name": role})

    assert host.permission("acme/shop", "mona") == right


def test_a_user_whom_github_does_not_know_has_no_rights() -> None:
    assert github()[0].permission("acme/shop", "nobody") == Permission.NONE


def pull(state: str = "open", head_repository: object = None) -> dict[str, object]:
    ours = {"id": 77, "full_name": "acme/shop"}
    return {
        "number": 5,
        "state": state,
        "head": {"ref": "topic", "sha": C1, "repo": head_repository},
        "base": {"ref": "main", "sha": C2, "repo": ours},
        "user": {"login": "mona"},
    }


def test_an_open_pull_request_tells_its_head_of_now() -> None:
    host, answers = github()
    answers.written[f"GET {SHOP}/pulls/5"] = ok(pull(head_repository={"id": 77}))

    found = host.change("acme/shop", 5)

    assert found is not None
    assert (found.head, found.head_branch, found.base_branch, found.author) == (C1, "topic", "main", "mona")
    assert not found.from_fork


@pytest.mark.parametrize("source", [None, {"id": 78}])
def test_a_pull_request_from_another_or_a_deleted_repository_is_from_a_fork(source: object) -> None:
    host, answers = github()
    answers.written[f"GET {SHOP}/pulls/5"] = ok(pull(head_repository=source))

    found = host.change("acme/shop", 5)

    assert found is not None
    assert found.from_fork


def test_a_closed_or_missing_pull_request_is_no_open_change() -> None:
    host, answers = github()
    answers.written[f"GET {SHOP}/pulls/5"] = ok(pull("closed"))

    assert host.change("acme/shop", 5) is None
    assert host.change("acme/shop", 6) is None


def test_statuses_and_check_runs_count_together() -> None:
    host, answers = github()
    page = "per_page=100&page=1"
    answers.written[f"GET {SHOP}/commits/{C1}/status?{page}"] = ok(
        {"state": "failure", "statuses": [{"context": "lint", "state": "error"}]}
    )
    runs = [
        {"name": "test", "status": "completed", "conclusion": "success"},
        {"name": "docs", "status": "completed", "conclusion": "skipped"},
        {"name": "slow", "status": "in_progress", "conclusion": None},
        {"name": "odd", "status": "completed", "conclusion": "never heard of"},
    ]
    answers.written[f"GET {SHOP}/commits/{C1}/check-runs?filter=latest&{page}"] = ok({"check_runs": runs})

    assert host.ci_state("acme/shop", C1) == (
        Check("lint", CheckState.FAILURE),
        Check("test", CheckState.SUCCESS),
        Check("docs", CheckState.NEUTRAL),
        Check("slow", CheckState.PENDING),
        Check("odd", CheckState.FAILURE),
    )


def test_a_commit_that_is_not_there_has_no_checks_but_a_missing_repository_is_gone() -> None:
    host, answers = github()

    assert host.ci_state("acme/shop", C1) == ()
    answers.written.clear()
    with pytest.raises(Gone):
        host.ci_state("acme/shop", C1)


def test_check_runs_that_the_token_may_not_read_are_an_error_and_not_green() -> None:
    host, answers = github()
    page = "per_page=100&page=1"
    answers.written[f"GET {SHOP}/commits/{C1}/status?{page}"] = ok({"statuses": []})
    refused = ok({"message": "Resource not accessible by personal access token"}, 403)
    answers.written[f"GET {SHOP}/commits/{C1}/check-runs?filter=latest&{page}"] = refused

    with pytest.raises(Refused, match="the token has no right to read the CI"):
        host.ci_state("acme/shop", C1)


def test_a_commit_with_more_checks_than_are_read_is_refused() -> None:
    host, answers = github()
    full = {"statuses": [{"context": "c", "state": "success"}] * 100}
    for page in range(1, 11):
        answers.written[f"GET {SHOP}/commits/{C1}/status?per_page=100&page={page}"] = ok(full)
    answers.written[f"GET {SHOP}/commits/{C1}/check-runs?filter=latest&per_page=100&page=1"] = ok(
        {"check_runs": []}
    )

    with pytest.raises(Refused, match="more than 1000 checks"):
        host.ci_state("acme/shop", C1)


def test_the_token_tells_whose_it_is_and_stays_hidden() -> None:
    host, answers = github()
    answers.written["GET /user"] = ok({"login": "switchover-bot"})

    assert host.whoami() == "switchover-bot"
    assert TOKEN not in repr(host)
