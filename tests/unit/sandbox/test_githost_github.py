"""GitHub's API: what it answers, and what it refuses."""

from __future__ import annotations

import pytest

from sandbox.githost import RefMove
from sandbox.githost.transport import GITHUB_URL
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.githost_shop import Shop


@pytest.fixture
def shop(clock: Clock) -> Shop:
    return Shop(clock)


def test_a_wrong_token_is_refused_and_what_a_token_may_not_see_is_not_there(shop: Shop) -> None:
    assert shop.github("GET", "", by="nobody").status_code == 401
    assert shop.github("GET", "", by="eve").status_code == 404
    assert shop.github("GET", "", by="").status_code == 404
    assert shop.github("GET", "", by="rob").json()["permissions"]["push"] is False


def test_a_public_repository_is_read_without_a_token_but_not_written(shop: Shop) -> None:
    shop.host.repository("acme/site", private=False)
    url = f"{GITHUB_URL}/repos/acme/site"
    assert shop.github("GET", url, by="").json()["full_name"] == "acme/site"
    assert shop.github("POST", f"{url}/deployments", {"ref": "main"}, by="").status_code == 401


def test_the_old_name_leads_to_the_repository_by_its_id_until_another_takes_it(shop: Shop) -> None:
    shop.host.rename(shop.repo, "acme/store")
    answer = shop.github("GET", "/branches/main?page=2")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"{GITHUB_URL}/repositories/{shop.repo.id}/branches/main?page=2"
    assert shop.github("GET", answer.headers["location"]).json()["commit"]["sha"] == shop.first
    assert shop.github("POST", f"/statuses/{shop.first}", {"state": "success"}).status_code == 307
    assert shop.github("GET", "", by="eve").status_code == 404

    other = shop.host.repository("acme/shop", roles={"ada": "admin"})
    assert shop.github("GET", "").json()["id"] == other.id != shop.repo.id
    shop.host.delete_repository(other)
    assert shop.github("GET", "").status_code == 404


def test_branches_come_in_pages_that_the_link_header_joins(shop: Shop) -> None:
    shop.host.push(shop.repo, [RefMove(f"refs/heads/b{i:03}", shop.first) for i in range(104)])
    url, seen = "/branches?per_page=50", []
    for _ in range(9):
        answer = shop.github("GET", url)
        seen += [each["name"] for each in answer.json()]
        if "next" not in answer.links:
            break
        url = answer.links["next"]["url"]
    assert seen == [*[f"b{i:03}" for i in range(104)], "main"]
    assert len(shop.github("GET", "/branches?per_page=1000").json()) == 100


def test_a_branch_with_a_slash_is_found_either_way(shop: Shop) -> None:
    sha = shop.host.commit(shop.repo, branch="feature/x")
    for path in ("/branches/feature%2Fx", "/branches/feature/x"):
        assert shop.github("GET", path).json()["commit"]["sha"] == sha
    assert shop.github("GET", "/commits/feature%2Fx").json()["sha"] == sha
    assert shop.github("GET", "/branches/gone").status_code == 404


def test_an_annotated_tag_is_an_object_that_names_a_commit(shop: Shop) -> None:
    tag = shop.host.tag(shop.repo, "v1", message="The first")
    shop.host.tag(shop.repo, "plain")
    assert shop.github("GET", "/git/ref/tags/v1").json()["object"] == {"type": "tag", "sha": tag}
    assert shop.github("GET", f"/git/tags/{tag}").json()["object"]["sha"] == shop.first
    assert shop.github("GET", "/git/ref/tags/plain").json()["object"] == {"type": "commit", "sha": shop.first}
    assert shop.github("GET", f"/git/tags/{shop.first}").status_code == 404
    assert shop.github("POST", f"/statuses/{tag}", {"state": "success"}).status_code == 422


def test_a_comparison_tells_all_four_relations(shop: Shop) -> None:
    second = shop.host.commit(shop.repo, {"app.py": "2\n"})
    side = shop.host.commit(shop.repo, {"side.py": "1\n"}, branch="side", parent=shop.first)

    def compared(base: str, head: str) -> tuple[object, ...]:
        body = shop.github("GET", f"/compare/{base}...{head}").json()
        paths = [each["filename"] for each in body["files"]]
        return body["status"], body["ahead_by"], body["behind_by"], paths

    assert compared("main", second) == ("identical", 0, 0, [])
    assert compared(shop.first, "main") == ("ahead", 1, 0, ["app.py"])
    assert compared("main", shop.first) == ("behind", 0, 1, [])
    assert compared("main", side) == ("diverged", 1, 1, ["side.py"])
    assert shop.github("GET", "/compare/main...gone").status_code == 404


