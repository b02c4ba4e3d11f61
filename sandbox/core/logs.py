"""Log streams: server-sent events, with faults as `problem` events under HTTP 200."""

from __future__ import annotations

import json

from sandbox.core.http import ApiFault, Broken, Response, problem
from sandbox.core.pipelines import advance, replica_name
from sandbox.core.platform import Platform, Workspace, timestamp
from sandbox.core.ports import LogLine, Run

STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


def of_stage(platform: Platform, workspace_id: int, stage: str, step: int) -> Response:
    """`GET logs/{stage}/{step}`; refused for the run stage of a landscape."""

    def pick(workspace: Workspace) -> list[Run]:
        if stage == "run" and workspace.landscape is not None:
            raise ApiFault(400, "Run stage logs requested for Multi Server Deployment")
        return list(_runs(workspace, stage).values())

    return _stream(platform, workspace_id, step, pick)


def of_server(platform: Platform, workspace_id: int, step: int, server: str) -> Response:
    """`GET logs/run/{step}/server/{server}`: all its replicas."""

    def pick(workspace: Workspace) -> list[Run]:
        return [r for (name, _), r in _runs(workspace, "run").items() if name == server]

    return _stream(platform, workspace_id, step, pick)


def of_replica(platform: Platform, workspace_id: int, step: int, replica: str) -> Response:
    """`GET logs/run/{step}/replica/{replica}`."""

    def pick(workspace: Workspace) -> list[Run]:
        runs = _runs(workspace, "run").items()
        return [r for (name, i), r in runs if replica_name(workspace, name, i) == replica]

    return _stream(platform, workspace_id, step, pick)


def _runs(workspace: Workspace, stage: str) -> dict[tuple[str, int], Run]:
    stage_run = workspace.stages.get(stage)
    return stage_run.runs if stage_run is not None else {}


def _stream(platform: Platform, workspace_id: int, step: int, pick: object) -> Response:
    try:
        workspace = platform.running(workspace_id)
        advance(platform, workspace)
        runs = pick(workspace) if callable(pick) else []
    except ApiFault as fault:
        return Response(200, STREAM, _event("problem", problem(fault)))
    now = platform.clock()
    lines = [line for run in runs for line in run.lines(step, now)]
    entries = [_entry(line) for line in sorted(lines, key=lambda line: line.at)]
    endless = Broken("open") if platform.quirks.log_streams_stay_open else None
    return Response(200, STREAM, _event("data", entries) if entries else b"", fault=endless)


def _entry(line: LogLine) -> dict[str, object]:
    return {"timestamp": timestamp(line.at), "kind": line.kind, "data": line.text}


def _event(name: str, value: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()
