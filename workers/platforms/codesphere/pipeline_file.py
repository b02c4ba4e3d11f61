"""Reads a pipeline file (`ci.yml`, or `ci.<profile>.yml`). Pure.

Schemas: none (flat: `run: {steps: [...]}`), or v0.2 and later (`run` names services, which a landscape
deploy lays out before they can run).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from workers.errors import Refused
from workers.platforms.codesphere.rows import WORKSPACE_SERVER
from workers.releases.places import Pipeline, Service

_LARGEST_FILE = 256 * 1024
_PROFILE = re.compile(r"[\w-]+(\.[\w-]+)*", re.ASCII)


def pipeline_file_name(profile: str | None) -> str:
    """Name the file of a profile. `default` is no alias: without a profile it is `ci.yml`."""
    if profile is None:
        return "ci.yml"
    if not _PROFILE.fullmatch(profile):
        raise Refused(
            f"{profile!r} is no name of a pipeline profile: letters, digits, _ and -, parted by dots"
            " (leave the profile out for ci.yml)"
        )
    return f"ci.{profile}.yml"


def read_pipeline(text: str, name: str = "ci.yml") -> Pipeline:
    """Read what the file asks for; `Refused` says what in it is wrong."""
    content = _mapping(_loaded(text, name), name, "the file")
    run = content.get("run")
    if run is None:
        raise Refused(f"{name}: the run section is missing, so nothing would serve")
    run = _mapping(run, name, "run")
    has_prepare, has_test = (_has_steps(content.get(stage), name, stage) for stage in ("prepare", "test"))
    if content.get("schemaVersion") is None:
        if not _has_steps(run, name, "run"):
            raise Refused(f"{name}: run has no steps (a file that names services needs a schemaVersion)")
        return Pipeline(landscape=False, has_prepare=has_prepare, has_test=has_test)
    services, managed = _services(run, name)
    return Pipeline(
        landscape=True,
        has_prepare=has_prepare,
        has_test=has_test,
        services=services,
        warnings=tuple(_lost_data(service, name) for service in managed),
    )


def _loaded(text: str, name: str) -> object:
    if len(text) > _LARGEST_FILE:
        raise Refused(f"{name} is larger than {_LARGEST_FILE // 1024} KiB")
    try:
        content: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise Refused(f"{name} is no valid YAML{where}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise Refused(f"{name} is no valid YAML: {type(error).__name__}") from None
    return content


def _mapping(content: object, name: str, where: str) -> Mapping[Any, Any]:
    if not isinstance(content, dict):
        raise Refused(f"{name}: {where} must be a mapping, not {_kind(content)}")
    return content


def _kind(content: object) -> str:
    names = {type(None): "empty", list: "a list", str: "text", bool: "true or false"}
    return names.get(type(content), "a number")


def _has_steps(section: object, name: str, where: str) -> bool:
    if section is None:
        return False
    steps = _mapping(section, name, where).get("steps")
    if steps is None:
        return False
    if not isinstance(steps, list):
        raise Refused(f"{name}: {where}.steps must be a list, not {_kind(steps)}")
    for index, step in enumerate(steps):
        if not isinstance(step, dict) or not isinstance(step.get("command"), str):
            raise Refused(f"{name}: {where}.steps[{index}] needs a command")
    return bool(steps)


def _services(run: Mapping[Any, Any], name: str) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """Part what runs from what the platform manages."""
    services, managed = [], []
    for service, content in run.items():
        if not isinstance(service, str) or not service or service == WORKSPACE_SERVER:
            raise Refused(f"{name}: {str(service)[:40]!r} cannot be the name of a service")
        section = _mapping(content, name, f"run.{service}")
        if "provider" in section:
            managed.append(service)
            continue
        _has_steps(section, name, f"run.{service}")
        services.append(Service(service, _replicas(section, name, service)))
    if not services:
        raise Refused(f"{name}: run names no service of its own, so nothing would serve")
    return tuple(services), tuple(managed)


def _replicas(content: Mapping[Any, Any], name: str, service: str) -> int:
    replicas = content.get("replicas", 1)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 1:
        raise Refused(f"{name}: run.{service}.replicas must be a whole number from 1 on")
    return replicas


def _lost_data(service: str, name: str) -> str:
    return (
        f"{name} declares the managed service {service}: every release gets a new, empty one, and its data"
        " is lost when the workspace is deleted. Keep production data in a standalone managed service"
    )
