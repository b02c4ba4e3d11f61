"""Stages and landscapes: who runs what, and the rows that tell how far it is."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.core import validation as v
from sandbox.core.ci import CiFile, InvalidCi, parse
from sandbox.core.http import ApiFault, Response, answer_empty, answer_json
from sandbox.core.platform import IDE, Landscape, Platform, StageRun, Workspace, timestamp
from sandbox.core.ports import Job, Progress, Run

SERVER_NAME = r"(?:[a-z]|[a-z][-a-z0-9]{0,30}[a-z0-9])"
NO_LANDSCAPE = "Workspace config does not have Multi Server Deployment support"


def start(platform: Platform, workspace_id: int, stage: str, profile: str = "") -> Response:
    """`POST pipeline/{stage}/start[/{profile}]`; starting what runs is a no-op."""
    workspace = platform.running(workspace_id)
    advance(platform, workspace)
    if _under_way(workspace.stages.get(stage), platform.clock()):
        return answer_empty()
    ci = _read_ci(workspace, profile)
    now = platform.clock()
    begins_at = now + platform.timing.stage_start
    if stage == "run" and workspace.landscape is not None:
        begins_at = max(begins_at, workspace.landscape.visible_at)
    before = workspace.stages.get(stage)
    if before is not None:
        before.before = None
    workspace.stages[stage] = StageRun(stage, now, begins_at, ci=ci, before=before)
    advance(platform, workspace)
    return answer_empty()


def stop(platform: Platform, workspace_id: int, stage: str) -> Response:
    """`POST pipeline/{stage}/stop`: what was running is aborted."""
    workspace = platform.running(workspace_id)
    advance(platform, workspace)
    stage_run = workspace.stages.get(stage)
    if stage_run is not None:
        stage_run.cancelled = True
        for run in stage_run.runs.values():
            run.stop(platform.clock())
    return answer_empty()


def rows(platform: Platform, workspace_id: int, stage: str) -> Response:
    """`GET pipeline/{stage}`: one row per server and replica."""
    workspace = platform.running(workspace_id)
    advance(platform, workspace)
    if platform.quirks.no_rows_before_first_start and stage not in workspace.stages:
        return answer_json([])
    return answer_json(list(_rows(platform, workspace, stage)))


def deploy(platform: Platform, workspace_id: int, profile: str = "") -> Response:
    """`POST landscape/deploy[/{profile}]`: answers at once, its servers show later."""
    workspace = platform.running(workspace_id)
    ci = _read_ci(workspace, profile)
    if ci.services is None:
        raise ApiFault(400, NO_LANDSCAPE)
    now = platform.clock()
    if workspace.landscape is not None and now < workspace.landscape.visible_at:
        raise ApiFault(500, "An internal error occurred")
    counts = {name: service.replicas for name, service in ci.services.items()}
    workspace.landscape = Landscape(ci, now + platform.timing.landscape, counts)
    return answer_empty()


def teardown(platform: Platform, workspace_id: int) -> Response:
    """`DELETE landscape/teardown`: the services go, and what ran on them."""
    workspace = platform.running(workspace_id)
    workspace.landscape = None
    stage_run = workspace.stages.pop("run", None)
    for run in stage_run.runs.values() if stage_run else ():
        run.stop(platform.clock())
    return answer_empty()


def scale(platform: Platform, workspace_id: int, body: object) -> Response:
    """`PATCH landscape/scale`: replicas per service, from the next run on."""
    workspace = platform.running(workspace_id)
    v.mapping(SERVER_NAME, v.integer(1))(body, "")
    landscape = workspace.landscape
    wanted = body if isinstance(body, dict) else {}
    if landscape is None or not wanted.keys() <= landscape.replicas.keys():
        raise ApiFault(400, "Service not found")
    landscape.replicas.update(wanted)
    return answer_empty()


def advance(platform: Platform, workspace: Workspace) -> None:
    """Begin what is due."""
    now = platform.clock()
    for stage_run in workspace.stages.values():
        if not stage_run.begun and not stage_run.cancelled and now >= stage_run.begins_at:
            stage_run.begun = True
            for job in _jobs(workspace, stage_run):
                stage_run.runs[job.server, job.replica] = workspace.home.start(job)


def replica_name(workspace: Workspace, server: str, replica: int) -> str:
    """The opaque name of a replica in rows and log paths."""
    place = "" if server == IDE else f"{server}-"
    return f"workspace-{workspace.id:08x}-{place}{replica}"


def serving_runs(workspace: Workspace, server: str) -> list[Run]:
    """The runs of the run stage on one server, in the order of the replicas."""
    stage_run = workspace.stages.get("run")
    runs = stage_run.runs if stage_run is not None else {}
    return [run for (name, _), run in sorted(runs.items(), key=lambda i: i[0]) if name == server]


def _read_ci(workspace: Workspace, profile: str) -> CiFile:
    text = workspace.home.read(f"ci.{profile}.yml" if profile else "ci.yml")
    if text is None:
        raise ApiFault(400, NO_LANDSCAPE)
    try:
        return parse(text)
    except InvalidCi as error:
        raise ApiFault(500, "An internal error occurred") from error


def _under_way(stage_run: StageRun | None, now: float) -> bool:
    if stage_run is None or stage_run.cancelled:
        return False
    if not stage_run.begun:
        return True
    states = [run.progress(now).state for run in stage_run.runs.values()]
    # A crashed replica of the run stage is restarted by itself, so the stage still runs.
    return "running" in states or (stage_run.stage == "run" and "failure" in states)


def _jobs(workspace: Workspace, stage_run: StageRun) -> Iterator[Job]:
    ci, stage, at = stage_run.ci, stage_run.stage, stage_run.begins_at
    if ci is None:
        return
    if stage != "run":
        commands = ci.prepare if stage == "prepare" else ci.test
        yield Job(stage, IDE, 0, commands, {}, at)
    elif ci.services is None:
        for replica in range(workspace.replicas):
            yield Job(stage, IDE, replica, ci.run, dict(workspace.env), at)
    elif workspace.landscape is not None:
        # The services run what the last deploy read, not what the file says now.
        for name, service in (workspace.landscape.ci.services or {}).items():
            env = dict(workspace.env) | dict(service.env)
            for replica in range(workspace.landscape.replicas[name]):
                yield Job(stage, name, replica, service.commands, env, at)


def _rows(platform: Platform, workspace: Workspace, stage: str) -> Iterator[dict[str, object]]:
    now = platform.clock()
    stage_run = workspace.stages.get(stage)
    if stage_run is not None and now < stage_run.asked_at + platform.timing.stale_rows:
        stage_run = stage_run.before or stage_run
    runs = stage_run.runs if stage_run is not None else {}
    for server, replica in _places(platform, workspace, stage, runs):
        run = runs.get((server, replica))
        name = replica_name(workspace, server, replica)
        yield {"server": server, "replica": name} | _shown(run.progress(now) if run else None)


def _places(
    platform: Platform, workspace: Workspace, stage: str, runs: dict[tuple[str, int], Run]
) -> list[tuple[str, int]]:
    places = {(IDE, 0), *runs}
    landscape = workspace.landscape
    if landscape is not None and platform.clock() >= landscape.visible_at:
        places |= {(name, i) for name, count in landscape.replicas.items() for i in range(count)}
    elif landscape is None and stage == "run":
        places |= {(IDE, i) for i in range(workspace.replicas)}
    return sorted(places, key=lambda place: (place[0] != IDE, place))


def _shown(progress: Progress | None) -> dict[str, object]:
    if progress is None:
        return {"state": "waiting", "steps": []}
    steps = [_timed(s.state, s.started_at, s.finished_at) for s in progress.steps]
    row = _timed(progress.state, progress.started_at, progress.finished_at)
    return row | {"steps": steps}


def _timed(state: str, started: float | None, finished: float | None) -> dict[str, object]:
    row: dict[str, object] = {"state": state}
    if started is not None:
        row["startedAt"] = timestamp(started)
    if finished is not None:
        row["finishedAt"] = timestamp(finished)
    return row
