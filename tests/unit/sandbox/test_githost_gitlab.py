"""GitLab's API over the same world."""

from __future__ import annotations

import pytest

from sandbox.githost import Fault
from sandbox.githost.transport import GITLAB_URL
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.githost_shop import HOOK_URL, SECRET, Shop


@pytest.fixture
def shop(clock: Clock) -> Shop:
    return Shop(clock)


def test_a_project_answers_to_its_number_and_its_encoded_path(shop: Shop) -> None:
    by_path = shop.gitlab("GET", "").json()
    assert by_path == shop.gitlab("GET", f"{GITLAB_URL}/projects/{shop.repo.id}").json()
    assert by_path["path_with_namespace"] == "acme/shop"
    nested = shop.host.repository("acme/web/shop", roles={"ada": "read"})
    assert shop.gitlab("GET", f"{GITLAB_URL}/projects/acme%2Fweb%2Fshop").json()["id"] == nested.id


def test_who_may_not_see_a_project_does_not_find_it(shop: Shop) -> None:
    assert shop.gitlab("GET", "", by="nobody").json() == {"message": "401 Unauthorized"}
    assert shop.gitlab("GET", "", by="eve").json() == {"message": "404 Project Not Found"}
    assert shop.gitlab("GET", "/hooks", by="wes").status_code == 403
    bearer = {"authorization": "Bearer rob-token"}
    assert shop.http.get(f"{GITLAB_URL}/projects/acme%2Fshop", headers=bearer).status_code == 200


def test_the_old_path_of_a_project_leads_to_its_number_for_reading_only(shop: Shop) -> None:
    shop.host.rename(shop.repo, "other/shop")
    answer = shop.gitlab("GET", "/repository/branches/main")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"{GITLAB_URL}/projects/{shop.repo.id}/repository/branches/main"
    assert shop.gitlab("POST", f"/statuses/{shop.first}", {"state": "success"}).status_code == 405


def test_lists_say_how_many_pages_there_are(shop: Shop) -> None:
    for number in range(24):
        shop.host.commit(shop.repo, branch=f"b{number:02}")
    answer = shop.gitlab("GET", "/repository/branches")
    assert (len(answer.json()), answer.headers["x-total"], answer.headers["x-next-page"]) == (20, "25", "2")
    last = shop.gitlab("GET", answer.links["next"]["url"])
    assert (len(last.json()), last.headers["x-next-page"]) == (5, "")


def test_an_annotated_tag_shows_its_object_and_its_commit(shop: Shop) -> None:
    tag = shop.host.tag(shop.repo, "v1", message="The first")
    shown = shop.gitlab("GET", "/repository/tags/v1").json()
    assert (shown["target"], shown["commit"]["id"]) == (tag, shop.first)
    assert shop.gitlab("GET", "/repository/tags/v2").status_code == 404


def test_a_comparison_is_one_way_and_the_merge_base_tells_the_rest(shop: Shop) -> None:
    side = shop.host.commit(shop.repo, {"side.py": "1\n"}, branch="side")
    second = shop.host.commit(shop.repo, {"app.py": "2\n"})

    def compared(base: str, head: str, more: str = "") -> tuple[list[str], list[str]]:
        body = shop.gitlab("GET", f"/repository/compare?from={base}&to={head}{more}").json()
        return [each["id"] for each in body["commits"]], [each["new_path"] for each in body["diffs"]]

    assert compared("main", "side") == ([side], ["side.py"])
    assert compared("main", "side", "&straight=true") == ([side], ["app.py", "side.py"])
    assert compared("side", "main") == ([second], ["app.py"])
    assert compared("main", shop.first) == ([], [])
    base = shop.gitlab("GET", f"/repository/merge_base?refs[]={second}&refs[]=side").json()
    assert base["id"] == shop.first
    assert shop.gitlab("GET", "/repository/merge_base?refs[]=main&refs[]=gone").status_code == 400
    assert shop.gitlab("GET", "/repository/compare?from=main").status_code == 400
    assert shop.gitlab("GET", "/repository/compare?from=main&to=gone").status_code == 404


def test_a_status_cannot_be_set_to_what_it_is(shop: Shop) -> None:
    path = f"/statuses/{shop.first}"
    running = {"state": "running", "name": "deploy/prod", "ref": "main"}
    assert shop.gitlab("POST", path, running).status_code == 201
    again = shop.gitlab("POST", path, running)
    assert (again.status_code, "Cannot transition" in again.json()["message"]) == (400, True)
    assert shop.gitlab("POST", path, running | {"state": "success"}).status_code == 201
    listed = shop.gitlab("GET", f"/repository/commits/{shop.first}/statuses").json()
    assert [(each["name"], each["status"]) for each in listed] == [("deploy/prod", "success")]
    both = shop.gitlab("GET", f"/repository/commits/{shop.first}/statuses?all=true").json()
    assert len(both) == 2


@pytest.mark.parametrize("body", [{}, {"state": "failure"}, {"state": "success", "colour": "green"}])
def test_a_status_that_gitlab_would_not_take_is_refused(shop: Shop, body: object) -> None:
    assert shop.gitlab("POST", f"/statuses/{shop.first}", body).status_code == 400
    assert shop.gitlab("POST", f"/statuses/{'f' * 40}", {"state": "success"}).status_code == 404
    assert shop.gitlab("POST", f"/statuses/{shop.first}", {"state": "success"}, by="rob").status_code == 403
    assert shop.repo.statuses == []


