"""Shell commands in a workspace, and the ends of log streams."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import Refused
from workers.platforms.codesphere.git import (
    COMMIT_FOUND,
    Result,
    as_commit,
    checkout_command,
    head_command,
    read_file_command,
    read_result,
)
from workers.platforms.codesphere.logs import LAST_LINES, Problem, Tail, problem_status, read_into


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for command in (
        "git init -q -b main .",
        "git config user.email a@example.org && git config user.name A",
        "printf 'run: one' > ci.yml && git add . && git commit -qm one",
        "printf 'run: two' > ci.yml && git commit -qam two",
    ):
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    return tmp_path


def execute(clone: Path, command: str) -> Result:
    done = subprocess.run(["bash", "-c", command], cwd=clone, capture_output=True, text=True, check=False)
    result = read_result(done.stdout)
    assert result is not None
    return result


def commit_of(clone: Path, revision: str) -> str:
    return execute(clone, f"git rev-parse {revision}; echo rc=$?").text.strip()


def test_a_commit_is_checked_out_detached_and_read_back(clone: Path) -> None:
    older = commit_of(clone, "HEAD~1")

    assert execute(clone, checkout_command(older)).code == 0
    assert as_commit(execute(clone, head_command()).text) == older
    assert execute(clone, read_file_command("ci.yml")) == Result(0, "run: one")


def test_what_a_build_changed_does_not_stop_the_checkout(clone: Path) -> None:
    (clone / "ci.yml").write_text("changed by a build")

    assert execute(clone, checkout_command(commit_of(clone, "HEAD~1"))).code == 0
    assert execute(clone, read_file_command("ci.yml")).text == "run: one"


def test_a_commit_that_the_clone_lacks_is_told_from_other_failures(clone: Path) -> None:
    missing = execute(clone, checkout_command("a" * 40))
    (clone / ".git" / "index.lock").touch()
    locked = execute(clone, checkout_command(commit_of(clone, "HEAD~1")))

    assert COMMIT_FOUND not in missing.text
    assert COMMIT_FOUND in locked.text
    assert 0 not in {missing.code, locked.code}


@given(st.text(max_size=60))
def test_only_full_lower_case_commits_get_into_a_shell(text: str) -> None:
    if as_commit(text) == text:
        assert text in checkout_command(text)
        return
    with pytest.raises(Refused):
        checkout_command(text)


def test_a_trailing_newline_is_no_commit() -> None:
    with pytest.raises(Refused):
        checkout_command("a" * 40 + "\n")


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ("run: x\nrc=0\n", Result(0, "run: x\n")),
        ("no newline rc=3rc=0\n", Result(0, "no newline rc=3")),
        ("rc=128\nlogout\n", Result(128, "")),
        ("cut off", None),
        ("", None),
    ],
)
def test_the_exit_code_is_the_last_that_was_printed(output: str, result: Result | None) -> None:
    assert read_result(output) == result


def stream(*events: tuple[str, object]) -> bytes:
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events).encode()


def entry(text: str) -> dict[str, str]:
    return {"timestamp": "2026-09-01T10:00:00Z", "kind": "I", "data": text}


def test_the_last_lines_are_kept_without_escape_codes() -> None:
    tail = Tail()

    read_into(tail, [stream(*[("data", [entry(f"\x1b[31mline {n}\x1b[0m\n")]) for n in range(80)])])

    assert tail.lines() == tuple(f"line {n}" for n in range(80 - LAST_LINES, 80))


@given(st.integers(min_value=1, max_value=40))
def test_it_does_not_matter_where_the_stream_is_cut(size: int) -> None:
    whole = (
        b": hello\nid: 1\n"
        + stream(("data", [entry("eins\nzwei\n"), entry("dr\u00fcben")]))
        + b"retry: 9\n\n"
    )
    tail = Tail()

    read_into(tail, [whole[at : at + size] for at in range(0, len(whole), size)])

    assert tail.lines() == ("eins", "zwei", "drüben")


def test_a_problem_in_the_stream_is_no_log_line() -> None:
    with pytest.raises(Problem) as caught:
        read_into(Tail(), [stream(("problem", {"status": 404, "title": "no such step"}))])

    assert problem_status(caught.value.body) == 404


@pytest.mark.parametrize("body", ["", "[]", '{"status": "x"}', '{"status": 200}', '{"reason": "x"}'])
def test_a_problem_without_a_status_is_a_server_error(body: str) -> None:
    assert problem_status(body) == 500


def test_an_endless_stream_is_read_to_its_bound() -> None:
    one = stream(("data", [entry("again\n")]))
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += len(one)
            yield one

    read_into(Tail(), endless(), most_bytes=10_000)

    assert sent < 10_000 + 2 * len(one)


def test_events_that_are_no_log_are_passed_over() -> None:
    tail = Tail()

    read_into(
        tail, [stream(("ping", 1), ("data", "text"), ("data", [1, {"data": 2}])) + b"data: {nonsense\n\n"]
    )

    assert tail.lines() == ()
