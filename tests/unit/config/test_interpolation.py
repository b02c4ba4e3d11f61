"""Variables and files in values."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.interpolation import Resolver

from .samples import SECRET, bent, faults, load

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
plain = st.text(max_size=20).filter(lambda text: "$" not in text and not text.startswith("file:"))


def resolved(text: str, environ: dict[str, str] | None = None) -> str:
    resolver = Resolver(environ or {})
    value = resolver.resolve(text, "here")
    assert resolver.faults == []
    return str(value)


@given(names, st.text(max_size=20), plain, plain)
def test_a_variable_is_replaced_and_its_value_is_not_looked_into(
    name: str, value: str, before: str, after: str
) -> None:
    assert resolved(f"{before}${{{name}}}{after}", {name: value}) == f"{before}{value}{after}"


@given(names, plain.filter(lambda text: not set(text) & set("{}")))
def test_the_default_counts_when_the_variable_is_unset_or_empty(name: str, default: str) -> None:
    assert resolved(f"${{{name}:-{default}}}") == default
    assert resolved(f"${{{name}:-{default}}}", {name: ""}) == default
    assert resolved(f"${{{name}:-{default}}}", {name: "set"}) == "set"


@given(st.text(max_size=30).filter(lambda text: not text.startswith("file:/")))
def test_every_text_can_be_written_literally(text: str) -> None:
    assert resolved(text.replace("${", "$${")) == text


@given(plain)
def test_what_holds_no_reference_stays_as_it_is(text: str) -> None:
    assert resolved(text) == text


@pytest.mark.parametrize("text", ["${", "a ${1X}", "${A B}", "${}", "${A:+x}", "${A-x}", "x${A"])
def test_a_broken_reference_is_a_fault(text: str) -> None:
    resolver = Resolver({"A": SECRET})

    resolver.resolve(text, "here")

    [fault] = resolver.faults
    assert fault.path == "here"
    assert "$${" in fault.message


def test_an_unset_variable_is_named_once_with_two_ways_out() -> None:
    found = faults(bent(("platforms.codesphere.token", "${CODESPHERE_TOKEN}")))

    assert found.keys() == {"platforms.codesphere.token"}
    message = found["platforms.codesphere.token"]
    assert "CODESPHERE_TOKEN is not set" in message
    assert "${CODESPHERE_TOKEN:-default}" in message
    assert "\n" not in message, "its empty stand-in is no second fault"


def test_a_value_cannot_change_the_structure() -> None:
    hostile = "x\nserver: {port: 1}\n# ${HOME}"
    tree = bent(("projects.shop.verify.contains", "${HOSTILE}"))

    settings = load(tree, {"HOSTILE": hostile})

    assert settings.projects["shop"].verify.contains == hostile
    assert settings.server.port == 8080


def test_variables_become_numbers_and_booleans_where_these_are_wanted() -> None:
    tree = bent(
        ("server.port", "${PORT}"),
        ("projects.shop.target.team", "${TEAM}"),
        ("projects.shop.stages.test.run", "${TESTS}"),
        ("projects.shop.git.private", "${PRIVATE}"),
    )

    settings = load(tree, {"PORT": "81", "TEAM": "35", "TESTS": "false", "PRIVATE": "true"})

    shop = settings.projects["shop"]
    assert settings.server.port == 81
    assert shop.target.team == 35
    assert shop.stages.test.run is False
    assert shop.git.private is True


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_file_gives_its_text_without_the_trailing_newline(tmp_path: Path, ending: str) -> None:
    (tmp_path / "token").write_bytes((SECRET + "\n" + ending).encode())
    expected = SECRET if ending == "" else SECRET + "\n"

    assert resolved(f"file:{tmp_path}/token") == expected
    assert resolved("file:${RUN}/token".replace("${RUN}", str(tmp_path))) == expected


def test_a_variable_may_name_the_directory_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)

    assert resolved(f"file:{tmp_path}/${{WHICH}}", {"WHICH": "token"}) == SECRET


def test_a_variable_whose_value_looks_like_a_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET)

    assert resolved("${X}", {"X": f"file:{tmp_path}/token"}) == f"file:{tmp_path}/token"


def test_a_git_address_with_the_file_scheme_is_no_secret_file() -> None:
    assert resolved("file:///srv/git/shop.git") == "file:///srv/git/shop.git"


def test_a_file_that_cannot_be_used_is_a_fault(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "huge").write_bytes(b"x" * (1024 * 1024 + 1))
    reasons = {
        "none": "No such file",
        "pipe": "not a regular file",
        "binary": "not UTF-8",
        "huge": "larger than",
    }
    for name, reason in reasons.items():
        found = faults(bent(("platforms.codesphere.token", f"file:{tmp_path}/{name}")))
        assert reason in found["platforms.codesphere.token"]
        assert len(found) == 1
