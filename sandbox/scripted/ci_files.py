"""Texts of ci.yml for scripted commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml


def landscape_ci(
    services: Mapping[str, int] | None = None,
    *,
    prepare: Sequence[str] = ("install",),
    test: Sequence[str] = ("unit tests",),
    schema: str = "v0.2",
) -> str:
    """A ci.yml with services (name to replicas; default one `web`). The first one answers `/`."""
    counts = dict(services or {"web": 1})
    run = {name: _service(name, n, first=name == next(iter(counts))) for name, n in counts.items()}
    document = {"schemaVersion": schema, "prepare": _steps(prepare), "test": _steps(test)}
    return yaml.safe_dump(document | {"run": run}, sort_keys=False)


def flat_ci(*, prepare: Sequence[str] = ("install",), test: Sequence[str] = ("unit tests",)) -> str:
    """A ci.yml of the old kind, without services."""
    document = {"prepare": _steps(prepare), "test": _steps(test), "run": _steps(["serve"])}
    return yaml.safe_dump(document, sort_keys=False)


def _steps(commands: Sequence[str]) -> dict[str, object]:
    return {"steps": [{"command": command} for command in commands]}


def _service(name: str, replicas: int, *, first: bool) -> dict[str, object]:
    path = {"port": 3000, "path": "/" if first else f"/{name}", "stripPath": False}
    return _steps([f"serve {name}"]) | {
        "plan": 8,
        "replicas": replicas,
        "network": {"ports": [{"port": 3000, "isPublic": first}], "paths": [path]},
    }
