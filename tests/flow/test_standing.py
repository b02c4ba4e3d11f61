"""Before anything is made for a release, its Git host is asked whether the commit is still where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from sandbox.githost import Fault, RefMove
from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.hosted import HOST_URL, HostedHouse, hosted_settings
from workers.releases.model import Cause, Release
from workers.releases.status import Status

MakeHosted = Callable[..., HostedHouse]
NO_WORKSPACE: list[int] = []


@pytest.fixture
def make_hosted(store_url: str) -> Iterator[MakeHosted]:
    """Return a way to make a house with a Git host; it is closed at the end."""
    made: list[HostedHouse] = []

    def make(**changes: object) -> HostedHouse:
        made.append(HostedHouse(store_url, hosted_settings(**changes)))  # type: ignore[arg-type]  # a project's keys
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def hosted(make_hosted: MakeHosted) -> HostedHouse:
    """Return a house with a Git host."""
    return make_hosted()


def superseded(house: HostedHouse, number: int = 1) -> Release:
    """Let a release end, which must be superseded with nothing made for it."""
    release = house.settled(number)
    assert release.status is Status.SUPERSEDED, house.describe()
    assert release.failure is None
    house.rest()
    assert house.workspaces() == NO_WORKSPACE
    assert house.failed_queue() == []
    assert house.notices() == []
    return release


def test_the_head_of_its_branch_is_released_and_the_history_says_who_was_asked(hosted: HostedHouse) -> None:
    commit = hosted.told()

    hosted.live()

    assert f"github says that {commit[:12]} is the head of main" in hosted.said()
    assert hosted.asked() == 1


def test_a_commit_behind_the_head_of_its_branch_is_released(hosted: HostedHouse) -> None:
    older = hosted.commit("older")
    hosted.commit("newer, of which no delivery has come yet")
    hosted.mirror()
    hosted.push(older)

    hosted.live()

    assert hosted.served() == older
    assert hosted.asked() == 2


def test_a_commit_that_a_force_push_replaced_is_superseded_and_nothing_is_made(hosted: HostedHouse) -> None:
    base = hosted.commit("base")
    replaced = hosted.commit("replaced")
    hosted.push(replaced)
    hosted.commit("instead", parent=base)
    hosted.mirror()

    release = superseded(hosted)

    assert f"{replaced[:12]} is not on main" in release.reason
    assert "says github; nothing was made for it" in release.reason


def test_the_push_that_replaced_a_commit_is_released_in_its_stead(hosted: HostedHouse) -> None:
    base = hosted.commit("base")
    hosted.push(hosted.commit("replaced"))
    instead = hosted.commit("instead", parent=base)
    hosted.mirror()
    superseded(hosted)

    hosted.push(instead, before=base, forced=True)
    hosted.live(2)

    assert hosted.served() == instead


def test_a_commit_whose_branch_was_deleted_or_moved_back_is_superseded(hosted: HostedHouse) -> None:
    base, tip = hosted.commit("base"), hosted.commit("tip")
    hosted.mirror()
    hosted.push(tip)
    hosted.git_host.push(hosted.origin, [RefMove("refs/heads/main", base)])
    assert "main was moved back to" in superseded(hosted).reason

    hosted.git_host.push(hosted.origin, [RefMove("refs/heads/release/1", tip)])
    hosted.push(tip, branch="release/1")
    hosted.git_host.delete_ref(hosted.origin, "refs/heads/release/1")
    assert "the branch release/1 was deleted" in superseded(hosted, 2).reason


def test_a_commit_that_only_a_fork_has_never_gets_a_workspace(hosted: HostedHouse) -> None:
    hosted.told()
    hosted.live()
    stood = hosted.workspaces()
    fork = hosted.git_host.fork(hosted.origin, "mallory")
    foreign = hosted.git_host.commit(fork, {"app.py": "print(secrets)"})

    hosted.push(foreign, before=hosted.origin.branches["main"])
    release = hosted.settled(2)

    assert (release.status, release.workspace_id) == (Status.SUPERSEDED, None)
    assert "as what only a fork has" in release.reason
    assert hosted.workspaces() == stood


def test_a_host_that_lags_behind_its_own_delivery_loses_no_push(hosted: HostedHouse) -> None:
    hosted.commit("base")
    hosted.mirror()
    commit = hosted.publish("known to the delivery first")
    hosted.run(lambda: any("asking again" in line for line in hosted.said()))

    hosted.mirror()
    hosted.live()

    assert hosted.served() == commit


def test_a_moved_or_deleted_tag_is_superseded_and_one_that_stands_is_released(
    make_hosted: MakeHosted,
) -> None:
    house = make_hosted(triggers=[{"push": {"tags": ["v*"]}}])
    one, two, three = house.commit("one"), house.commit("two"), house.commit("three")
    house.mirror()
    for name, target in (("v1", one), ("v2", three)):
        house.git_host.tag(house.origin, name, target, message="annotated")
    house.push_tag("v1", one)
    house.live(1)
    house.push_tag("v2", two)
    moved = house.settled(2)
    house.push_tag("v3", three)
    gone = house.settled(3)

    assert f"the tag v2 was moved from {two[:12]} to {three[:12]}" in moved.reason
    assert "the tag v3 was deleted" in gone.reason
    assert {moved.status, gone.status} == {Status.SUPERSEDED}


def test_a_host_that_is_away_holds_a_release_up_for_two_minutes_at_most(hosted: HostedHouse) -> None:
    hosted.service.fails(times=None)
    began = hosted.clock()
    hosted.told()

    hosted.until_step("prepare")

    assert 115 < hosted.clock() - began < 150
    (line,) = [line for line in hosted.said() if line.startswith("not checked with github")]
    assert "a host must not stop releases" in line


def test_a_host_that_comes_back_is_heard(hosted: HostedHouse) -> None:
    hosted.service.fails(times=3)
    base = hosted.commit("base")
    hosted.push(hosted.commit("replaced"))
    hosted.commit("instead", parent=base)
    hosted.mirror()

    superseded(hosted)


def test_a_host_that_wants_quiet_for_long_is_not_waited_for(hosted: HostedHouse) -> None:
    hosted.service.faults.add(Fault(status=429, retry_after=3000, times=None))
    began = hosted.clock()
    hosted.told()

    hosted.until_step("prepare")

    assert hosted.clock() - began < 60


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_host_that_refuses_the_token_stops_no_release(hosted: HostedHouse, status: int) -> None:
    hosted.service.fails(status=status, times=None)
    hosted.told()

    hosted.live()

    assert any(line.startswith("not checked with github") for line in hosted.said())


def test_without_a_token_nothing_is_asked_and_nothing_is_said(store_url: str) -> None:
    house = HostedHouse(store_url, hosted_settings(token=""))
    house.commit("base")
    house.push(house.commit("nowhere at the host"))
    house.live()

    assert house.asked() == 0
    assert not [line for line in house.said() if "github" in line]
    house.close()


def test_a_commit_that_a_person_named_is_released_wherever_it_is(hosted: HostedHouse) -> None:
    base = hosted.commit("base")
    apart = hosted.commit("apart", branch="spike", parent=base)
    hosted.mirror()

    hosted.operations.start("shop", actor="ann", commit=apart)
    hosted.live()

    (line,) = [line for line in hosted.said() if line.startswith("github says")]
    assert f"{apart[:12]} is not on main" in line
    assert line.endswith("it is released all the same, since ann named the commit")


def test_a_person_who_starts_a_branch_gets_no_commit_that_is_not_on_it(hosted: HostedHouse) -> None:
    base = hosted.commit("base")
    hosted.push(hosted.commit("replaced"))
    hosted.commit("instead", parent=base)
    hosted.mirror()
    superseded(hosted)

    hosted.operations.start("shop", actor="ann", branch="main")

    superseded(hosted, 2)


def test_a_retry_asks_anew_and_only_a_forced_one_releases_what_is_on_no_branch(hosted: HostedHouse) -> None:
    base = hosted.told("base")
    hosted.live()
    hosted.told("replaced", behaviour=Behaviour(failures=(Failure("test"),)))
    failed = hosted.settled(2)
    hosted.commit("instead", parent=base)
    hosted.repository.move("spike", failed.commit)
    hosted.mirror()

    hosted.operations.retry(failed.id, actor="ann")
    plain = hosted.settled(3)
    hosted.operations.retry(failed.id, actor="ann", force=True)
    forced = hosted.settled(4)

    assert plain.status is Status.SUPERSEDED
    assert forced.status is Status.FAILED
    assert forced.failure is not None
    assert (forced.failure.cause, forced.failure.step) == (Cause.APPLICATION, "test")
    assert any("since ann forced the retry" in line for line in hosted.said(4))


def test_wherever_the_bot_dies_while_it_asks_the_release_goes_its_way(make_hosted: MakeHosted) -> None:
    points = 0
    for point in range(12):
        house = make_hosted()
        house.client.flushall()
        base = house.commit("base")
        house.push(house.commit("replaced"))
        house.commit("instead", parent=base)
        house.mirror()
        deaths = Deaths(house.transport, point)
        house.transport = deaths
        house.begin_anew()
        try:
            house.settled()
        except Killed:
            points += 1
            house.begin_anew()
            house.jump(4)
        superseded(house)
    assert points >= 10


class Killed(BaseException):
    """The bot died here."""


class Deaths(httpx.BaseTransport):
    """Kills the bot once, before or after a call to the Git host."""

    def __init__(self, beyond: httpx.BaseTransport, point: int) -> None:
        self._beyond = beyond
        self._left = point

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or die."""
        if not str(request.url).startswith(HOST_URL):
            return self._beyond.handle_request(request)
        self._pass()
        answer = self._beyond.handle_request(request)
        self._pass()
        return answer

    def _pass(self) -> None:
        self._left -= 1
        if self._left == -1:
            raise Killed
