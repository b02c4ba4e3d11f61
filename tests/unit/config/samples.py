"""A sound configuration to bend, and a short way to load one or see its faults."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.faults import ConfigurationError
from config.settings import Settings, load_settings

SECRET = "s3cret-value-that-nobody-may-see"

SOUND: dict[str, Any] = {
    "access": {"tokens": [{"name": "ops", "role": "admin", "token": SECRET + "-ops"}]},
    "hosts": {"github": {"driver": "github", "secrets": [SECRET]}},
    "platforms": {"codesphere": {"driver": "codesphere", "token": SECRET}},
    "notices": {"team": {"url": "json://localhost"}},
    "projects": {
        "shop": {
            "host": "github",
            "repository": "acme/shop",
            "target": {"platform": "codesphere", "team": 35, "plan": 8, "domain": "shop.example.com"},
        }
    },
}


def bent(*changes: tuple[str, Any]) -> dict[str, Any]:
    """Return the sound configuration with values set at dotted paths (None drops the key)."""
    tree = copy.deepcopy(SOUND)
    for path, value in changes:
        *parents, last = path.split(".")
        section: Any = tree
        for key in parents:
            section = section[int(key)] if isinstance(section, list) else section.setdefault(key, {})
        if value is None:
            del section[last]
        else:
            section[last] = copy.deepcopy(value)
    return tree


def load(
    tree: Mapping[str, Any] | str,
    environ: Mapping[str, str] | None = None,
    directory: Path = Path("nowhere"),
) -> Settings:
    """Load a tree or a text."""
    text = tree if isinstance(tree, str) else yaml.safe_dump(dict(tree), sort_keys=False)
    return load_settings(text, environ or {}, directory)


def faults(
    tree: Mapping[str, Any] | str,
    environ: Mapping[str, str] | None = None,
    directory: Path = Path("nowhere"),
) -> dict[str, str]:
    """Return the faults of a faulty tree or text as path to message, several joined by a line."""
    with pytest.raises(ConfigurationError) as caught:
        load(tree, environ, directory)
    found: dict[str, str] = {}
    for fault in caught.value.faults:
        found[fault.path] = "\n".join(filter(None, [found.get(fault.path), fault.message]))
    return found