def test_a_comparison_shows_300_files_and_250_commits_and_says_how_many_there_are(shop: Shop) -> None:
    shop.host.commit(shop.repo, {f"many/{i:03}": "x" for i in range(400)})
    for _ in range(299):
        made = shop.host.write(shop.repo, {"counter": f"{len(shop.repo.history.commits)}"})
        shop.repo.branches["main"] = made.sha
    body = shop.github("GET", f"/compare/{shop.first}...main").json()
    assert (len(body["files"]), len(body["commits"]), body["total_commits"]) == (300, 250, 300)


def test_the_newest_status_of_each_context_counts(shop: Shop) -> None:
    path = f"/commits/{shop.first}/status"
    assert shop.github("GET", path).json()["state"] == "pending"
    for context, state in [("build", "failure"), ("lint", "success"), ("build", "success")]:
        given = shop.github("POST", f"/statuses/{shop.first}", {"state": state, "context": context})
        assert given.status_code == 201
    body = shop.github("GET", path).json()
    assert (body["state"], body["total_count"]) == ("success", 2)
    assert len(shop.github("GET", f"/commits/{shop.first}/statuses").json()) == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"state": "succeeded"},
        {"state": "success", "colour": "green"},
        {"state": "success", "description": "x" * 141},
        {"state": "success", "target_url": "see the log"},
        ["success"],
    ],
)
def test_a_status_that_github_would_not_take_is_refused(shop: Shop, body: object) -> None:
    assert shop.github("POST", f"/statuses/{shop.first}", body).status_code == 422
    assert shop.repo.statuses == []


def test_a_context_holds_a_thousand_statuses(shop: Shop) -> None:
    for _ in range(1000):
        shop.host.set_status(shop.repo, shop.first, "pending", context="deploy")
    path = f"/statuses/{shop.first}"
    assert shop.github("POST", path, {"state": "success", "context": "deploy"}).status_code == 422
    assert shop.github("POST", path, {"state": "success", "context": "other"}).status_code == 201


def test_checks_are_read_by_suite_and_by_run(shop: Shop) -> None:
    suite = shop.host.start_checks(shop.repo, shop.first, names=["unit", "lint"])
    shop.host.finish_checks(shop.repo, suite, "failure")
    runs = shop.github("GET", "/commits/main/check-runs?check_name=unit").json()
    assert [(run["name"], run["conclusion"]) for run in runs["check_runs"]] == [("unit", "failure")]
    suites = shop.github("GET", "/commits/main/check-suites").json()
    assert [each["head_branch"] for each in suites["check_suites"]] == ["main"]
    assert shop.github("POST", "/check-runs", {"name": "x"}).status_code == 403


def test_rights_are_told_in_the_old_words_and_the_new(shop: Shop) -> None:
    shop.host.grant(shop.repo, "mia", "maintain")
    body = shop.github("GET", "/collaborators/MIA/permission", by="wes").json()
    assert (body["permission"], body["role_name"]) == ("write", "maintain")
    assert shop.github("GET", "/collaborators/eve/permission").json()["permission"] == "none"
    assert shop.github("GET", "/collaborators/stranger/permission").status_code == 404
    assert shop.github("GET", "/collaborators/ada/permission", by="rob").status_code == 403


def test_reading_rights_write_nothing_and_hooks_are_for_administrators(shop: Shop) -> None:
    shop.host.token("wes-reads-token", "wes", read_only=True)
    for by in ("rob", "wes-reads"):
        assert shop.github("POST", f"/statuses/{shop.first}", {"state": "success"}, by=by).status_code == 403
        assert shop.github("GET", "/hooks", by=by).status_code == 404
    assert shop.github("GET", "/hooks", by="wes").status_code == 404
    assert shop.github("GET", "/hooks").json() == []


def test_a_token_for_other_repositories_does_not_see_this_one(shop: Shop) -> None:
    other = shop.host.repository("acme/other", roles={"ada": "admin"})
    shop.host.token("narrow-token", "ada", repositories=[other])
    assert shop.github("GET", "", by="narrow").status_code == 404
    assert shop.github("GET", f"{GITHUB_URL}/repos/acme/other", by="narrow").status_code == 200