def test_members_are_found_by_the_number_of_their_account(shop: Shop) -> None:
    wes = shop.gitlab("GET", f"{GITLAB_URL}/users?username=WES").json()
    assert [each["username"] for each in wes] == ["wes"]
    assert shop.gitlab("GET", f"/members/all/{wes[0]['id']}").json()["access_level"] == 30
    eve = shop.gitlab("GET", f"{GITLAB_URL}/users?username=eve").json()[0]
    assert shop.gitlab("GET", f"/members/all/{eve['id']}").status_code == 404
    assert shop.gitlab("GET", f"{GITLAB_URL}/users?username=stranger").json() == []


def test_only_a_real_merge_has_a_merge_commit(shop: Shop) -> None:
    shown = {}
    for method in ("merge", "squash", "fast-forward"):
        branch = f"to-{method}"
        shop.host.commit(shop.repo, {branch: "1\n"}, branch=branch)
        change = shop.host.open_change(shop.repo, branch)
        sha = shop.host.merge(shop.repo, change.number, method=method)
        body = shop.gitlab("GET", f"/merge_requests/{change.number}").json()
        shown[method] = (body["state"], body["merge_commit_sha"] == sha, body["squash_commit_sha"] == sha)
    assert shown == {
        "merge": ("merged", True, False),
        "squash": ("merged", False, True),
        "fast-forward": ("merged", False, False),
    }


def test_notes_are_written_and_rewritten_by_their_author(shop: Shop) -> None:
    shop.host.commit(shop.repo, branch="side")
    path = f"/merge_requests/{shop.host.open_change(shop.repo, 'side').number}/notes"
    made = shop.gitlab("POST", path, {"body": "one"}, by="rob").json()
    changed = shop.gitlab("PUT", f"{path}/{made['id']}", {"body": "two"}, by="rob")
    assert changed.json()["body"] == "two"
    assert shop.gitlab("PUT", f"{path}/{made['id']}", {"body": "three"}, by="wes").status_code == 403
    assert [each["body"] for each in shop.gitlab("GET", path).json()] == ["two"]


def test_pipelines_are_found_by_commit(shop: Shop) -> None:
    suite = shop.host.start_checks(shop.repo, shop.first)
    path = f"/pipelines?sha={shop.first}"
    assert [each["status"] for each in shop.gitlab("GET", path).json()] == ["running"]
    shop.host.finish_checks(shop.repo, suite, "timed_out")
    shop.host.finish_checks(shop.repo, shop.host.start_checks(shop.repo, shop.first))
    assert [each["status"] for each in shop.gitlab("GET", path).json()] == ["success", "failed"]
    assert shop.gitlab("GET", f"{path}&status=success").json()[0]["ref"] == "main"


def test_a_deployment_that_ended_stays_ended(shop: Shop) -> None:
    body = {"environment": "prod", "sha": shop.first, "ref": "main", "tag": False, "status": "running"}
    made = shop.gitlab("POST", "/deployments", body).json()
    path = f"/deployments/{made['id']}"
    assert shop.gitlab("PUT", path, {"status": "success"}).json()["status"] == "success"
    assert shop.gitlab("PUT", path, {"status": "failed"}).status_code == 400
    assert len(shop.gitlab("GET", "/deployments?environment=prod&status=success").json()) == 1


def test_too_many_calls_are_a_429_that_says_how_long_to_wait(shop: Shop) -> None:
    shop.service.gitlab_limits.exhaust("ada-token")
    answer = shop.gitlab("GET", "")
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, "Retry later\n", "60")
    assert answer.headers["ratelimit-remaining"] == "0"
    shop.clock.sleep(60)
    assert shop.gitlab("GET", "").headers["ratelimit-observed"] == "1"


def test_hook_events_are_listed_and_sent_again_under_the_same_key(shop: Shop) -> None:
    hook = shop.host.add_hook(shop.repo, HOOK_URL, SECRET, dialect="gitlab")
    shop.receiver.status = 503
    shop.host.commit(shop.repo)
    path = f"/hooks/{hook.id}/events"
    failed = shop.gitlab("GET", f"{path}?status=server_failure").json()
    assert [(each["trigger"], each["response_status"]) for each in failed] == [("push_hooks", "503")]
    assert SECRET not in shop.gitlab("GET", path).text
    shop.receiver.status = 200
    again = shop.gitlab("POST", f"{path}/{failed[0]['id']}/resend")
    assert (again.status_code, again.json()) == (201, {"response_status": 200})
    first, second = shop.receiver.got
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    for _ in range(4):
        shop.gitlab("POST", f"{path}/{failed[0]['id']}/resend")
    assert shop.gitlab("POST", f"{path}/{failed[0]['id']}/resend").status_code == 429


def test_a_scripted_failure_has_gitlabs_kind_of_body(shop: Shop) -> None:
    shop.service.faults.add(Fault("/projects/.*", status=500))
    assert shop.gitlab("GET", "").json() == {"message": "500 Internal Server Error"}
    assert shop.gitlab("GET", "").status_code == 200
