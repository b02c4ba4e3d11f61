"""How YAML is read, how files are included, and how defaults lie under projects."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from config.documents import merged, parse_yaml

from .samples import SOUND, bent, faults, load

trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner),
    max_leaves=12,
)
SHOP = SOUND["projects"]["shop"]


def other(**changes: Any) -> dict[str, Any]:
    return {**SHOP, "target": {**SHOP["target"], "domain": "other.example.com"}, **changes}


def written(directory: Path, name: str, tree: Any) -> None:
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree))


def test_words_and_numbers_are_only_converted_where_nothing_is_lost() -> None:
    document, faults_found = parse_yaml(
        "{on: off, yes: true, zip: 010, version: 1.10, time: 22:22, day: 2026-01-01, n: -7, no: ~}"
    )

    assert faults_found == []
    assert document == {
        "on": "off",
        "yes": True,
        "zip": "010",
        "version": "1.10",
        "time": "22:22",
        "day": "2026-01-01",
        "n": -7,
        "no": None,
    }


def test_environment_values_stay_as_they_were_written() -> None:
    text = yaml.safe_dump({**SOUND, "projects": {}}).replace("projects: {}", "")
    text += """
projects:
  shop:
    host: github
    repository: acme/shop
    target: {platform: codesphere, team: 35, plan: 8, domain: shop.example.com}
    workspace: {env: {PORT: 8080, ZIP: 010, VERSION: 1.10, DEBUG: true, ANSWER: yes}}
"""

    env = load(text).projects["shop"].snapshot()["workspace"]["env"]

    assert env == {
        "PORT": "8080",
        "ZIP": "010",
        "VERSION": "1.10",
        "DEBUG": "true",
        "ANSWER": "yes",
    }


def test_anchors_under_extra_keys_can_be_merged_in() -> None:
    text = "x-web: &web {port: 81, host: 0.0.0.0}\nserver: {<<: *web, host: 127.0.0.2}\n"

    server = load(text).server

    assert (server.host, server.port) == ("127.0.0.2", 81)


def test_variables_under_extra_keys_need_not_be_set() -> None:
    assert load("x-notes: '${NOBODY_SET_THIS}'\n").server.port == 8080


@given(trees, trees)
def test_laying_over_keeps_what_only_one_side_says(base: Any, over: Any) -> None:
    both = merged(base, over)

    if isinstance(base, dict) and isinstance(over, dict):
        assert both.keys() == base.keys() | over.keys()
        for key in base.keys() - over.keys():
            assert both[key] == base[key]
        for key in over.keys() & base.keys():
            assert both[key] == merged(base[key], over[key])
    else:
        assert both == over


def test_defaults_merge_mappings_and_projects_replace_lists() -> None:
    tree = bent(
        ("defaults.observe", {"for": "5s", "failures": 9}),
        ("defaults.notify", ["team"]),
        ("defaults.workspace", {"env": {"A": "1", "B": "2"}}),
        ("projects.shop.observe", {"failures": 4}),
        ("projects.shop.notify", []),
        ("projects.shop.workspace", {"env": {"B": "3"}}),
    )

    shop = load(tree).projects["shop"]

    assert (shop.observe.duration, shop.observe.failures) == (5, 4)
    assert shop.notify == ()
    assert shop.snapshot()["workspace"]["env"] == {"A": "1", "B": "3"}


def test_null_means_not_stated() -> None:
    tree = "server: null\nlog: {level: null}\nprojects:\n"

    settings = load(tree)

    assert (settings.server.port, settings.log.level) == (8080, "info")


def test_included_files_bring_projects_with_defaults_and_variables(tmp_path: Path) -> None:
    written(tmp_path, "projects/a.yaml", {"projects": {"a": other(notify=["${CHAT}"])}})
    written(tmp_path, "projects/b.yaml", {"b": {**other(), "target": {**SHOP["target"], "team": 2}}})
    written(tmp_path, "projects/c.txt", "not: [read")
    tree = bent(("include", ["projects/*.yaml"]), ("defaults.supersede", "running"))

    projects = load(tree, {"CHAT": "team"}, tmp_path).projects

    assert list(projects) == ["shop", "a", "b"]
    assert projects["a"].notify == ("team",)
    assert projects["b"].supersede == "running"


def test_faults_of_included_files_name_the_file(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", {"projects": {"a": other(flow="fast", notify=["${CHAT}"]), "shop": other()}})
    written(tmp_path, "b.yaml", "projects: [")
    written(tmp_path, "c.yaml", {"server": {}, "projects": []})
    written(tmp_path, "d.yaml", "projects: {}\nprojects: {}")

    found = faults(bent(("include", ["?.yaml", "none.yaml"])), directory=tmp_path)

    assert "(in a.yaml)" in found["projects.a.flow"]
    assert "CHAT is not set" in found["projects.a.notify.0"]
    assert "(in a.yaml)" in found["projects.a.notify.0"]
    assert "defined twice, in the main file and in a.yaml" in found["projects.shop"]
    assert "b.yaml is not valid YAML on line 1" in found["include.0"]
    assert "(in c.yaml)" in found["server"]
    assert "c.yaml" in found["projects"]
    assert "d.yaml" in found["projects"]
    assert "no file none.yaml" in found["include.1"]


def test_a_file_that_two_patterns_fit_is_read_once(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", {"projects": {"a": other()}})

    projects = load(bent(("include", ["*.yaml", "a.yaml"])), directory=tmp_path).projects

    assert list(projects) == ["shop", "a"]


def test_a_project_named_after_included_ones_may_claim_nothing_of_theirs(tmp_path: Path) -> None:
    written(tmp_path, "a.yaml", {"projects": {"a": SHOP}})

    found = faults(bent(("include", ["a.yaml"])), directory=tmp_path)

    assert "projects.shop" in found["projects.a.target.domain"]
