"""The two files that ship with Switchover: complete, true, and quick to load."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

import config
from config.documents import parse_yaml
from config.projects import ProjectSettings
from config.reporting import is_section, members
from config.settings import Settings, load_settings, read_settings
from config.values import keys_of

HERE = Path(config.__file__).parent
REFERENCE = HERE / "reference.yaml"
VARIABLES = {
    name: "a-value-of-24-characters" + name
    for name in re.findall(r"\$\{([A-Z_]+)\}", REFERENCE.read_text() + (HERE / "switchover.yaml").read_text())
}
LOADED_BEFORE = {"defaults", "include"}
"""Keys that are worked into the projects before there are settings."""


def field_paths(annotation: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every key, with * for the keys of a free mapping and the items of a list."""
    for member in members(annotation):
        if is_section(member):
            below = f"{path}.{member.kind}" if hasattr(member, "kind") else path
            if hasattr(member, "kind"):
                yield below.removeprefix(".")
            for key, inner in keys_of(member).items():
                yield f"{below}.{key}".removeprefix(".")
                yield from field_paths(inner, f"{below}.{key}")
        elif get_origin(member) is dict:
            yield from field_paths(get_args(member)[1], f"{path}.*")
        elif get_origin(member) is tuple:
            yield from field_paths(get_args(member)[0], f"{path}.*")


def key_paths(value: Any, known: set[str], path: str = "") -> Iterator[str]:
    """Yield the same paths for what a file says."""
    if isinstance(value, list):
        for each in value:
            yield from key_paths(each, known, f"{path}.*")
    elif isinstance(value, dict):
        free = any(each.startswith(f"{path}.*".removeprefix(".")) for each in known)
        for key, each in value.items():
            below = f"{path}.*" if free or path.endswith(".env") else f"{path}.{key}"
            if not below.endswith("*"):
                yield below.removeprefix(".")
            yield from key_paths(each, known, below)


def reference_tree() -> dict[str, Any]:
    tree, faults = parse_yaml(REFERENCE.read_text())
    assert faults == []
    return {key: value for key, value in tree.items() if not key.startswith("x-")}


def test_the_reference_names_every_setting_and_nothing_else() -> None:
    known = set(field_paths(Settings))

    named = set(key_paths(reference_tree(), known))

    assert named - known == LOADED_BEFORE
    assert known - named == set()


def test_every_value_of_the_reference_that_is_not_required_is_the_default() -> None:
    full = read_settings(REFERENCE, VARIABLES)
    bare = ProjectSettings.model_validate(
        {
            "name": "shop",
            "host": "github",
            "repository": "acme/shop",
            "target": {"platform": "codesphere", "team": 35, "plan": 8, "domain": "shop.example.com"},
        }
    )
    stated = full.projects["shop"].snapshot()
    expected = bare.snapshot()
    for shown_as_examples in ("triggers", "notify", "workspace"):
        del stated[shown_as_examples], expected[shown_as_examples]

    assert stated == expected
    for section in ("redis", "state_dir", "log", "retention"):
        assert getattr(full, section) == getattr(Settings(), section)
    assert full.server.model_copy(update={"public_url": None}) == Settings().server


def test_the_reference_loads_within_a_tenth_of_a_second() -> None:
    read_settings(REFERENCE, VARIABLES)  # the first time compiles patterns

    times = []
    for _ in range(3):
        start = time.perf_counter()
        read_settings(REFERENCE, VARIABLES)
        times.append(time.perf_counter() - start)

    assert min(times) < 0.1


def test_the_starting_configuration_needs_three_variables() -> None:
    needed = ("SWITCHOVER_ADMIN_TOKEN", "GITHUB_WEBHOOK_SECRET", "CODESPHERE_TOKEN")

    settings = read_settings(HERE / "switchover.yaml", {name: VARIABLES[name] for name in needed})

    shop = settings.projects["shop"]
    assert (shop.target.team, shop.target.plan) == (35, 8)
    assert shop.target.public_url == "https://shop.example.com"
    assert settings.redis.url is None
    assert settings.hosts["github"].token is None


def test_the_example_of_the_contract_loads() -> None:
    contract = Path(__file__).parents[4] / "shared" / "design.md"
    if not contract.is_file():
        pytest.skip("the design card does not lie beside this checkout")
    section = contract.read_text().partition("### 3.2")[2]
    text = section.partition("```yaml\n")[2].partition("```")[0]

    shop = load_settings(text, VARIABLES, HERE).projects["shop"]

    assert shop.triggers[0].kind == "push"
    assert shop.observe.every == 0.2
