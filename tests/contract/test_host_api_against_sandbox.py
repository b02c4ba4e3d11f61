"""Our clients of Git hosts against the sandbox's strict one, which was written without looking at them.

What both dialects have in common is tried on both.
"""

from __future__ import annotations

import pytest

from sandbox.githost import Repository
from tests.contract.host_world import HOOK, NOBODY, SHOP, World
from workers.errors import Gone, Refused, TryAgain
from workers.releases.origin import (
    Check,
    CheckState,
    DeploymentReport,
    DeploymentRequest,
    Permission,
    Relation,
    ReportState,
    StatusReport,
)


@pytest.fixture(params=["github", "gitlab"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def test_the_token_tells_whose_it_is_and_a_wrong_one_is_refused(world: World) -> None:
    assert world.api.whoami() == "bot"
    with pytest.raises(Refused, match="token was refused"):
        world.client("another-token").whoami()


def test_a_repository_is_followed_by_id_and_by_its_former_name(world: World) -> None:
    before = world.api.repository(SHOP)
    world.host.rename(world.repo, "acme/store")

    assert (before.id, before.full_name, before.private) == (str(world.repo.id), SHOP, True)
    assert before.default_branch == "main"
    assert world.api.repository(before.id).full_name == "acme/store"
    assert world.api.repository(SHOP).full_name == "acme/store"
    assert world.api.branch_head(SHOP, "main") == world.first
    assert world.api.branch_head(before.id, "main") == world.first


def test_a_report_under_a_former_name_is_refused_and_goes_through_by_id(world: World) -> None:
    world.host.rename(world.repo, "acme/store")
    report = StatusReport(ReportState.PENDING, "deploy", "on its way")

    with pytest.raises(Refused):
        world.api.report_status(SHOP, world.first, report)
    world.api.report_status(str(world.repo.id), world.first, report)
    assert [status.state for status in world.repo.statuses] == ["pending"]


def test_a_repository_that_is_not_there_or_not_ours_is_gone(world: World) -> None:
    world.host.repository("other/secret")

    for name in ("other/secret", "acme/nothing", "99999"):
        with pytest.raises(Gone):
            world.api.branch_head(name, "main")


@pytest.mark.parametrize("name", ["feature/x", "fix #1", "a/b/c d", "ü"])
def test_branches_and_tags_of_any_name_are_found(world: World, name: str) -> None:
    head = world.host.commit(world.repo, branch=name)
    world.host.tag(world.repo, name, world.first)

    assert world.api.branch_head(SHOP, name) == head
    assert world.api.tag_commit(SHOP, name) == world.first


def test_an_annotated_tag_is_its_commit(world: World) -> None:
    tag_object = world.host.tag(world.repo, "v1", message="The first")

    assert tag_object != world.first
    assert world.api.tag_commit(SHOP, "v1") == world.first


def test_what_is_not_there_is_none(world: World) -> None:
    assert world.api.branch_head(SHOP, "nope") is None
    assert world.api.branch_head(SHOP, world.first[:10]) is None
    assert world.api.tag_commit(SHOP, "nope") is None
    assert world.api.compare(SHOP, world.first, NOBODY) is None
    assert world.api.compare(SHOP, world.first[:10], world.first) is None
    assert world.api.message(SHOP, NOBODY) is None
    assert world.api.message(SHOP, world.first[:10]) is None
    assert world.api.change(SHOP, 9) is None
    assert world.api.ci_state(SHOP, NOBODY) == ()


@pytest.mark.parametrize(("branches", "complete"), [(3, True), (230, True), (1100, False)])
def test_the_heads_of_branches_are_listed_and_a_cut_is_told(
    world: World, branches: int, complete: bool
) -> None:
    for number in range(branches - 1):
        world.repo.branches[f"b{number:04}"] = world.first

    found = world.api.branch_heads(SHOP)

    assert found.complete is complete
    assert len(found.heads) == min(branches, 1000)
    assert set(found.heads.values()) == {world.first}


def test_a_commit_tells_its_whole_message(world: World) -> None:
    second = world.host.commit(world.repo, message="Mend it\n\n[skip release]")

    assert world.api.message(SHOP, second) == "Mend it\n\n[skip release]"
    assert world.api.message(SHOP, world.first) == "Change"


def test_commits_are_compared_with_the_paths_that_changed(world: World) -> None:
    second = world.host.commit(world.repo, {"app.py": "2", "old.py": None, "web/new.ts": "1"})
    third = world.host.commit(world.repo, {"side.py": "1"}, branch="side", parent=world.first)

    ahead = world.api.compare(SHOP, world.first, second)
    behind = world.api.compare(SHOP, second, world.first)
    same = world.api.compare(SHOP, second, second)
    apart = world.api.compare(SHOP, second, third)

    assert ahead is not None
    assert (ahead.relation, ahead.paths) == (Relation.AHEAD, ("app.py", "old.py", "web/new.ts"))
    assert ahead.complete
    assert behind is not None
    assert (behind.relation, behind.paths) == (Relation.BEHIND, ())
    assert same is not None
    assert (same.relation, same.paths) == (Relation.IDENTICAL, ())
    assert apart is not None
    assert (apart.relation, apart.paths) == (Relation.DIVERGED, ("side.py",))


def test_more_changed_files_than_the_host_lists_are_told(world: World) -> None:
    second = world.host.commit(world.repo, {f"f{number}": "1" for number in range(1200)})

    found = world.api.compare(SHOP, world.first, second)

    assert found is not None
    assert not found.complete


@pytest.mark.parametrize(
    ("role", "right"),
    [
        ("none", Permission.NONE),
        ("read", Permission.READ),
        ("triage", Permission.READ),
        ("write", Permission.WRITE),
        ("maintain", Permission.MAINTAIN),
        ("admin", Permission.ADMIN),
    ],
)
def test_the_rights_of_people_are_known(world: World, role: str, right: Permission) -> None:
    world.host.grant(world.repo, "mona", role)  # type: ignore[arg-type]  # parametrised over the literal

    assert world.api.permission(SHOP, "mona") == right
    assert world.api.permission(SHOP, "nobody-of-this-name") == Permission.NONE


def test_an_open_change_tells_its_head_of_now_and_whether_it_is_from_a_fork(world: World) -> None:
    world.host.commit(world.repo, branch="topic")
    own = world.host.open_change(world.repo, "topic", by="mona")
    newer = world.host.commit(world.repo, branch="topic")
    fork = world.host.fork(world.repo, "stranger")
    world.host.commit(fork, branch="patch")
    foreign = world.host.open_change(world.repo, "patch", source=fork, by="stranger")

    found, from_fork = world.api.change(SHOP, own.number), world.api.change(SHOP, foreign.number)

    assert found is not None
    assert (found.head, found.head_branch, found.base_branch) == (newer, "topic", "main")
    assert (found.author, found.from_fork) == ("mona", False)
    assert from_fork is not None
    assert from_fork.from_fork
    world.host.delete_repository(fork)
    gone = world.api.change(SHOP, foreign.number)
    assert gone is not None
    assert gone.from_fork
    world.host.merge(world.repo, own.number)
    assert world.api.change(SHOP, own.number) is None


def states(checks: tuple[Check, ...]) -> list[CheckState]:
    return [check.state for check in checks]


def test_ci_is_pending_until_it_is_over(world: World) -> None:
    assert world.api.ci_state(SHOP, world.first) == ()
    suite = world.host.start_checks(world.repo, world.first)
    assert states(world.api.ci_state(SHOP, world.first)) == [CheckState.PENDING]
    world.host.finish_checks(world.repo, suite)
    assert states(world.api.ci_state(SHOP, world.first)) == [CheckState.SUCCESS]


def test_ci_that_failed_is_no_success(world: World) -> None:
    world.host.finish_checks(world.repo, world.host.start_checks(world.repo, world.first), "timed_out")

    assert states(world.api.ci_state(SHOP, world.first)) == [CheckState.FAILURE]


def test_statuses_are_reported_twice_without_harm_and_read_back_as_the_newest(world: World) -> None:
    for state in (ReportState.PENDING, ReportState.RUNNING, ReportState.RUNNING, ReportState.SUCCESS):
        world.api.report_status(
            SHOP, world.first, StatusReport(state, "deploy/shop", "x" * 300, "https://bot.example.com/r/1")
        )

    assert world.api.ci_state(SHOP, world.first) == (Check("deploy/shop", CheckState.SUCCESS),)


def test_a_status_for_a_commit_that_is_not_there_may_be_tried_again(world: World) -> None:
    with pytest.raises(TryAgain):
        world.api.report_status(SHOP, NOBODY, StatusReport(ReportState.PENDING, "deploy", ""))


def test_a_deployment_runs_and_comes_to_its_end(world: World) -> None:
    made = world.api.create_deployment(
        SHOP, DeploymentRequest(world.first, "main", "production", "Release 7")
    )
    for state in (ReportState.RUNNING, ReportState.SUCCESS, ReportState.SUCCESS):
        world.api.update_deployment(
            SHOP,
            made,
            DeploymentReport(state, "said", "https://bot.example.com/r/7", "https://shop.example.com"),
        )

    [deployment] = world.repo.deployments.values()
    assert (str(deployment.id), deployment.sha, deployment.environment) == (made, world.first, "production")
    assert deployment.statuses[-1].state == "success"


def test_a_deployment_whose_answer_was_lost_is_found_again(world: World) -> None:
    request = DeploymentRequest(world.first, "main", "production", "Release 7")
    assert world.api.find_deployment(SHOP, request) is None
    made = world.api.create_deployment(SHOP, request)
    world.api.create_deployment(SHOP, DeploymentRequest(world.first, "main", "staging", "Release 7"))

    assert world.api.find_deployment(SHOP, request) == made
    other = DeploymentRequest(world.host.commit(world.repo), "main", "production", "Release 8")
    assert world.api.find_deployment(SHOP, other) is None


def test_a_deployment_that_was_replaced_is_no_error(world: World) -> None:
    made = world.api.create_deployment(SHOP, DeploymentRequest(world.first, "main", "production"))
    for state in (ReportState.SUCCESS, ReportState.INACTIVE, ReportState.INACTIVE):
        world.api.update_deployment(SHOP, made, DeploymentReport(state))

    [deployment] = world.repo.deployments.values()
    assert deployment.statuses[-1].state == {"github": "inactive", "gitlab": "success"}[world.dialect]


def test_a_comment_is_written_and_rewritten(world: World) -> None:
    world.host.commit(world.repo, branch="topic")
    change = world.host.open_change(world.repo, "topic")

    made = world.api.comment(SHOP, change.number, "On its way")
    world.api.edit_comment(SHOP, change.number, made, "Live")

    assert [comment.body for comment in world.repo.comments.values()] == ["Live"]
    with pytest.raises(Gone):
        world.api.edit_comment(SHOP, change.number, "99999", "Late")


def test_a_delivery_that_failed_is_found_in_the_log_and_sent_again_under_its_id(world: World) -> None:
    world.host.add_hook(world.repo, HOOK, "secret" * 5, dialect=world.dialect)
    world.now += 1000
    world.host.commit(world.repo)
    world.receives = 503
    world.now += 10
    world.host.commit(world.repo)
    [hook] = [each for each in world.api.hooks(SHOP) if each.address == HOOK]

    log = world.api.deliveries(SHOP, hook.id, world.now - 100)
    missed = [entry for entry in log if not entry.ok]

    assert hook.active
    assert [entry.ok for entry in log] == [False, True]
    assert [entry.delivered_at for entry in log] == [world.now, world.now - 10]
    world.receives, world.arrived = 202, []
    world.api.redeliver(SHOP, hook.id, missed[0].id)
    [again] = world.arrived
    assert missed[0].delivery in again.headers.values()


def test_the_log_is_read_over_many_pages(world: World) -> None:
    world.host.add_hook(world.repo, HOOK, "secret" * 5, dialect=world.dialect)
    since = world.now
    for _ in range(130):
        world.now += 1
        world.host.commit(world.repo)
    [hook] = world.api.hooks(SHOP)

    log = world.api.deliveries(SHOP, hook.id, since + 1)

    assert len(log) == 130
    assert len({entry.delivery for entry in log}) == 130


def test_an_empty_repository_has_nothing_and_is_no_error(world: World) -> None:
    empty: Repository = world.host.repository("acme/empty", roles={"bot": "admin"})

    assert world.api.repository(empty.full_name).id == str(empty.id)
    assert world.api.branch_head(empty.full_name, "main") is None
    assert world.api.tag_commit(empty.full_name, "v1") is None
    assert world.api.branch_heads(empty.full_name).heads == {}
