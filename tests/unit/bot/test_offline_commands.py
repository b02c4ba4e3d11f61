"""The commands that need no server: check, explain, version, and the way to all others."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli import COMMANDS, switchover
from tests.web.server import write_config
from tests.web.web import SECRET, TOKENS, push_body

HEADERS = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "d-1"}
PAYLOADS = Path(__file__).parents[3].parent / "shared" / "reference" / "payloads"


def run(*arguments: str, **environ: str) -> Result:
    """Run a command in this process with just this environment."""
    return CliRunner().invoke(switchover, list(arguments), obj=environ)


def explain(directory: Path, body: bytes, *arguments: str, headers: Any = None) -> Result:
    """Explain a delivery."""
    (directory / "headers.json").write_text(json.dumps(HEADERS if headers is None else headers))
    (directory / "payload.json").write_bytes(body)
    files = ["--headers", str(directory / "headers.json"), "--payload", str(directory / "payload.json")]
    return run("explain", "--driver", "github", *files, *arguments)


def test_explain_says_what_a_project_would_release_and_exits_0(tmp_path: Path) -> None:
    result = explain(tmp_path, push_body(), "--config", str(write_config(tmp_path)), "--json")

    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["event"]["kind"] == "push"
    assert told["decisions"] == [
        {
            "project": "shop",
            "verdict": "release",
            "reason": "branch main matches the push patterns main",
            "rule": "triggers[0].push",
        }
    ]


def test_explain_exits_1_when_no_project_would_release(tmp_path: Path) -> None:
    result = explain(tmp_path, push_body(branch="other"), "--config", str(write_config(tmp_path)))

    assert result.exit_code == 1
    assert "shop: ignore: branch other matches none" in result.stdout


def test_explain_tells_what_would_be_asked_and_what_it_comes_to_without_an_answer(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    document = yaml.safe_load(config.read_text())
    document["projects"]["shop"]["triggers"] = [{"push": {"branches": ["main"], "when": "ci"}}]
    config.write_text(yaml.safe_dump(document))
    told = explain(tmp_path, push_body(), "--config", str(config), "--json")
    said = explain(tmp_path, push_body(), "--config", str(config))

    (decision,) = json.loads(told.stdout)["decisions"]
    assert (told.exit_code, said.exit_code) == (1, 1)
    assert decision["verdict"] == "ask"
    assert decision["questions"] == ["whether CI is green for 222222222222"]
    assert decision["otherwise"]["verdict"] == "ignore"
    assert "  asks whether CI is green for 222222222222\n" in said.stdout
    assert "  where nothing can be asked: ignore: " in said.stdout


def test_explain_needs_no_secret_and_no_driver_where_the_headers_tell_it(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    config.write_text(
        config.read_text().replace(SECRET, "${NOT_SET_HERE}").replace(TOKENS["admin"], '"${NOR_THIS}"')
    )
    (tmp_path / "h").write_text(json.dumps(HEADERS))
    (tmp_path / "p").write_bytes(push_body())
    files = ["--headers", str(tmp_path / "h"), "--payload", str(tmp_path / "p"), "--config", str(config)]

    assert run("explain", *files).exit_code == 0
    assert run("--config", str(config), "check").exit_code == 2

    (tmp_path / "h").write_text("{}")
    unknown = run("explain", *files)
    assert unknown.exit_code == 2
    assert "say --driver" in unknown.stderr


def test_explain_works_without_a_configuration(tmp_path: Path) -> None:
    result = explain(tmp_path, push_body(), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["decisions"] == []


def test_explain_calls_an_event_that_no_rule_uses_other_and_names_its_repository(tmp_path: Path) -> None:
    body = json.dumps({"repository": {"id": 1, "full_name": "acme/shop"}}).encode()

    result = explain(tmp_path, body, "--json", headers={"X-GitHub-Event": "star"})

    assert json.loads(result.stdout)["event"] == {"kind": "other", "repo": "acme/shop"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"ref": 5}'])
def test_explain_exits_2_on_a_delivery_that_cannot_be_read(tmp_path: Path, body: bytes) -> None:
    assert explain(tmp_path, body).exit_code == 2


@pytest.mark.parametrize("headers", [[], {"X": 5}, "x"])
def test_explain_exits_2_on_headers_that_are_none(tmp_path: Path, headers: Any) -> None:
    assert explain(tmp_path, push_body(), headers=headers).exit_code == 2


def test_explain_exits_2_on_missing_files_and_unknown_drivers(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("{}")
    missing = run("explain", "--driver", "github", "--headers", str(tmp_path / "h"), "--payload", "nowhere")
    unknown = run(
        "explain", "--driver", "cvs", "--headers", str(tmp_path / "h"), "--payload", str(tmp_path / "h")
    )

    assert (missing.exit_code, unknown.exit_code) == (2, 2)
    assert "nowhere" in missing.stderr
    assert "cvs" in unknown.stderr


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the reference payloads are not beside this checkout")
def test_explain_shows_every_real_github_payload_as_the_contract_lists_it() -> None:
    cases = [case for case in json.loads((PAYLOADS / "INDEX.json").read_text()) if case["host"] == "github"]
    for case in cases:
        files = ["--headers", str(PAYLOADS / case["headers"]), "--payload", str(PAYLOADS / case["body"])]
        result = run("explain", "--driver", "github", *files, "--json")

        assert result.exit_code == 1, case["name"]
        assert json.loads(result.stdout)["event"] == case["expect"], case["name"]


def test_check_tells_all_faults_at_once_each_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text('servr: {}\nhosts: {github: {driver: githup, secrets: ["${NOT_SET_ANYWHERE}"]}}\n')

    words = run("--config", str(path), "check")
    told = run("check", "--json", SWITCHOVER_CONFIG=str(path))

    assert (words.exit_code, told.exit_code) == (2, 2)
    paths = {fault["path"] for fault in json.loads(told.stdout)["faults"]}
    assert {"servr", "hosts.github.driver", "hosts.github.secrets.0"} <= paths
    assert all(path in words.stderr for path in paths)


def test_check_of_a_good_configuration_exits_0_and_shows_no_secret(tmp_path: Path) -> None:
    path = write_config(tmp_path)

    words, told = run("--config", str(path), "check"), run("--config", str(path), "check", "--json")

    assert (words.exit_code, told.exit_code) == (0, 0)
    assert json.loads(told.stdout)["projects"] == ["shop"]
    assert "acme/shop" in words.stdout
    assert "token" not in words.stdout + told.stdout


@pytest.mark.parametrize("command", ["check", "serve", "worker", "up"])
def test_a_missing_configuration_is_wrong_use(command: str) -> None:
    result = run(command)

    assert result.exit_code == 2
    assert "SWITCHOVER_CONFIG" in result.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_process_without_any_store_says_what_to_set(command: str, tmp_path: Path) -> None:
    result = run("--config", str(write_config(tmp_path)), command)

    assert result.exit_code == 2
    assert "redis.url" in result.stderr


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_can_be_asked_for_help(command: str) -> None:
    assert run(command, "--help").exit_code == 0


def test_an_unknown_command_is_wrong_use() -> None:
    assert run("relases").exit_code == 2


def quickest(*arguments: str) -> float:
    """Return the processor time (seconds) of the quickest of five starts; others may be busy, too."""
    times = []
    for _ in range(5):
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-P", "-m", "bot", *arguments], check=False, capture_output=True)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime)
    return min(times)


def test_the_version_and_an_explanation_come_quickly(tmp_path: Path) -> None:
    (tmp_path / "h").write_text(json.dumps(HEADERS))
    (tmp_path / "p").write_bytes(push_body())
    files = ["--headers", str(tmp_path / "h"), "--payload", str(tmp_path / "p")]

    assert quickest("version") < 0.5
    assert quickest("explain", "--driver", "github", *files) < 0.5
