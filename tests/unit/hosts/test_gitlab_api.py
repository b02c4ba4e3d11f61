"""What GitLab's answers mean, and what GitLab is told."""

from __future__ import annotations

import httpx
import pytest

from tests.unit.hosts.api_answering import C1, C2, C3, Answers, ok, secret
from workers.errors import Gone, Refused
from workers.flow.ports import GitHost
from workers.hosts.gitlab_api import GitLabApi
from workers.releases.origin import (
    Check,
    CheckState,
    Comparison,
    Permission,
    Relation,
    RepositoryFacts,
)

URL = "https://gitlab.com"
NAME = "acme/web/shop"
SHOP = "/api/v4/projects/acme%2Fweb%2Fshop"
PROJECT = {
    "id": 77,
    "path_with_namespace": NAME,
    "default_branch": "main",
    "visibility": "internal",
    "http_url_to_repo": "https://gitlab.com/acme/web/shop.git",
}
NOON = 1795262400.0


def gitlab() -> tuple[GitHost, Answers]:
    answers = Answers({f"GET {SHOP}": ok(PROJECT)})
    return GitLabApi(answers.client, None, secret()), answers


def test_a_project_in_a_subgroup_is_read_and_internal_counts_as_private() -> None:
    assert gitlab()[0].repository(NAME) == RepositoryFacts(
        "77", NAME, "main", True, "https://gitlab.com/acme/web/shop.git"
    )


def test_a_moved_project_is_found_by_its_former_path_and_by_its_id() -> None:
    host, answers = gitlab()
    answers.written["GET /api/v4/projects/77"] = ok(PROJECT)
    moved = httpx.Response(301, headers={"location": f"{URL}/api/v4/projects/77"})
    answers.written["GET /api/v4/projects/acme%2Fold"] = moved

    assert host.repository("acme/old").full_name == NAME
    assert host.repository("77").full_name == NAME


@pytest.mark.parametrize("name", ["shop", "acme/", "/shop", "acme//shop", ""])
def test_what_cannot_be_a_project_is_refused_without_a_call(name: str) -> None:
    host, answers = gitlab()

    with pytest.raises(Refused, match="group/project"):
        host.repository(name)
    assert answers.asked == []


def test_branches_and_tags_are_read_by_difficult_names() -> None:
    host, answers = gitlab()
    answers.written[f"GET {SHOP}/repository/branches/feature%2Fx%20%231"] = ok(
        {"name": "feature/x #1", "commit": {"id": C1}}
    )
    answers.written[f"GET {SHOP}/repository/tags/v1%2Frc"] = ok(
        {"name": "v1/rc", "target": C3, "commit": {"id": C2}}
    )

    assert host.branch_head(NAME, "feature/x #1") == C1
    assert host.tag_commit(NAME, "v1/rc") == C2


def test_what_is_not_there_is_none_but_a_missing_project_is_gone() -> None:
    host, answers = gitlab()

    assert host.branch_head(NAME, "nope") is None
    assert host.tag_commit(NAME, "nope") is None
    assert host.compare(NAME, C1, C2) is None
    assert host.change(NAME, 9) is None
    assert host.ci_state(NAME, C1) == ()
    answers.written.clear()
    with pytest.raises(Gone):
        host.branch_head(NAME, "nope")
    with pytest.raises(Gone):
        host.ci_state(NAME, C1)


def test_branches_are_listed() -> None:
    host, answers = gitlab()
    listed = [{"name": "main", "commit": {"id": C1}}, {"name": "next", "commit": {"id": C2}}]
    answers.written[f"GET {SHOP}/repository/branches?per_page=100&page=1"] = ok(listed)

    found = host.branch_heads(NAME)

    assert (dict(found.heads), found.complete) == ({"main": C1, "next": C2}, True)


@pytest.mark.parametrize(
    ("parted", "relation"),
    [(C1, Relation.AHEAD), (C2, Relation.BEHIND), (C3, Relation.DIVERGED), (None, Relation.DIVERGED)],
)
def test_where_two_commits_parted_tells_how_they_stand(parted: str | None, relation: Relation) -> None:
    host, answers = gitlab()
    diffs = [{"old_path": "a.py", "new_path": "b.py", "diff": "@@"}]
    answers.written[f"GET {SHOP}/repository/compare?from={C1}&to={C2}&straight=false"] = ok(
        {"diffs": diffs, "compare_timeout": False}
    )
    if parted is not None:
        merge_base = f"GET {SHOP}/repository/merge_base?refs%5B%5D={C1}&refs%5B%5D={C2}"
        answers.written[merge_base] = ok({"id": parted})

    assert host.compare(NAME, C1, C2) == Comparison(relation, ("a.py", "b.py"), complete=True)


def test_a_comparison_that_gitlab_cut_says_so() -> None:
    host, answers = gitlab()
    target = f"GET {SHOP}/repository/compare?from={C1}&to={C1}&straight=false"
    answers.written[target] = ok({"diffs": [], "compare_timeout": True})

    assert host.compare(NAME, C1, C1) == Comparison(Relation.IDENTICAL, (), complete=False)


