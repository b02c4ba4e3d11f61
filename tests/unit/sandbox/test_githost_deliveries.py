"""Webhooks: what is told, in whose words, signed how, and what becomes of it on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.githost import ZEROS, RefMove, Unknown
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.githost_shop import HOOK_URL, SECRET, Shop, read

SAMPLES = Path(__file__).parents[4] / "shared" / "reference" / "payloads"


@pytest.fixture
def shop(clock: Clock) -> Shop:
    shop = Shop(clock)
    shop.host.add_hook(shop.repo, HOOK_URL, SECRET)
    return shop


@pytest.mark.parametrize("form", [False, True])
def test_the_signature_is_over_the_bytes_that_were_sent(shop: Shop, *, form: bool) -> None:
    shop.host.add_hook(shop.repo, HOOK_URL, SECRET, form=form)
    shop.host.commit(shop.repo, message="Größer, & schöner")
    sent = shop.receiver.got[-1]
    digest = hmac.new(SECRET.encode(), sent.body, hashlib.sha256).hexdigest()
    assert sent.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert read(sent)["head_commit"]["message"] == "Größer, & schöner"


def test_a_hook_without_a_secret_is_not_signed(shop: Shop) -> None:
    shop.host.add_hook(shop.repo, HOOK_URL, "")
    assert not [name for name in shop.receiver.got[-1].headers if "Signature" in name]


def test_a_push_names_what_moved_and_how(shop: Shop) -> None:
    second = shop.host.commit(shop.repo, {"app.py": "2\n", "docs/a.md": None}, by="wes")
    forced = shop.host.commit(shop.repo, {"app.py": "3\n"}, parent=shop.first)
    shop.host.commit(shop.repo, branch="side", parent=forced)
    shop.host.delete_ref(shop.repo, "refs/heads/side")
    ahead, forcing, made, gone = shop.receiver.bodies("push")

    assert (ahead["before"], ahead["after"], ahead["forced"]) == (shop.first, second, False)
    assert (ahead["commits"][0]["modified"], ahead["commits"][0]["removed"]) == (["app.py"], ["docs/a.md"])
    assert (forcing["before"], forcing["after"], forcing["forced"]) == (second, forced, True)
    assert (made["created"], made["before"], len(made["commits"])) == (True, ZEROS, 1)
    assert (gone["deleted"], gone["after"], gone["head_commit"]) == (True, ZEROS, None)
    assert shop.receiver.kinds()[-4:] == ["push", "create", "push", "delete"]


def test_an_annotated_tag_is_told_as_its_object_with_the_commit_in_the_head(shop: Shop) -> None:
    tag = shop.host.tag(shop.repo, "v1", message="The first")
    body = shop.receiver.bodies("push")[-1]
    assert (body["ref"], body["after"], body["head_commit"]["id"]) == ("refs/tags/v1", tag, shop.first)


@pytest.mark.parametrize(("count", "told"), [(3, 3), (4, 0)])
def test_more_than_three_tags_at_once_are_told_to_nobody(shop: Shop, count: int, told: int) -> None:
    shop.host.push(shop.repo, [RefMove(f"refs/tags/v{number}", shop.first) for number in range(count)])
    assert len(shop.receiver.bodies("push")) == told
    assert len(shop.repo.tags) == count


def test_gitlab_tells_nobody_of_more_than_three_branches_but_github_does(shop: Shop) -> None:
    shop.host.add_hook(shop.repo, HOOK_URL, SECRET, dialect="gitlab")
    shop.host.push(shop.repo, [RefMove(f"refs/heads/b{number}", shop.first) for number in range(4)])
    assert shop.receiver.kinds().count("push") == 4
    assert "Push Hook" not in shop.receiver.kinds()


def test_a_change_is_told_from_its_opening_to_its_merge(shop: Shop) -> None:
    head = shop.host.commit(shop.repo, branch="side")
    change = shop.host.open_change(shop.repo, "side", by="wes")
    newer = shop.host.commit(shop.repo, branch="side")
    merged = shop.host.merge(shop.repo, change.number)
    opened, updated, closed = shop.receiver.bodies("pull_request")

    assert (opened["action"], opened["pull_request"]["head"]["sha"]) == ("opened", head)
    assert (updated["action"], updated["before"], updated["after"]) == ("synchronize", head, newer)
    assert (closed["action"], closed["pull_request"]["merged"]) == ("closed", True)
    assert closed["pull_request"]["merge_commit_sha"] == merged
    assert shop.receiver.bodies("push")[-1]["after"] == merged


def test_a_change_that_is_closed_was_not_merged_though_it_has_a_test_merge(shop: Shop) -> None:
    shop.host.commit(shop.repo, branch="side")
    shop.host.close(shop.repo, shop.host.open_change(shop.repo, "side").number)
    pull = shop.receiver.bodies("pull_request")[-1]["pull_request"]
    assert (pull["merged"], pull["merge_commit_sha"] is None) == (False, False)


def test_an_edited_change_keeps_its_commits_and_names_its_former_target(shop: Shop) -> None:
    shop.host.add_hook(shop.repo, HOOK_URL, SECRET, dialect="gitlab")
    shop.host.commit(shop.repo, branch="side")
    number = shop.host.open_change(shop.repo, "side").number
    shop.host.edit_change(shop.repo, number, title="A better title")
    shop.host.edit_change(shop.repo, number, target_branch="stable")
    titled, retargeted = shop.receiver.bodies("pull_request")[1:]
    assert (titled["action"], "base" in titled["changes"]) == ("edited", False)
    assert retargeted["changes"]["base"]["ref"]["from"] == "main"
    assert retargeted["pull_request"]["base"]["ref"] == "stable"
    by_gitlab = [read(each) for each in shop.receiver.got if "X-Gitlab-Event" in each.headers][-2:]
    assert [body["object_attributes"]["action"] for body in by_gitlab] == ["update", "update"]
    assert not [body for body in by_gitlab if "oldrev" in body["object_attributes"]]


def test_the_hook_of_an_organisation_fires_for_each_of_its_repositories(shop: Shop) -> None:
    shop.repo.hooks.clear()
    shop.receiver.got.clear()
    shop.host.add_organisation_hook("acme", HOOK_URL, SECRET, events=["push"])
    later = shop.host.repository("acme/site")
    foreign = shop.host.repository("other/site")
    for repo in (shop.repo, later, foreign):
        shop.host.commit(repo)
    assert "repository" not in shop.receiver.bodies("ping")[0]
    pushes = shop.receiver.bodies("push")
    assert [body["repository"]["full_name"] for body in pushes] == ["acme/shop", "acme/site"]
    assert {body["organization"]["login"] for body in pushes} == {"acme"}
    kinds = {each.headers["X-GitHub-Hook-Installation-Target-Type"] for each in shop.receiver.got}
    assert kinds == {"organization"}


def test_the_end_of_checks_is_told_three_ways_and_a_fork_has_no_branch_in_its_suite(shop: Shop) -> None:
    fork = shop.host.fork(shop.repo, "eve")
    head = shop.host.commit(fork, by="eve")
    for source, sha in ((None, shop.first), (fork, head)):
        event = "pull_request" if source else "push"
        suite = shop.host.start_checks(shop.repo, sha, source=source, event=event)
        shop.host.finish_checks(shop.repo, suite)

    own, foreign = (body["check_suite"] for body in shop.receiver.bodies("check_suite"))
    assert (own["head_branch"], own["conclusion"], foreign["head_branch"]) == ("main", "success", None)
    runs = [body["workflow_run"] for body in shop.receiver.bodies("workflow_run")]
    assert [(run["event"], run["head_branch"], run["head_repository"]["full_name"]) for run in runs] == [
        ("push", "main", "acme/shop"),
        ("pull_request", "main", "eve/shop"),
    ]
    assert len(shop.receiver.bodies("check_run")) == 2


def test_what_is_set_over_the_api_comes_back_as_events(shop: Shop) -> None:
    shop.host.commit(shop.repo, branch="side")
    number = shop.host.open_change(shop.repo, "side").number
    shop.receiver.got.clear()
    shop.github("POST", f"/statuses/{shop.first}", {"state": "success", "context": "ci"}, by="wes")
    shop.github("POST", f"/issues/{number}/comments", {"body": "/deploy"}, by="rob")
    body = {"ref": "main", "auto_merge": False, "required_contexts": []}
    made = shop.github("POST", "/deployments", body).json()["id"]
    shop.github("POST", f"/deployments/{made}/statuses", {"state": "in_progress"})

    assert shop.receiver.kinds() == ["status", "issue_comment", "deployment", "deployment_status"]
    status, comment = shop.receiver.bodies("status")[0], shop.receiver.bodies("issue_comment")[0]
    assert [each["name"] for each in status["branches"]] == ["main", "side"]
    assert (comment["sender"]["login"], "pull_request" in comment["issue"]) == ("rob", True)


def test_a_comment_that_another_edits_keeps_its_author(shop: Shop) -> None:
    shop.host.commit(shop.repo, branch="side")
    made = shop.host.comment(shop.repo, shop.host.open_change(shop.repo, "side").number, "hello", by="rob")
    shop.host.edit_comment(shop.repo, made.id, "/deploy", by="wes")
    body = shop.receiver.bodies("issue_comment")[-1]
    assert (body["action"], body["sender"]["login"], body["comment"]["user"]["login"]) == (
        "edited",
        "wes",
        "rob",
    )


def test_a_release_is_published_once_its_tag_is_there(shop: Shop) -> None:
    with pytest.raises(Unknown, match="push it first"):
        shop.host.publish_release(shop.repo, "v1")
    shop.host.tag(shop.repo, "v1")
    shop.host.publish_release(shop.repo, "v1", draft=True)
    assert shop.receiver.bodies("release") == []
    shop.host.publish_release(shop.repo, "v1", prerelease=True)
    assert [body["action"] for body in shop.receiver.bodies("release")] == ["published", "prereleased"]


def test_a_new_name_and_a_new_owner_are_told_with_the_old(shop: Shop) -> None:
    shop.host.rename(shop.repo, "acme/store")
    shop.host.rename(shop.repo, "other/store")
    renamed, transferred = shop.receiver.bodies("repository")
    assert (renamed["action"], renamed["changes"]["repository"]["name"]["from"]) == ("renamed", "shop")
    assert (transferred["action"], transferred["repository"]["full_name"]) == ("transferred", "other/store")


def test_a_hook_gets_only_what_it_asked_for(shop: Shop) -> None:
    shop.repo.hooks.clear()
    quiet = shop.host.add_hook(shop.repo, HOOK_URL, SECRET, events=["release"])
    shop.receiver.got.clear()
    shop.host.commit(shop.repo)
    shop.host.tag(shop.repo, "v1")
    shop.host.publish_release(shop.repo, "v1")
    assert shop.receiver.kinds() == ["release", "release"]
    quiet.active = False
    shop.host.publish_release(shop.repo, "v1")
    assert len(shop.receiver.got) == 2


def test_gitlab_tells_the_same_in_its_own_words(shop: Shop) -> None:
    shop.repo.hooks.clear()
    key = base64.b64encode(b"k" * 32).decode()
    shop.host.add_hook(shop.repo, HOOK_URL, SECRET, dialect="gitlab", signing_token=f"whsec_{key}")
    shop.receiver.got.clear()
    shop.host.tag(shop.repo, "v1", message="The first")
    shop.host.commit(shop.repo, branch="side")
    change = shop.host.open_change(shop.repo, "side")
    shop.host.commit(shop.repo, branch="side")
    shop.host.comment(shop.repo, change.number, "/deploy")
    shop.host.merge(shop.repo, change.number)
    shop.host.finish_checks(shop.repo, shop.host.start_checks(shop.repo, shop.repo.branches["main"]))
    shop.host.publish_release(shop.repo, "v1")

    assert shop.receiver.kinds() == [
        "Tag Push Hook",
        "Push Hook",
        "Merge Request Hook",
        "Push Hook",
        "Merge Request Hook",
        "Note Hook",
        "Push Hook",
        "Merge Request Hook",
        "Pipeline Hook",
        "Release Hook",
    ]
    tag, *_ = bodies = [read(each) for each in shop.receiver.got]
    assert (tag["checkout_sha"], tag["after"] == shop.first) == (shop.first, False)
    merge_requests = [body["object_attributes"] for body in bodies if body["object_kind"] == "merge_request"]
    assert [(each["action"], "oldrev" in each) for each in merge_requests] == [
        ("open", False),
        ("update", True),
        ("merge", False),
    ]
    sent = shop.receiver.got[0]
    signed = f"{sent.headers['webhook-id']}.{sent.headers['webhook-timestamp']}.".encode() + sent.body
    digest = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert sent.headers["webhook-signature"] == f"v1,{digest}"
    assert sent.headers["X-Gitlab-Token"] == SECRET


def test_what_happens_in_an_outage_is_in_no_log(shop: Shop) -> None:
    shop.host.post.mode = "drop"
    shop.host.commit(shop.repo)
    shop.host.post.mode = "send"
    shop.host.commit(shop.repo)
    assert len(shop.receiver.bodies("push")) == 1
    assert [each.event for each in shop.host.post.log] == ["ping", "push"]


def test_what_is_held_back_comes_late_and_in_either_order(shop: Shop) -> None:
    shop.host.post.mode = "hold"
    made = [shop.host.commit(shop.repo) for _ in range(3)]
    assert shop.receiver.bodies("push") == []
    shop.host.post.mode, shop.host.post.newest_first = "send", True
    shop.host.post.deliver()
    assert [body["after"] for body in shop.receiver.bodies("push")] == made[::-1]


def test_a_failure_is_in_the_log_and_never_reached_the_receiver(shop: Shop) -> None:
    shop.host.post.failures.extend([0, 504])
    shop.host.commit(shop.repo)
    shop.host.commit(shop.repo)
    assert shop.receiver.bodies("push") == []
    log = list(shop.host.post.log)[-2:]
    assert [(each.status_code, each.went_well) for each in log] == [(0, False), (504, False)]
    assert log[0].status == "failed to connect"


def test_a_receiver_may_ask_the_api_before_it_answers(shop: Shop) -> None:
    asked: list[int] = []

    def ask(_: object) -> int:
        asked.append(shop.github("GET", "/branches/main").status_code)
        return 202

    shop.host.post.send = ask
    shop.host.commit(shop.repo)
    assert asked == [200]


def test_what_a_receiver_pushes_in_turn_is_told_as_well(shop: Shop) -> None:
    pushes: list[str] = []

    def answer(outgoing: object) -> int:
        pushes.append(str(outgoing))
        if len(pushes) == 1:
            shop.host.tag(shop.repo, "released")
        return 202

    shop.host.post.send = answer
    shop.host.commit(shop.repo)
    assert len(pushes) == 3


@pytest.mark.parametrize(
    ("event", "sample"),
    [
        ("push", "push_branch"),
        ("pull_request", "pull_request_closed_merged"),
        ("check_suite", "check_suite_completed_success"),
        ("workflow_run", "workflow_run_completed_success"),
        ("issue_comment", "issue_comment_created_on_pr"),
        ("release", "release_published"),
        ("status", "status_success"),
    ],
)
def test_no_event_has_a_field_that_a_real_one_lacks(shop: Shop, event: str, sample: str) -> None:
    path = SAMPLES / "github" / f"{sample}.json"
    if not path.exists():
        pytest.skip("the recorded deliveries are not beside this checkout")
    shop.host.commit(shop.repo, branch="side")
    change = shop.host.open_change(shop.repo, "side")
    shop.host.comment(shop.repo, change.number, "hello")
    shop.host.merge(shop.repo, change.number)
    shop.host.set_status(shop.repo, shop.first, "success")
    shop.host.finish_checks(shop.repo, shop.host.start_checks(shop.repo, shop.first))
    shop.host.tag(shop.repo, "v1")
    shop.host.publish_release(shop.repo, "v1")
    bodies = shop.receiver.bodies(event)
    body = bodies[0] if event == "release" else bodies[-1]

    assert foreign_fields(body, json.loads(path.read_text(encoding="utf-8"))) == []


NEWER_THAN_THE_SAMPLES = {"visibility", "draft", "disabled", "slug", "latest_check_runs_count", "run_attempt"}


def foreign_fields(ours: Any, theirs: Any, place: str = "") -> list[str]:
    """The places of fields in `ours` that `theirs` has not."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return [each for one in ours[:1] for each in foreign_fields(one, (theirs or [one])[0], f"{place}[]")]
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return []
    found = [f"{place}.{key}" for key in ours if key not in theirs and key not in NEWER_THAN_THE_SAMPLES]
    shared = [key for key in ours if key in theirs]
    return found + [
        each for key in shared for each in foreign_fields(ours[key], theirs[key], f"{place}.{key}")
    ]
