"""What the rows of a stage say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import TryAgain
from workers.platforms.codesphere.rows import report
from workers.platforms.codesphere.shapes import ROWS, RowShape
from workers.releases.places import Service, Stage, StageReport, StageState

STATES = ("waiting", "running", "success", "failure", "aborted")
BUILDS = (Stage.PREPARE, Stage.TEST)
WEB_TWICE = (Service("web", 2),)


def row(
    state: str,
    server: str = "codesphere-ide",
    replica: str = "r0",
    started: str | None = None,
    steps: tuple[str, ...] = (),
) -> RowShape:
    content = {
        "state": state,
        "server": server,
        "replica": replica,
        "startedAt": started,
        "steps": [{"state": step} for step in steps],
    }
    return ROWS.validate_python([content])[0]


def look(stage: Stage, *rows: RowShape, services: tuple[Service, ...] = (), replicas: int = 1) -> StageReport:
    return report(rows, stage, services, replicas=replicas)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("services", [(), WEB_TWICE])
def test_no_rows_at_all_are_never_finished(stage: Stage, services: tuple[Service, ...]) -> None:
    assert look(stage, services=services).state is StageState.WAITING


@pytest.mark.parametrize("stage", BUILDS)
def test_services_that_wait_do_not_hold_up_a_build(stage: Stage) -> None:
    assert look(stage, row("success"), row("waiting", "web")).state is StageState.SUCCEEDED


@pytest.mark.parametrize("stage", BUILDS)
def test_only_rows_of_services_do_not_finish_a_build(stage: Stage) -> None:
    assert look(stage, row("success", "web")).state is StageState.WAITING


@pytest.mark.parametrize("bad", ["failure", "aborted"])
def test_a_failed_build_names_its_step_server_and_replica(bad: str) -> None:
    found = look(Stage.PREPARE, row(bad, steps=("success", bad, "waiting")), row("waiting", "web"))

    assert (found.state, found.failed_step, found.server, found.replica) == (
        StageState.FAILED,
        1,
        "codesphere-ide",
        "r0",
    )
    assert "step 2 of 3" in found.detail


def test_run_is_up_when_every_replica_of_every_service_runs() -> None:
    services = (Service("web", 2), Service("jobs", 1))
    rows = [row("waiting"), row("running", "web", "a"), row("running", "jobs", "c")]

    early = look(Stage.RUN, *rows, services=services)
    late = look(Stage.RUN, *rows, row("running", "web", "b"), services=services)

    assert (early.state, late.state) == (StageState.WAITING, StageState.RUNNING)
    assert early.detail == "2 of 3 replicas running; waiting for web"


def test_a_replica_listed_twice_counts_once() -> None:
    twice = (row("running", "web", "a"), row("running", "web", "a"))

    assert look(Stage.RUN, *twice, services=WEB_TWICE).state is StageState.WAITING


def test_a_flat_run_needs_every_replica_of_the_workspace() -> None:
    first, second = row("running", replica="r0"), row("running", replica="r1")

    assert look(Stage.RUN, first, replicas=2).state is StageState.WAITING
    assert look(Stage.RUN, first, second, replicas=2).state is StageState.RUNNING


@pytest.mark.parametrize("services", [(), (Service("codesphere-ide", 1),)])
def test_run_that_ended_well_has_failed(services: tuple[Service, ...]) -> None:
    found = look(Stage.RUN, row("success", steps=("success", "success")), services=services)

    assert found.state is StageState.FAILED
    assert "all commands exited" in found.detail
    assert found.failed_step == 1


@pytest.mark.parametrize("state", ["succeeded", "failed", "stopped", "Success", ""])
def test_a_state_that_we_do_not_know_is_not_taken_for_any_other(state: str) -> None:
    with pytest.raises(TryAgain, match="does not know"):
        look(Stage.PREPARE, row(state))


def test_the_mark_is_empty_before_the_first_start_and_changes_with_each() -> None:
    never = look(Stage.RUN, row("waiting"))
    first = look(Stage.RUN, row("running", started="2026-09-01T10:00:00Z"))
    again = look(Stage.RUN, row("running", started="2026-09-01T10:00:09Z"))

    assert never.mark == ""
    assert len({first.mark, again.mark, ""}) == 3


def test_the_mark_of_a_build_stays_while_its_steps_begin() -> None:
    def building(steps: list[dict[str, str]]) -> StageReport:
        content = {"state": "running", "server": "codesphere-ide", "startedAt": "10:00", "steps": steps}
        return report(ROWS.validate_python([content]), Stage.TEST, (), replicas=1)

    one = building([{"state": "running", "startedAt": "10:00"}, {"state": "waiting"}])
    two = building([{"state": "success", "startedAt": "10:00"}, {"state": "running", "startedAt": "10:01"}])

    assert one.mark == two.mark != ""


@given(st.lists(st.tuples(st.sampled_from(STATES), st.sampled_from(("codesphere-ide", "web", "jobs")))))
def test_a_build_succeeds_only_when_the_workspace_server_did_everywhere(rows: list[tuple[str, str]]) -> None:
    found = look(Stage.TEST, *(row(state, server) for state, server in rows))
    own = [state for state, server in rows if server == "codesphere-ide"]

    assert (found.state is StageState.SUCCEEDED) == (bool(own) and set(own) == {"success"})
    assert (found.state is StageState.FAILED) == bool({"failure", "aborted"} & set(own))


@given(
    st.lists(
        st.tuples(st.sampled_from(STATES), st.sampled_from(("codesphere-ide", "web")), st.sampled_from("abc"))
    )
)
def test_run_is_never_reported_up_with_a_replica_missing_or_ended(rows: list[tuple[str, str, str]]) -> None:
    found = look(Stage.RUN, *(row(*one) for one in rows), services=WEB_TWICE)
    web = [(state, replica) for state, server, replica in rows if server == "web"]

    assert found.state is not StageState.SUCCEEDED
    if found.state is StageState.RUNNING:
        assert len({replica for state, replica in web if state == "running"}) >= 2
        assert {"success", "failure", "aborted"}.isdisjoint(state for state, _ in web)
