"""Pushes that no webhook told of are found at the host, and released once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.githost.model import Dialect
from sandbox.githost.pushing import RefMove
from tests.flow.git_house import GitHouse, git_settings
from tests.flow.house import project
from workers import wiring
from workers.errors import StoreAway
from workers.flow.looking.look import GRACE_SECONDS
from workers.releases.status import Status
from workers.store.sweeps import SweepStore

MakeGitHouse = Callable[..., GitHouse]
USUAL = 300.0
"""How often a sweep looks without an entry of its own."""


@pytest.fixture
def make_house(store_url: str) -> Iterator[MakeGitHouse]:
    made: list[GitHouse] = []

    def make(dialect: Dialect = "github", **more: Any) -> GitHouse:
        made.append(GitHouse(store_url, git_settings(dialect, **more), dialect=dialect))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture(params=["github", "gitlab"])
def house(request: pytest.FixtureRequest, make_house: MakeGitHouse) -> GitHouse:
    """Return a bot that has looked once, with the first commit of main released and live."""
    return settled(make_house(request.param))


@pytest.fixture
def polling(make_house: MakeGitHouse) -> GitHouse:
    triggers = [
        {"push": {"branches": ["main"]}},
        {"poll": {"every": "30s"}},
        {"catch-up": {"enabled": False}},
    ]
    return settled(make_house(shop=project(triggers=triggers)))


def settled(house: GitHouse) -> GitHouse:
    house.pushed("one")
    house.live()
    house.sweep()
    return house


def test_a_push_whose_webhook_was_lost_is_released_after_a_second_look(house: GitHouse) -> None:
    lost = house.lost("two\n\nIn detail.")

    house.sweep(USUAL)
    before = house.commits()
    house.sweep(GRACE_SECONDS)
    house.sweeps(2 * USUAL)

    assert lost not in before
    assert house.commits()[1:] == [lost]
    release = house.live(2)
    assert (release.trigger.kind, release.trigger.host, release.trigger.event) == (
        "catch-up",
        "github",
        "push",
    )
    assert release.reason.startswith("two") or release.status is Status.LIVE
    [delivery] = house.deliveries("catch-up")
    assert delivery["verdict"] == "accepted"
    assert delivery["releases"] == [release.id]
    assert house.served() == lost


def test_the_first_look_notes_the_heads_and_releases_nothing(make_house: MakeGitHouse) -> None:
    house = make_house()
    house.lost("one")
    house.lost("two", branch="release/1")

    house.sweeps(2 * USUAL)
    assert house.made() == []

    lost = house.lost("three", branch="release/1")
    house.sweeps(USUAL + 60)
    assert house.commits() == [lost]


def test_a_new_branch_that_a_trigger_takes_is_caught_up_and_another_is_not(house: GitHouse) -> None:
    taken = house.lost("new", branch="release/2")
    house.lost("mine", branch="feature")

    house.sweeps(USUAL + 60)

    assert house.commits()[1:] == [taken]


def test_branches_that_only_a_new_pattern_takes_are_noted_at_first(house: GitHouse) -> None:
    house.lost("mine", branch="develop")
    house.sweeps(USUAL + 60)
    house.settings = git_settings(
        house.dialect, shop=project(triggers=[{"push": {"branches": ["main", "develop"]}}])
    )
    house.begin()
    main = house.lost("lost with it")

    house.sweeps(USUAL + 60)
    develop = house.lost("more", branch="develop")
    house.sweeps(USUAL + 60)

    assert house.commits()[1:] == [main, develop]


def test_a_webhook_that_is_only_late_comes_first_and_nothing_is_doubled(house: GitHouse) -> None:
    house.git.post.mode = "hold"
    late = house.pushed("two")
    house.sweep(USUAL)
    house.git.post.mode = "send"
    house.git.post.deliver()

    house.sweeps(USUAL)

    assert house.commits()[1:] == [late]
    assert house.made()[1].trigger.kind == "push"
    assert house.deliveries("catch-up") == []


def test_a_webhook_that_comes_after_the_sweep_joins_its_release(house: GitHouse) -> None:
    house.git.post.mode = "hold"
    late = house.pushed("two")
    house.sweeps(USUAL + 60)
    house.live(2)
    house.git.post.mode = "send"
    house.git.post.deliver()

    assert house.commits()[1:] == [late]
    last = house.deliveries()[-1]
    assert (last["verdict"], last["releases"]) == ("duplicate", [house.made()[1].id])


def test_a_webhook_that_comes_after_the_release_of_the_sweep_failed_does_not_repeat_it(
    house: GitHouse,
) -> None:
    house.git.post.mode = "hold"
    house.pushed("two")
    house.sweeps(USUAL + 60)
    house.operations.cancel(house.made()[1].id, actor="ann")
    house.settled(2)
    house.git.post.mode = "send"
    house.git.post.deliver()

    assert len(house.made()) == 2


def test_an_older_push_that_comes_after_the_sweep_never_wins(house: GitHouse) -> None:
    house.git.post.mode = "hold"
    house.pushed("two")
    house.jump(5)
    newest = house.pushed("three")
    house.sweeps(USUAL + 60)
    house.git.post.mode = "send"
    house.git.post.newest_first = False
    house.git.post.deliver()
    house.sweeps(USUAL + 60)

    assert house.commits()[1:] == [newest]


def test_a_push_that_comes_while_the_host_is_asked_is_not_overtaken(house: GitHouse) -> None:
    lost = house.lost("two")
    house.sweep(USUAL)
    pushed: list[str] = []
    house.while_asked(lambda: pushed.append(house.pushed("three")))
    house.sweeps(USUAL + 60)

    assert len(pushed) == 1
    assert house.commits()[1:] == pushed
    assert lost not in house.commits()


def test_a_receiver_that_is_away_while_three_pushes_come_releases_the_newest_once(house: GitHouse) -> None:
    house.receives = False
    for message in ("two", "three", "four"):
        newest = house.pushed(message)
        house.jump(20)
    house.receives = True
    house.nudge()

    house.sweeps(30)
    inside = house.commits()
    house.sweeps(2 * USUAL)

    assert inside[1:] == [newest]
    assert house.commits()[1:] == [newest]


def test_the_same_without_a_log_of_the_host(make_house: MakeGitHouse) -> None:
    house = settled(make_house(public_url=None))
    house.receives = False
    for message in ("two", "three", "four"):
        newest = house.pushed(message)
        house.jump(20)
    house.receives = True
    house.nudge()

    house.sweeps(30)

    assert house.commits()[1:] == [newest]
    assert house.made()[1].trigger.kind == "catch-up"


def test_a_failed_webhook_is_sent_again_once_and_not_doubled_by_the_sweep(house: GitHouse) -> None:
    house.git.post.failures.append(502)
    failed = house.pushed("two")

    house.sweep(USUAL)
    at_once = house.commits()
    house.sweeps(3 * USUAL)

    assert at_once[1:] == [failed]
    assert house.commits()[1:] == [failed]
    assert house.made()[1].trigger.kind == "push"
    again = [each for each in house.git.post.of_hook(house.git_hook.id) if each.redelivery]
    assert len(again) == 1


def test_what_keeps_failing_is_asked_for_once_and_then_caught_up(house: GitHouse) -> None:
    house.git.post.failures.extend([502, 502, 502])
    failed = house.pushed("two")

    house.sweeps(3 * USUAL)

    assert len([each for each in house.git.post.of_hook(house.git_hook.id) if each.redelivery]) == 1
    assert house.commits()[1:] == [failed]
    assert house.made()[1].trigger.kind == "catch-up"


def test_a_tag_that_failed_is_sent_again_and_one_that_was_lost_changes_nothing(
    make_house: MakeGitHouse,
) -> None:
    triggers = [{"push": {"branches": ["main"], "tags": ["v*"]}}]
    house = settled(make_house(shop=project(triggers=triggers)))
    house.git.post.failures.append(502)
    house.git.tag(house.git_repo, "v1")
    house.sweeps(USUAL + 60)
    tagged = [release.ref for release in house.made()[1:]]
    house.git.post.mode = "drop"
    house.git.tag(house.git_repo, "v2")
    house.git.post.mode = "send"
    house.sweeps(USUAL + 60)

    assert tagged == ["refs/tags/v1"]
    assert len(house.made()) == 2


def test_a_forced_push_back_that_was_lost_is_released_as_the_trigger_says(house: GitHouse) -> None:
    first = house.commits()[0]
    house.pushed("two")
    house.live(2)
    house.sweep(USUAL)
    house.repository.move("main", first)
    house.git.post.mode = "drop"
    house.mirror()
    house.git.post.mode = "send"

    house.sweeps(USUAL + 60)

    assert house.commits()[2:] == [first]
    assert "moved back" in house.made()[2].reason or house.made()[2].status is Status.QUEUED


def test_a_forced_push_back_is_left_alone_where_the_trigger_ignores_it(make_house: MakeGitHouse) -> None:
    triggers = [{"push": {"branches": ["main"], "forced": "ignore"}}]
    house = settled(make_house(shop=project(triggers=triggers)))
    first = house.commits()[0]
    house.pushed("two")
    house.live(2)
    house.repository.move("main", first)
    house.git.post.mode = "drop"
    house.mirror()
    house.git.post.mode = "send"

    house.sweeps(5 * USUAL)

    assert len(house.made()) == 2
    [delivery] = house.deliveries("catch-up")
    assert (delivery["verdict"], delivery["repeats"]) == ("ignored", 0)
    assert "forced: ignore" in delivery["reason"]


def test_a_branch_that_goes_the_same_way_twice_is_caught_up_twice(house: GitHouse) -> None:
    first = house.commits()[0]
    second = house.lost("two")
    house.sweeps(USUAL + 60)
    house.live(2)
    for number, commit in ((3, first), (4, second), (5, first)):
        house.repository.move("main", commit)
        house.git.post.mode = "drop"
        house.mirror()
        house.git.post.mode = "send"
        house.sweeps(USUAL + 60)
        house.live(number)

    assert house.commits() == [first, second, first, second, first]


def test_a_branch_that_was_deleted_is_left_alone_and_counts_anew_when_it_comes_back(house: GitHouse) -> None:
    one = house.pushed("one", branch="release/1")
    house.live(2)
    house.git.post.mode = "drop"
    house.git.push(house.git_repo, [RefMove("refs/heads/release/1", None)])
    house.git.post.mode = "send"
    house.sweeps(USUAL + 60)
    gone = house.commits()
    del house.repository.branches["release/1"]
    two = house.lost("two", branch="release/1")
    house.sweeps(USUAL + 60)

    assert gone[1:] == [one]
    assert house.commits()[2:] == [two]


def test_what_a_rule_kept_back_is_not_taken_for_lost(house: GitHouse) -> None:
    house.pushed("two [skip release]")

    house.sweeps(2 * USUAL)

    assert len(house.made()) == 1
    assert house.deliveries("catch-up") == []


def test_what_was_lost_passes_the_same_rules(make_house: MakeGitHouse) -> None:
    triggers = [{"push": {"branches": ["main"], "paths": ["app/**"]}}]
    house = settled(make_house(shop=project(triggers=triggers)))
    house.lost("no", files={"docs/x": "1"})
    house.sweeps(USUAL + 60)
    house.lost("never [skip release]", files={"app/x": "1"})
    house.sweeps(2 * USUAL)
    none = house.commits()[1:]
    fits = house.lost("yes", files={"app/x": "2"})
    house.sweeps(USUAL + 60)

    assert none == []
    assert house.commits()[1:] == [fits]
    verdicts = [(each["verdict"], each["repeats"]) for each in house.deliveries("catch-up")]
    assert verdicts == [("ignored", 0), ("ignored", 0), ("accepted", 0)]


def test_two_workers_look_once_in_the_time(house: GitHouse, store_url: str) -> None:
    other = wiring.build(house.settings, redis_url=store_url, offset=house.offset, transport=house.transport)
    house.lost("two")
    house.jump(USUAL)
    before = len(house.service.calls)
    house.services.sweeper.run()
    one = len(house.service.calls)
    other.sweeper.run()

    assert one > before
    assert len(house.service.calls) == one
    for _ in range(12):
        house.jump(5)
        other.sweeper.run()
        house.services.sweeper.run()
    other.close()
    assert len(house.made()) == 2


def test_one_question_serves_all_projects_of_a_repository(make_house: MakeGitHouse) -> None:
    docs = project(target={"domain": "docs.example.com", "public_url": "http://docs.example.com"})
    house = make_house(shop=project(), docs=docs)
    house.pushed("one")
    house.sweep()
    lost = house.lost("two")
    before = len(house.service.called("GET", "/repos/acme/shop/branches"))
    house.sweep(USUAL)
    asked = len(house.service.called("GET", "/repos/acme/shop/branches")) - before
    house.sweep(GRACE_SECONDS)

    assert asked == 1
    assert (house.commits("shop")[-1], house.commits("docs")[-1]) == (lost, lost)
    assert len(house.deliveries("catch-up")) == 1


def test_a_rate_limit_leaves_it_to_a_later_look_without_asking_again(make_house: MakeGitHouse) -> None:
    house = settled(make_house())
    lost = house.lost("two")
    house.service.github_limits.block(900)
    house.sweep(USUAL)
    refused = len(house.service.calls)
    house.sweeps(USUAL)
    quiet = len(house.service.calls)

    assert quiet == refused
    assert len(house.made()) == 1
    house.begin()
    house.jump(900)
    house.sweeps(USUAL + 60)
    assert house.commits()[1:] == [lost]


def test_a_host_that_is_away_is_looked_at_again_when_it_is_back(house: GitHouse) -> None:
    lost = house.lost("two")
    house.service.fails(status=502, times=None)
    house.sweeps(2 * USUAL)
    assert len(house.made()) == 1

    house.service.faults.clear()
    house.sweeps(USUAL + 60)
    assert house.commits()[1:] == [lost]


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_around_writing_down_leaves_one_release(house: GitHouse, when: str) -> None:
    lost = house.lost("two")
    house.sweep(USUAL)
    house.dies_writing_down(Killed, when)
    with pytest.raises(Killed):
        house.sweep(GRACE_SECONDS)

    house.begin()
    house.sweeps(120)

    assert house.commits()[1:] == [lost]


def test_after_the_store_was_away_nobody_waits_for_the_usual_turn(
    house: GitHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.sweep(20)
    with monkeypatch.context() as away:
        away.setattr(SweepStore, "take", _raise_away)
        with pytest.raises(StoreAway):
            house.sweep(5)
    lost = house.lost("two")

    house.sweeps(30)

    assert house.commits()[1:] == [lost]


def _raise_away(*_: object, **__: object) -> None:
    raise StoreAway("the store cannot be reached")


def test_where_it_is_switched_off_nothing_is_asked(make_house: MakeGitHouse) -> None:
    triggers = [{"push": {"branches": ["main"]}}, {"catch-up": {"enabled": False}}]
    house = make_house(shop=project(triggers=triggers))
    house.pushed("one")
    house.sweeps(2 * USUAL)

    assert len(house.service.calls) == 0


def test_without_a_token_nothing_is_asked(make_house: MakeGitHouse) -> None:
    house = make_house(token=None)
    house.pushed("one")
    house.sweeps(2 * USUAL)

    assert len(house.service.calls) == 0


def test_a_poll_releases_a_push_within_its_time_and_once(polling: GitHouse) -> None:
    polling.receives = False
    polled = polling.pushed("two")

    polling.sweep(30)
    at_once = polling.commits()
    polling.sweeps(120)

    assert at_once[1:] == [polled]
    assert polling.commits()[1:] == [polled]
    assert polling.made()[1].trigger.kind == "poll"


def test_a_poll_and_webhooks_together_release_each_push_once(polling: GitHouse) -> None:
    polling.git.post.mode = "hold"
    one = polling.pushed("two")
    polling.sweep(30)
    polling.git.post.mode = "send"
    polling.git.post.deliver()
    two = polling.pushed("three")
    polling.sweeps(120)

    assert polling.commits()[1:] == [one, two]
    assert [release.trigger.kind for release in polling.made()[1:]] == ["poll", "push"]


def test_a_poll_waits_with_a_head_that_was_there_before(polling: GitHouse) -> None:
    first = polling.commits()[0]
    polling.pushed("two")
    polling.live(2)
    polling.git.post.mode = "drop"
    polling.repository.move("main", first)
    polling.mirror()

    polling.sweep(30)
    at_once = len(polling.made())
    polling.sweeps(60)

    assert at_once == 2
    assert polling.commits()[2:] == [first]
