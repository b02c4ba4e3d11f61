"""Building and running: what fails there never touches the domain, and leaves nothing behind."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from sandbox.core.platform import Timing
from sandbox.scripted.behaviour import Behaviour, Failure, Flapping
from sandbox.scripted.ci_files import flat_ci, landscape_ci
from tests.flow.conftest import MakeHouse
from tests.flow.house import House, settings
from workers.releases.model import Cause, Release
from workers.releases.status import Status, StepStatus


def fails(stage: str, *lines: str, **more: object) -> Behaviour:
    """Return the behaviour of a commit whose stage fails and prints `lines`."""
    return Behaviour(failures=(Failure(stage, lines=lines or ("boom",), **more),))  # type: ignore[arg-type]  # fields of Failure


def assert_untouched(house: House, release: Release, served: str) -> None:
    """Check that a failed release left production alone and its workspace is gone."""
    house.rest()
    assert house.served() == served
    assert house.connections() == {"/": [house.release(1).workspace_id]}
    assert house.workspaces() == [house.release(1).workspace_id]
    assert house.release(release.number).cleanup == "gone"
    assert list(house.reading.ledger()) == [str(house.release(1).workspace_id)]


@pytest.mark.parametrize("stage", ["prepare", "test", "run"])
def test_a_failing_stage_fails_the_release_with_its_last_words_and_leaves_production_alone(
    house: House, stage: str
) -> None:
    good = house.publish()
    house.live()
    house.publish("bad", fails(stage, "first line", "last line"))

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert release.record(stage).status is StepStatus.FAILED
    assert release.failure is not None
    assert (release.failure.step, release.failure.cause) == (stage, Cause.APPLICATION)
    assert release.failure.log[-2:] == ("first line", "last line")
    assert stage in release.reason
    assert house.failed_queue() == [2]
    assert_untouched(house, release, good)


def test_a_failed_workspace_is_kept_for_inspection_as_long_as_the_settings_say(make_house: MakeHouse) -> None:
    house = make_house(settings(workspace={"keep_failed": "30m"}))
    house.publish("bad", fails("test"))
    release = house.settled()

    house.rest(29 * 60)
    kept = house.workspaces()
    house.rest(2 * 60)

    assert kept == [release.workspace_id]
    assert house.workspaces() == []


def test_the_next_push_goes_live_after_a_failed_one_and_empties_the_failed_queue(house: House) -> None:
    house.publish("bad", fails("test"))
    house.settled()
    good = house.publish("fixed", Behaviour())

    house.live(2)

    assert house.served() == good
    assert house.failed_queue() == []


@pytest.mark.parametrize("stage", ["prepare", "test"])
def test_a_stage_that_never_ends_fails_at_its_deadline(make_house: MakeHouse, stage: str) -> None:
    house = make_house(settings(stages={stage: {"timeout": "5m"}}))
    house.publish("stuck", Behaviour(stuck=(stage,)))
    began = house.until_step(stage).record(stage).started_at or 0.0

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.reason.startswith(f"{stage} did not end within 5m")
    assert 300 <= (release.finished_at or 0.0) - began <= 312
    house.rest()
    assert house.workspaces() == []


def test_a_run_stage_that_never_begins_fails_at_its_deadline(house: House) -> None:
    house.publish("waiting", Behaviour(waiting=("run",)))

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.reason.startswith("run did not end within 10m")


def test_a_deadline_counts_while_the_platform_answers_only_errors(house: House) -> None:
    house.publish()
    house.until_step("prepare")
    house.sandbox.faults.add(Fault(path="/workspaces/.*", times=None, status=503))

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert release.failure.cause is Cause.TRANSIENT
    assert release.reason.startswith("prepare did not end within 30m")


def test_a_deadline_counts_while_the_platform_refuses_every_call_as_too_many(house: House) -> None:
    house.publish()
    house.sandbox.faults.add(Fault(path="/workspaces", method="POST", times=None, status=429))

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.reason.startswith("create did not end within 15m")
    house.rest()
    assert house.workspaces() == []


def test_empty_stages_are_skipped(house: House) -> None:
    house.publish(files={"ci.yml": landscape_ci(prepare=(), test=())})

    release = house.live()

    assert release.record("prepare").status is StepStatus.SKIPPED
    assert release.record("test").status is StepStatus.SKIPPED


def test_tests_are_skipped_where_the_project_says_so(make_house: MakeHouse) -> None:
    house = make_house(settings(stages={"test": {"run": False}}))
    house.publish("its tests would fail", fails("test"))

    release = house.live()

    assert release.record("test").status is StepStatus.SKIPPED
    assert release.record("test").detail == "stages.test.run is off"


def test_one_failing_replica_of_three_fails_the_release(house: House) -> None:
    good = house.publish(files={"ci.yml": landscape_ci({"web": 3})})
    house.live()
    house.publish("one fails", fails("run", "no memory", server="web", replica=2))

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert release.failure.log[-1] == "no memory"
    assert "web" in release.reason
    assert_untouched(house, release, good)


def test_a_flapping_replica_never_counts_as_stable(make_house: MakeHouse) -> None:
    house = make_house(settings(stages={"run": {"timeout": "1m"}}))
    flapping = Behaviour(flapping=(Flapping(up=0.3, down=0.0, server="web", replica=1),))
    house.publish("flaps", flapping, files={"ci.yml": landscape_ci({"web": 2})})

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.step == "run"
    assert house.connections() == {}


def test_an_application_whose_commands_all_exit_is_a_failure(house: House) -> None:
    house.publish("exits", fails("run", "bye", cleanly=True))

    release = house.settled()

    assert release.status is Status.FAILED
    assert "the last step of run must stay in the foreground" in release.reason


def test_a_flat_pipeline_file_goes_live_without_a_landscape(house: House) -> None:
    commit = house.publish(files={"ci.yml": flat_ci()})

    house.live()

    assert house.served() == commit
    assert not [call for call in house.sandbox.calls if "landscape" in call.path]


def test_every_replica_of_every_service_is_up_before_the_switch(house: House) -> None:
    services = {"web": 2, "worker": 3}
    commit = house.publish(files={"ci.yml": landscape_ci(services)})

    release = house.live()

    assert house.served() == commit
    assert release.record("run").detail == "5 of 5 replicas running"


def test_a_profile_names_the_pipeline_file(make_house: MakeHouse) -> None:
    house = make_house(settings(workspace={"profile": "production"}))
    commit = house.publish(files={"ci.production.yml": landscape_ci({"web": 2}), "ci.yml": "{"})

    release = house.live()

    assert house.served() == commit
    assert release.record("run").detail == "2 of 2 replicas running"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "could not read ci.yml"),
        ("run: [", "ci.yml is no valid YAML"),
        ("schemaVersion: v0.2\nrun: {}\n", "names no service"),
    ],
    ids=["missing", "no YAML", "no service"],
)
def test_an_unusable_pipeline_file_is_named_in_the_failure(
    house: House, text: str | None, words: str
) -> None:
    house.commit()
    house.publish(files={"ci.yml": text})

    release = house.settled()

    assert release.status is Status.FAILED
    assert words in release.reason
    house.rest()
    assert house.workspaces() == []


def test_a_platform_that_shows_no_rows_before_the_first_start_is_understood(house: House) -> None:
    house.sandbox.quirks.no_rows_before_first_start = True
    commit = house.publish()

    house.live()

    assert house.served() == commit


def test_rows_that_lag_behind_are_waited_for(make_house: MakeHouse) -> None:
    house = make_house(timing=Timing(stale_rows=3.0, stage_start=2.0, landscape=5.0))
    good = house.publish()
    house.live()
    house.publish("bad", fails("run"))

    release = house.settled(2)

    assert release.status is Status.FAILED
    assert_untouched(house, release, good)


def test_a_platform_that_redirects_to_the_data_centre_is_followed(house: House) -> None:
    house.sandbox.quirks.datacenter_redirect = True
    commit = house.publish()

    house.live()

    assert house.served() == commit


@pytest.mark.parametrize("step", ["prepare", "test", "run"])
def test_a_workspace_that_fell_asleep_is_woken(house: House, step: str) -> None:
    commit = house.publish("slow", Behaviour(step_seconds=10.0))
    release = house.until_step(step)
    house.sandbox.put_to_sleep(release.workspace_id or 0)

    house.live()

    assert house.served() == commit


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
def test_an_unanswered_wake_is_settled(house: House, after: bool) -> None:
    commit = house.publish("slow", Behaviour(step_seconds=10.0))
    release = house.until_step("prepare")
    house.sandbox.faults.add(Fault(method="PATCH", path="/workspaces/[0-9]+", broken="reset", after=after))
    house.sandbox.put_to_sleep(release.workspace_id or 0)

    house.live()

    assert house.served() == commit


@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
@pytest.mark.parametrize(
    "path",
    ["pipeline/prepare/start", "pipeline/test/start", "landscape/deploy", "pipeline/run/start", "execute"],
)
def test_a_call_that_goes_unanswered_is_settled_by_looking(house: House, path: str, after: bool) -> None:
    house.sandbox.faults.add(
        Fault(method="POST", path=f"/workspaces/[0-9]+/{path}", broken="reset", after=after)
    )
    house.commit()
    commit = house.publish()
    house.commit("the branch moves on, so that the commit must be checked out")

    release = house.live()

    assert house.served() == commit
    assert house.workspaces() == [release.workspace_id]


def test_a_platform_that_is_away_for_minutes_costs_no_release(house: House) -> None:
    commit = house.publish()
    house.until_step("test")
    house.sandbox.faults.add(Fault(times=None, broken="refused"))
    house.rest(300)
    house.sandbox.faults.clear()

    house.live()

    assert house.served() == commit


def test_a_platform_that_is_not_configured_is_named_and_waited_for(house: House) -> None:
    house.publish()
    platforms = dict(house.settings.platforms)
    house.settings.platforms.clear()
    house.run(seconds=60)
    blocked_by = house.release().blocked_by
    house.settings.platforms.update(platforms)

    house.live()

    assert blocked_by is not None
    assert "platform codesphere is not configured" in blocked_by
