"""Projects as values: their shape, their snapshot, their digest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.projects import ObserveSettings, ProjectSettings
from config.triggers import ManualTrigger, PushTrigger

from .samples import SECRET, bent, load


def project(**changes: Any) -> ProjectSettings:
    tree = bent(*((f"projects.shop.{path}", value) for path, value in changes.items()))
    return load(tree).projects["shop"]


@given(
    observe=st.fixed_dictionaries(
        {},
        optional={
            "for": st.integers(0, 80_000_000).map("{}ms".format),
            "every": st.integers(50, 60_000).map("{}ms".format),
        },
    ),
    env=st.dictionaries(st.from_regex(r"[A-Z_]{1,6}", fullmatch=True), st.integers() | st.booleans()),
    team=st.integers(0) | st.sampled_from(["acme", "a b"]),
)
def test_a_snapshot_survives_json_and_gives_the_same_project(
    observe: dict[str, str], env: dict[str, Any], team: int | str
) -> None:
    before = project(
        observe=observe,
        workspace={"env": env, "keep_failed": "1h"},
        target={"platform": "codesphere", "team": team, "plan": "Pro", "domain": "a.b"},
        triggers=[{"push": {"branches": ["main"]}}, {"manual": {}}],
    )

    after = ProjectSettings.from_snapshot(json.loads(json.dumps(before.snapshot())))

    assert after == before
    assert after.digest() == before.digest()


def test_the_digest_changes_with_any_setting_and_only_then() -> None:
    digests = [
        project().digest(),
        project(supersede="running").digest(),
        project(workspace={"env": {"A": "1"}}).digest(),
        project(workspace={"env": {"A": "2"}}).digest(),
        project(triggers=[{"manual": {}}]).digest(),
    ]

    assert len(set(digests)) == len(digests)
    assert project(verify={"status": 200}).digest() == digests[0]


def test_values_of_the_environment_are_masked_but_in_the_snapshot() -> None:
    shop = project(workspace={"env": {"PASSWORD": SECRET}})

    assert SECRET not in f"{shop!r} {shop} {shop.model_dump_json()}"
    assert shop.snapshot()["workspace"]["env"] == {"PASSWORD": SECRET}


def test_no_secret_is_in_the_repr_of_settings() -> None:
    settings = load(bent(("redis.url", f"redis://:{SECRET}@localhost"), ("hosts.github.token", SECRET)))

    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_broken_snapshot_is_refused_without_showing_its_values() -> None:
    broken = {**project().snapshot(), "git": SECRET}

    with pytest.raises(ValidationError) as caught:
        ProjectSettings.from_snapshot(broken)

    assert SECRET not in str(caught.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        setattr(project(), "flow", "preview")  # noqa: B010 - a type checker refuses the plain form


def test_a_push_trigger_tells_branches_from_tags() -> None:
    [trigger, manual] = project(
        triggers=[{"push": {"branches": ["main", "!wip"], "tags": ["v*"]}}, {"manual": None}]
    ).triggers

    assert isinstance(trigger, PushTrigger)
    assert trigger.takes_branch("main")
    assert not trigger.takes_branch("v1")
    assert trigger.takes_tag("v1")
    assert not trigger.takes_tag("main")
    assert manual == ManualTrigger()


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ({"domain": "Shop.Example.com"}, "https://shop.example.com"),
        ({"domain": "a.b", "public_url": "http://127.0.0.1:1/x/"}, "http://127.0.0.1:1/x"),
        ({"domain": "a.b", "public_url": None}, "https://a.b"),
    ],
)
def test_production_is_probed_at_the_domain_unless_said_otherwise(
    target: dict[str, Any], address: str
) -> None:
    shop = project(target={"platform": "codesphere", "team": 1, "plan": 8, **target})

    assert shop.target.public_url == address


def test_in_place_needs_neither_plan_nor_domain() -> None:
    shop = project(flow="in-place", target={"platform": "codesphere", "team": 1, "workspace": 7})

    assert (shop.target.plan, shop.target.domain, shop.target.public_url) == ("", "", "")


def test_python_code_gives_seconds_by_name() -> None:
    assert ObserveSettings(duration=1.5, every=0.05).duration == 1.5
