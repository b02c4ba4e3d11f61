"""What our clients of Git hosts make of refusals, limits, broken answers, and a real network."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Garbage
from sandbox.githost import Fault
from sandbox.githost.server import LocalGitHost
from tests.contract.host_world import SHOP, TOKEN, World
from workers.errors import Effect, PlatformError, Refused, TryAgain
from workers.hosts.api_registry import git_host_of
from workers.platforms.transport import http_client
from workers.releases.origin import (
    ReportState,
    StatusReport,
)


@pytest.fixture(params=["github", "gitlab"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def test_a_token_that_may_only_read_is_refused_with_the_right_it_lacks(world: World) -> None:
    world.host.token("reader-token-0123456789", "bot", read_only=True)
    api = world.client("reader-token-0123456789")

    with pytest.raises(Refused, match="the token has no right to set the status"):
        api.report_status(SHOP, world.first, StatusReport(ReportState.PENDING, "deploy", ""))


def test_a_host_that_asks_for_quiet_is_not_called_again(world: World) -> None:
    limits = world.service.github_limits if world.dialect == "github" else world.service.gitlab_limits
    limits.block(40)

    with pytest.raises(TryAgain) as first:
        world.api.branch_head(SHOP, "main")
    asked = world.asked()
    with pytest.raises(TryAgain) as second:
        world.api.branch_head(SHOP, "main")

    assert first.value.wait == 40
    assert second.value.wait is not None
    assert 0 < second.value.wait <= 40
    assert world.asked() == asked


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_host_in_trouble_is_tried_again(world: World, status: int) -> None:
    world.service.fails(status=status)

    with pytest.raises(TryAgain):
        world.api.branch_head(SHOP, "main")
    assert world.api.branch_head(SHOP, "main") == world.first


@pytest.mark.parametrize("garbage", ["html", "truncated", "empty", "not-json"])
def test_an_answer_that_is_no_json_is_tried_again(world: World, garbage: Garbage) -> None:
    world.service.faults.add(Fault(garbage=garbage))

    with pytest.raises(TryAgain):
        world.api.repository(SHOP)


def test_a_comment_whose_answer_was_lost_may_stand(world: World) -> None:
    world.host.commit(world.repo, branch="topic")
    change = world.host.open_change(world.repo, "topic")
    world.service.faults.add(Fault(method="POST", after=True, broken="reset"))

    with pytest.raises(TryAgain) as raised:
        world.api.comment(SHOP, change.number, "On its way")

    assert raised.value.effect is Effect.UNKNOWN
    assert len(world.repo.comments) == 1


def test_nothing_of_all_this_shows_the_token(world: World) -> None:
    told: list[str] = [repr(world.api)]
    for name in ("acme/nothing", "not a name"):
        with pytest.raises(PlatformError) as raised:
            world.api.repository(name)
        told.append(repr(raised.value))

    assert TOKEN not in "".join(told)


def test_over_real_sockets_the_same_holds_and_a_broken_answer_is_tried_again() -> None:
    with LocalGitHost() as local, http_client() as http:
        local.host.token(TOKEN, "bot")
        repo = local.host.repository(SHOP, roles={"bot": "admin"})
        head = local.host.commit(repo, branch="feature/x #1 ü")
        for driver, url in (("github", local.github_url), ("gitlab", local.gitlab_url)):
            api = git_host_of(driver, url, TOKEN, http)
            assert api is not None
            assert api.branch_head(SHOP, "feature/x #1 ü") == head
            local.service.faults.add(Fault(broken="reset"))
            with pytest.raises(TryAgain):
                api.branch_head(SHOP, "main")
            local.host.rename(repo, f"acme/{driver}")
            assert api.repository(SHOP).full_name == f"acme/{driver}"
