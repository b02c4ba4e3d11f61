"""What the rows of a stage say, by the API's five states. Pure.

The status call answers 200 from the first look on, whatever the state, so only rows decide. Prepare and
test run once, on the server `codesphere-ide`; all other rows stay `waiting` there. Run goes on for ever on
every replica of every service (in a flat pipeline: of the workspace itself): `running` is the good state,
and `success` means that all its commands have exited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from workers.errors import Effect, TryAgain
from workers.platforms.codesphere.shapes import RowShape
from workers.releases.places import Service, Stage, StageReport, StageState

WORKSPACE_SERVER = "codesphere-ide"
_STATES = frozenset({"waiting", "running", "success", "failure", "aborted"})
_FAILED = frozenset({"failure", "aborted"})


def report(
    rows: Sequence[RowShape], stage: Stage, services: Sequence[Service], *, replicas: int
) -> StageReport:
    """Tell how a stage stands.

    `services` are those that must run, for the run stage of a landscape; `replicas` are the workspace's
    own, which count where there are none. For run, RUNNING is reported only when every expected replica
    runs, and SUCCEEDED never. No rows at all is WAITING. An unknown state raises `TryAgain`.
    """
    expected = _expected(stage, services, replicas)
    counted = [row for row in rows if row.server in expected]
    _check_states(counted)
    mark = _mark(counted, with_steps=stage is Stage.RUN)
    failed = _first_failed(counted, stage)
    if failed is not None:
        return StageReport(
            StageState.FAILED,
            _failure(failed, stage),
            mark,
            failed_step=_failed_step(failed),
            server=failed.server,
            replica=failed.replica or None,
        )
    state, detail = _run_state(counted, expected) if stage is Stage.RUN else _build_state(counted)
    return StageReport(state, detail, mark, complete=_complete(counted, expected), empty=not rows)


def _expected(stage: Stage, services: Sequence[Service], replicas: int) -> dict[str, int]:
    if stage is Stage.RUN and services:
        return {service.name: service.replicas for service in services}
    return {WORKSPACE_SERVER: replicas if stage is Stage.RUN else 1}


def _check_states(rows: Iterable[RowShape]) -> None:
    for row in rows:
        if row.state not in _STATES:
            raise TryAgain(
                f"{row.server} is in a state that Switchover does not know: {row.state[:40]!r} (known:"
                f" {', '.join(sorted(_STATES))}); the platform may have changed its API",
                effect=Effect.NONE,
            )


def _first_failed(rows: Iterable[RowShape], stage: Stage) -> RowShape | None:
    bad = _FAILED | {"success"} if stage is Stage.RUN else _FAILED
    return next((row for row in rows if row.state in bad), None)


def _failure(row: RowShape, stage: Stage) -> str:
    where = f"{row.server} ({row.replica})" if row.replica and row.server != WORKSPACE_SERVER else row.server
    if stage is Stage.RUN and row.state == "success":
        return f"all commands exited on {where}; the last step of run must stay in the foreground"
    step = _failed_step(row)
    which = "" if step is None else f"step {step + 1} of {len(row.steps)} of "
    return f"{which}{stage.value} on {where} ended with {row.state}"


def _failed_step(row: RowShape) -> int | None:
    for index, step in enumerate(row.steps):
        if step.state in _FAILED:
            return index
    started = [index for index, step in enumerate(row.steps) if step.state != "waiting" or step.started_at]
    return started[-1] if started else None


def _build_state(rows: Sequence[RowShape]) -> tuple[StageState, str]:
    if not rows:
        return StageState.WAITING, f"{WORKSPACE_SERVER} does not show the stage yet"
    if all(row.state == "success" for row in rows):
        return StageState.SUCCEEDED, "every step succeeded"
    if all(row.state == "waiting" for row in rows):
        return StageState.WAITING, "not begun"
    steps = [step for row in rows for step in row.steps]
    done = sum(step.state == "success" for step in steps)
    return StageState.RUNNING, f"{done} of {len(steps)} steps done" if steps else "running"


def _run_state(rows: Sequence[RowShape], expected: dict[str, int]) -> tuple[StageState, str]:
    running = {
        server: len({row.replica for row in rows if row.server == server and row.state == "running"})
        for server in expected
    }
    wanted = sum(expected.values())
    short = [server for server, count in expected.items() if running[server] < count]
    if not short and rows:
        return StageState.RUNNING, f"{wanted} of {wanted} replicas running"
    up = sum(min(running[server], count) for server, count in expected.items())
    return StageState.WAITING, f"{up} of {wanted} replicas running; waiting for {', '.join(sorted(short))}"


def _complete(rows: Sequence[RowShape], expected: dict[str, int]) -> bool:
    """Tell whether every expected replica has a row, in whatever state."""
    return all(
        len({row.replica for row in rows if row.server == server}) >= count
        for server, count in expected.items()
    )


def _mark(rows: Iterable[RowShape], *, with_steps: bool) -> str:
    # A stage that builds starts its steps one by one in one run, so only its rows tell a new run; a
    # step of run that was started anew is a process that was.
    starts = sorted(
        f"{row.server}/{row.replica}/{index}={started}"
        for row in rows
        for index, started in enumerate(
            [row.started_at, *(step.started_at for step in row.steps if with_steps)]
        )
        if started
    )
    return hashlib.sha256("\n".join(starts).encode()).hexdigest()[:16] if starts else ""