def test_a_change_from_a_fork_names_the_fork_until_it_is_gone(shop: Shop) -> None:
    fork = shop.host.fork(shop.repo, "eve")
    head = shop.host.commit(fork, branch="fix", by="eve")
    change = shop.host.open_change(shop.repo, "fix", source=fork, by="eve")
    shown = shop.github("GET", f"/pulls/{change.number}").json()
    assert (shown["head"]["sha"], shown["head"]["repo"]["full_name"]) == (head, "eve/shop")
    assert (shown["merged"], shown["merge_commit_sha"] is None) == (False, False)

    shop.host.delete_repository(fork)
    assert shop.github("GET", f"/pulls/{change.number}").json()["head"]["repo"] is None


@pytest.mark.parametrize("method", ["merge", "squash", "fast-forward"])
def test_a_merged_change_names_the_commit_that_its_target_stands_on(shop: Shop, method: str) -> None:
    shop.host.commit(shop.repo, {"new.py": "1\n"}, branch="side")
    change = shop.host.open_change(shop.repo, "side")
    sha = shop.host.merge(shop.repo, change.number, method=method)  # type: ignore[arg-type] # parametrised
    shown = shop.github("GET", f"/pulls/{change.number}").json()
    assert (shown["merged"], shown["state"], shown["merge_commit_sha"]) == (True, "closed", sha)
    assert shop.repo.branches["main"] == sha
    assert "new.py" in shop.repo.history.commits[sha].files
    assert [each["number"] for each in shop.github("GET", f"/commits/{sha}/pulls").json()] == [change.number]


def test_who_may_read_may_comment_but_not_rewrite_another(shop: Shop) -> None:
    shop.host.commit(shop.repo, branch="side")
    number = shop.host.open_change(shop.repo, "side").number
    path = f"/issues/{number}/comments"
    made = shop.github("POST", path, {"body": "/deploy"}, by="rob").json()
    by_ada = shop.github("POST", path, {"body": "no"}, by="ada").json()
    comment = f"/issues/comments/{made['id']}"
    assert shop.github("PATCH", comment, {"body": "/deploy now"}, by="rob").json()["body"] == "/deploy now"
    assert (
        shop.github("PATCH", f"/issues/comments/{by_ada['id']}", {"body": "yes"}, by="rob").status_code == 403
    )
    assert shop.github("POST", path, {"body": ""}, by="rob").status_code == 422
    assert [each["user"]["login"] for each in shop.github("GET", path).json()] == ["rob", "ada"]


def test_a_deployment_without_its_two_switches_is_held_up_by_statuses_and_merges(shop: Shop) -> None:
    shop.host.commit(shop.repo, branch="side")
    shop.host.commit(shop.repo)
    assert shop.github("POST", "/deployments", {"ref": "side"}).status_code == 202
    assert shop.host.set_status(shop.repo, shop.first, "pending").state == "pending"
    held = shop.github("POST", "/deployments", {"ref": shop.first, "auto_merge": False})
    assert held.status_code == 409
    plain = {"ref": shop.first, "auto_merge": False, "required_contexts": []}
    assert shop.github("POST", "/deployments", plain).status_code == 201
    assert shop.github("POST", "/deployments", plain | {"ref": "gone"}).status_code == 422
    assert shop.github("POST", "/deployments", plain | {"colour": "green"}).status_code == 422


def test_a_success_makes_earlier_deployments_of_the_environment_inactive(shop: Shop) -> None:
    body = {"ref": "main", "auto_merge": False, "required_contexts": [], "environment": "staging"}
    made = [shop.github("POST", "/deployments", body).json()["id"] for _ in range(2)]
    for each in made:
        path = f"/deployments/{each}/statuses"
        given = {"state": "success", "environment_url": "https://staging.example.com"}
        assert shop.github("POST", path, given).status_code == 201
    states = [shop.github("GET", f"/deployments/{each}/statuses").json()[0]["state"] for each in made]
    assert states == ["inactive", "success"]
    assert shop.github("POST", f"/deployments/{made[0]}/statuses", {"state": "done"}).status_code == 422
    listed = shop.github("GET", "/deployments?environment=staging").json()
    assert [each["id"] for each in listed] == made[::-1]


def test_only_published_releases_are_found_by_their_tag(shop: Shop) -> None:
    shop.host.tag(shop.repo, "v1")
    shop.host.tag(shop.repo, "v2")
    shop.host.publish_release(shop.repo, "v1")
    shop.host.publish_release(shop.repo, "v2", draft=True)
    assert shop.github("GET", "/releases/tags/v1").json()["tag_name"] == "v1"
    assert shop.github("GET", "/releases/tags/v2").status_code == 404
    assert len(shop.github("GET", "/releases", by="wes").json()) == 2
    assert len(shop.github("GET", "/releases", by="rob").json()) == 1