@pytest.mark.parametrize(
    ("level", "right"),
    [
        (0, Permission.NONE),
        (5, Permission.NONE),
        (10, Permission.READ),
        (20, Permission.READ),
        (25, Permission.READ),
        (30, Permission.WRITE),
        (39, Permission.WRITE),
        (40, Permission.MAINTAIN),
        (50, Permission.ADMIN),
    ],
)
def test_the_level_of_a_member_is_its_right(level: int, right: Permission) -> None:
    host, answers = gitlab()
    answers.written["GET /api/v4/users?username=mona"] = ok(
        [{"id": 4, "username": "Mona", "state": "active"}]
    )
    answers.written[f"GET {SHOP}/members/all/4"] = ok({"access_level": level, "state": "active"})

    assert host.permission(NAME, "mona") == right


@pytest.mark.parametrize(
    "users",
    [
        [],
        [{"id": 4, "username": "other", "state": "active"}],
        [{"id": 4, "username": "mona", "state": "blocked"}],
        [{"id": 5, "username": "mona", "state": "active"}],
    ],
)
def test_a_stranger_or_a_blocked_user_has_no_rights(users: list[object]) -> None:
    host, answers = gitlab()
    answers.written["GET /api/v4/users?username=mona"] = ok(users)
    answers.written[f"GET {SHOP}/members/all/4"] = ok({"access_level": 50})

    assert host.permission(NAME, "mona") == Permission.NONE


def test_a_member_that_only_waits_to_be_let_in_has_no_rights() -> None:
    host, answers = gitlab()
    answers.written["GET /api/v4/users?username=mona"] = ok([{"id": 4, "username": "mona"}])
    waiting = {"access_level": 50, "membership_state": "awaiting"}
    answers.written[f"GET {SHOP}/members/all/4"] = ok(waiting)

    assert host.permission(NAME, "mona") == Permission.NONE


def test_a_user_whose_name_is_a_number_is_not_taken_for_an_id() -> None:
    host, answers = gitlab()
    answers.written["GET /api/v4/users?username=4"] = ok([])
    answers.written[f"GET {SHOP}/members/all/4"] = ok({"access_level": 50})

    assert host.permission(NAME, "4") == Permission.NONE


def merge_request(state: str = "opened", source: int | None = 77) -> dict[str, object]:
    return {
        "iid": 5,
        "state": state,
        "sha": C1,
        "source_branch": "topic",
        "target_branch": "main",
        "source_project_id": source,
        "target_project_id": 77,
        "author": {"id": 4, "username": "mona"},
    }


@pytest.mark.parametrize(("source", "from_fork"), [(77, False), (78, True), (None, True)])
def test_an_open_merge_request_tells_its_head_and_whether_it_is_from_a_fork(
    source: int | None, from_fork: bool
) -> None:
    host, answers = gitlab()
    answers.written[f"GET {SHOP}/merge_requests/5"] = ok(merge_request(source=source))

    found = host.change(NAME, 5)

    assert found is not None
    assert (found.number, found.head, found.head_branch, found.base_branch) == (5, C1, "topic", "main")
    assert (found.from_fork, found.author) == (from_fork, "mona")


@pytest.mark.parametrize("state", ["merged", "closed", "locked"])
def test_a_merge_request_that_is_over_is_no_open_change(state: str) -> None:
    host, answers = gitlab()
    answers.written[f"GET {SHOP}/merge_requests/5"] = ok(merge_request(state))

    assert host.change(NAME, 5) is None


@pytest.mark.parametrize(
    ("status", "may_fail", "state"),
    [
        ("success", False, CheckState.SUCCESS),
        ("failed", False, CheckState.FAILURE),
        ("failed", True, CheckState.NEUTRAL),
        ("canceled", False, CheckState.FAILURE),
        ("skipped", False, CheckState.NEUTRAL),
        ("manual", True, CheckState.NEUTRAL),
        ("manual", False, CheckState.PENDING),
        ("running", True, CheckState.PENDING),
        ("created", False, CheckState.PENDING),
        ("never heard of", False, CheckState.PENDING),
    ],
)
def test_each_state_of_a_job_counts_as_what_it_is(status: str, may_fail: bool, state: CheckState) -> None:
    host, answers = gitlab()
    listed = [{"id": 1, "name": "test", "status": status, "allow_failure": may_fail}]
    answers.written[f"GET {SHOP}/repository/commits/{C1}/statuses?per_page=100&page=1"] = ok(listed)

    assert host.ci_state(NAME, C1) == (Check("test", state),)


def test_a_job_that_ran_again_counts_by_its_newest_run_and_a_pipeline_without_jobs_by_itself() -> None:
    host, answers = gitlab()
    jobs = [
        {"id": 12, "name": "test", "ref": "main", "status": "success", "pipeline_id": 2},
        {"id": 11, "name": "test", "ref": "main", "status": "failed", "pipeline_id": 1},
    ]
    pipelines = [
        {"id": 4, "status": "failed", "source": "schedule", "ref": "main"},
        {"id": 3, "status": "running", "source": "external", "ref": "main"},
        {"id": 2, "status": "running", "source": "push", "ref": "main"},
    ]
    answers.written[f"GET {SHOP}/repository/commits/{C1}/statuses?per_page=100&page=1"] = ok(jobs)
    answers.written[f"GET {SHOP}/pipelines?sha={C1}&per_page=100&page=1"] = ok(pipelines)

    assert host.ci_state(NAME, C1) == (
        Check("test", CheckState.SUCCESS),
        Check("pipeline (schedule)", CheckState.FAILURE),
    )


def test_the_token_tells_whose_it_is() -> None:
    host, answers = gitlab()
    answers.written["GET /api/v4/user"] = ok({"id": 1, "username": "project_77_bot"})

    assert host.whoami() == "project_77_bot"
