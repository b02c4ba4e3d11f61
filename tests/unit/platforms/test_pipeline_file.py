"""What a pipeline file asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import Refused
from workers.platforms.codesphere.pipeline_file import pipeline_file_name, read_pipeline
from workers.releases.places import Pipeline, Service

FLAT = """
prepare: {steps: [{command: make}]}
test: {steps: []}
run: {steps: [{name: serve, command: ./serve}]}
"""
LANDSCAPE = """
schemaVersion: v0.2
prepare: {steps: []}
test: {steps: [{command: make test}]}
run:
  web: {plan: 8, replicas: 2, steps: [{command: ./serve}]}
  jobs: {steps: [{command: ./work}]}
"""
MANAGED = LANDSCAPE + "  store: {provider: {name: postgres, version: v1}, plan: {id: 0}}\n"


def test_a_flat_file_has_no_services_and_no_landscape() -> None:
    assert read_pipeline(FLAT) == Pipeline(landscape=False, has_prepare=True, has_test=False)


def test_services_come_with_their_replicas() -> None:
    found = read_pipeline(LANDSCAPE)

    assert found.landscape
    assert (found.has_prepare, found.has_test) == (False, True)
    assert found.services == (Service("web", 2), Service("jobs", 1))


def test_a_managed_service_is_none_of_ours_and_gives_a_warning() -> None:
    found = read_pipeline(MANAGED)

    assert found.services == (Service("web", 2), Service("jobs", 1))
    assert len(found.warnings) == 1
    assert "store" in found.warnings[0]
    assert "lost" in found.warnings[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must be a mapping, not empty"),
        ("- a", "not a list"),
        ("run: [", "no valid YAML in line"),
        ("run: {steps: []}", "run has no steps"),
        ("prepare: {steps: []}", "run section is missing"),
        ("run: {web: {steps: []}}", "needs a schemaVersion"),
        ("schemaVersion: v0.2\nrun: {steps: [{command: x}]}", "run.steps must be a mapping"),
        ("schemaVersion: v0.2\nrun: {}", "no service"),
        ("schemaVersion: v0.2\nrun: {db: {provider: {name: x}}}", "no service of its own"),
        ("schemaVersion: v0.2\nrun: {web: {replicas: 0}}", "run.web.replicas"),
        ("schemaVersion: v0.2\nrun: {web: {replicas: true}}", "run.web.replicas"),
        ("schemaVersion: v0.2\nrun: {codesphere-ide: {}}", "cannot be the name"),
        ("prepare: {steps: {a: 1}}\nrun: {steps: [{command: x}]}", "prepare.steps must be a list"),
        ("run: {steps: [{name: x}]}", r"run.steps\[0\] needs a command"),
        ("a: 2001-99-99", "no valid YAML"),
        ("!!python/object/apply:os.getcwd []", "no valid YAML"),
        ("[" * 100_000, "no valid YAML"),
        ("x" * 300_000, "larger"),
    ],
)
def test_an_invalid_file_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read_pipeline(text, "ci.yml")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_pipeline(text)
    except Refused:
        return
    assert isinstance(found, Pipeline)


@pytest.mark.parametrize(
    ("profile", "name"), [(None, "ci.yml"), ("prod", "ci.prod.yml"), ("default", "ci.default.yml")]
)
def test_a_profile_names_its_file(profile: str | None, name: str) -> None:
    assert pipeline_file_name(profile) == name


@pytest.mark.parametrize("profile", ["", "a/b", "..", "a b", "x;id", "a.", "ü", "a\n"])
def test_what_is_no_profile_is_refused(profile: str) -> None:
    with pytest.raises(Refused):
        pipeline_file_name(profile)
