"""Pushes that no webhook told of are found at the host, and released once."""

from __future__ import annotations

import pytest

from sandbox.githost.pushing import RefMove
from tests.flow.conftest import MakeGitHouse
from tests.flow.git_house import USUAL, GitHouse, git_settings, settled
from tests.flow.house import project
from workers import wiring
from workers.flow.looking.look import GRACE_SECONDS
from workers.releases.status import Status


@pytest.fixture(params=["github", "gitlab"])
def house(request: pytest.FixtureRequest, make_git_house: MakeGitHouse) -> GitHouse:
    """Return a bot that has looked once, with the first commit of main released and live."""
    return settled(make_git_house(request.param))


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


def test_the_first_look_notes_the_heads_and_releases_nothing(make_git_house: MakeGitHouse) -> None:
    house = make_git_house()
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


def test_a_forced_push_back_is_left_alone_where_the_trigger_ignores_it(make_git_house: MakeGitHouse) -> None:
    triggers = [{"push": {"branches": ["main"], "forced": "ignore"}}]
    house = settled(make_git_house(shop=project(triggers=triggers)))
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


def test_what_was_lost_passes_the_same_rules(make_git_house: MakeGitHouse) -> None:
    triggers = [{"push": {"branches": ["main"], "paths": ["app/**"]}}]
    house = settled(make_git_house(shop=project(triggers=triggers)))
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


def test_one_question_serves_all_projects_of_a_repository(make_git_house: MakeGitHouse) -> None:
    docs = project(target={"domain": "docs.example.com", "public_url": "http://docs.example.com"})
    house = make_git_house(shop=project(), docs=docs)
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


def test_where_it_is_switched_off_nothing_is_asked(make_git_house: MakeGitHouse) -> None:
    triggers = [{"push": {"branches": ["main"]}}, {"catch-up": {"enabled": False}}]
    house = make_git_house(shop=project(triggers=triggers))
    house.pushed("one")
    house.sweeps(2 * USUAL)

    assert len(house.service.calls) == 0


def test_without_a_token_nothing_is_asked(make_git_house: MakeGitHouse) -> None:
    house = make_git_house(token=None)
    house.pushed("one")
    house.sweeps(2 * USUAL)

    assert len(house.service.calls) == 0


def test_a_repository_that_took_the_name_is_never_released(house: GitHouse) -> None:
    house.git.rename(house.git_repo, "acme/store")
    other = house.git.repository("acme/shop", roles={"bot": "admin"})
    house.git.post.mode = "drop"
    house.git.commit(other)

    house.sweeps(2 * USUAL)

    assert len(house.made()) == 1
    assert "another repository took its name" in house.deliveries("catch-up")[0]["reason"]


def test_a_repository_that_was_renamed_is_still_swept(house: GitHouse) -> None:
    house.git.rename(house.git_repo, "acme/store")
    lost = house.lost("two")

    house.sweeps(USUAL + 60)

    assert house.commits()[1:] == [lost]
