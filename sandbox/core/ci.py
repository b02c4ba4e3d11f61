"""Reading a ci.yml: schema v0.2 and later with services, or flat without a schema version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

DEFAULT_PORT = 3000


class InvalidCi(Exception):
    """The file is no ci.yml; the platform answers a bare 500."""


@dataclass(frozen=True)
class PathRule:
    """A path prefix that a service answers."""

    path: str
    strip: bool = False


@dataclass(frozen=True)
class Service:
    """One server of the run stage."""

    name: str
    commands: tuple[str, ...]
    replicas: int = 1
    env: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[PathRule, ...] = ()


@dataclass(frozen=True)
class CiFile:
    """A ci.yml. `services` is None in a flat file, which has `run` instead."""

    prepare: tuple[str, ...]
    test: tuple[str, ...]
    run: tuple[str, ...]
    services: Mapping[str, Service] | None


def parse(text: str) -> CiFile:
    """The parsed file; raises InvalidCi."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidCi("not YAML") from error
    top = _object(document, "the file")
    run = _object(top.get("run", {}), "run")
    prepare, test = _commands(top.get("prepare")), _commands(top.get("test"))
    if "schemaVersion" not in top:
        return CiFile(prepare, test, _commands(run), None)
    if top["schemaVersion"] not in ("v0.2", "v0.3", "v0.4"):
        raise InvalidCi(f"unknown schemaVersion {top['schemaVersion']!r}")
    services = {str(name): _service(str(name), body) for name, body in run.items()}
    return CiFile(prepare, test, (), services)


def _object(value: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidCi(f"{place} is no mapping")
    return value


def _commands(stage: object) -> tuple[str, ...]:
    if stage is None:
        return ()
    steps = _object(stage, "a stage").get("steps") or []
    if not isinstance(steps, list):
        raise InvalidCi("steps is no list")
    commands = [_object(step, "a step").get("command") for step in steps]
    if not all(isinstance(command, str) for command in commands):
        raise InvalidCi("a step has no command")
    return tuple(str(command) for command in commands)


def _service(name: str, body: object) -> Service:
    fields = _object(body, f"service {name}")
    replicas = fields.get("replicas", 1)
    if not isinstance(replicas, int) or replicas < 1:
        raise InvalidCi(f"replicas of {name} must be at least 1")
    env = {str(k): str(v) for k, v in _object(fields.get("env") or {}, "env").items()}
    return Service(name, _commands(fields), replicas, env, _paths(fields))


def _paths(fields: Mapping[str, object]) -> tuple[PathRule, ...]:
    network = _object(fields.get("network") or {}, "network")
    rules = network.get("paths")
    if rules is None and "path" in network:
        rules = [network]
    if rules is None:
        public = fields.get("isPublic") or any(
            _object(port, "a port").get("isPublic") for port in _list(network.get("ports"))
        )
        return (PathRule("/"),) if public else ()
    entries = [_object(rule, "a path") for rule in _list(rules)]
    return tuple(PathRule(str(e.get("path", "/")), bool(e.get("stripPath"))) for e in entries)


def _list(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidCi("expected a list")
    return value
