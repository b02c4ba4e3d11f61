"""`switchover doctor` against a platform on the loopback interface and a real store."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner, Result

from bot.cli import switchover
from sandbox.core import Sandbox
from sandbox.core.faults import Fault
from tests.bench.platform import TOKEN, App, domain_of, make_sandbox, repository_url
from tests.web.web import SECRET, TOKENS
from workers.releases.identity import mark_of
from workers.store.connection import connect
from workers.store.keyspace import key

CONFIG = """
redis: {{url: "{store}"}}
state_dir: {state}
access:
  tokens: [{{name: ops, role: admin, token: {admin}}}]
hosts:
  github: {{driver: github, secrets: ["{secret}"]}}
platforms:
  codesphere: {{driver: codesphere, api_url: "{api}", token: {token}}}
projects:
  shop:
    host: github
    repository: acme/shop
    triggers: [push: {{branches: [main]}}]
    target: {{platform: codesphere, team: {team}, plan: {plan}, domain: {domain}}}
    workspace: {{env: {{KEY: "value-of-the-app"}}, replicas: {replicas}}}
"""
STORE_PASSWORD = "the-password-of-the-store"
SECRETS = (SECRET, TOKEN, TOKENS["admin"], "value-of-the-app", STORE_PASSWORD)


@dataclass
class Patient:
    """What a doctor looks at: a served platform, and a configuration with parts to exchange."""

    sandbox: Sandbox
    api: str
    store: str
    directory: Path

    def examined(self, *arguments: str, **changes: Any) -> Result:
        """Run `doctor` on a configuration changed as given; nothing it says holds a secret."""
        parts: dict[str, Any] = {
            "store": self.store,
            "state": self.directory / "var",
            "admin": TOKENS["admin"],
            "secret": SECRET,
            "api": self.api,
            "token": TOKEN,
            "team": 35,
            "plan": 8,
            "domain": domain_of(0),
            "replicas": 1,
        }
        path = self.directory / "switchover.yaml"
        path.write_text(CONFIG.format(**parts | changes))
        result = CliRunner().invoke(switchover, ["--config", str(path), "doctor", *arguments], obj={})
        assert not any(secret in result.output for secret in SECRETS)
        return result

    def lines(self, **changes: Any) -> tuple[int, dict[str, list[str]]]:
        """Return the exit status, and what was said that is not well: verdict and text by subject."""
        result = self.examined("--json", **changes)
        odd: dict[str, list[str]] = {}
        for line in json.loads(result.stdout)["lines"]:
            if line["verdict"] != "ok" and line["about"] not in ("store", "workers"):
                odd.setdefault(line["about"], []).append(f"{line['verdict']}: {line['text']}")
        return result.exit_code, odd


@contextmanager
def served(sandbox: Sandbox) -> Iterator[str]:
    """Serve a platform on a free port and return the address of its API."""
    config = uvicorn.Config(App(sandbox), log_level="critical", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        finally:
            server.should_exit = True
            thread.join(5)


@pytest.fixture
def patient(tmp_path: Path, store_url: str) -> Iterator[Patient]:
    """Return a platform with one team, plan and domain, all in order."""
    sandbox = make_sandbox(1, 0.0)
    with served(sandbox) as api:
        yield Patient(sandbox, api, store_url, tmp_path)


def test_where_all_is_well_every_line_says_so_and_the_exit_status_is_0(patient: Patient) -> None:
    status, odd = patient.lines()
    words = patient.examined()

    assert (status, odd) == (0, {})
    assert words.exit_code == 0
    for part in ("platform codesphere", "team 35", "plan 8", domain_of(0), "leftovers: none"):
        assert part in words.stdout
    assert "hosts.github.secrets[0]" in words.stdout
    assert "verified no delivery yet" in words.stdout


@pytest.mark.parametrize(
    ("changes", "about", "words"),
    [
        ({"token": "a-token-that-nobody-knows"}, "platform codesphere", "401"),
        ({"api": "http://127.0.0.1:1/api"}, "platform codesphere", "got no answer"),
        ({"team": 99}, "project shop", "there is no team 99"),
        ({"plan": 4711}, "project shop", "there is no plan 4711"),
        ({"replicas": 90}, "project shop", "replicas"),
        ({"domain": "nobody.example.com"}, "project shop", "no domain nobody.example.com"),
    ],
    ids=["token", "address", "team", "plan", "replicas", "domain"],
)
def test_what_is_wrong_fails_and_says_where(
    patient: Patient, changes: dict[str, Any], about: str, words: str
) -> None:
    status, odd = patient.lines(**changes)

    assert status == 1
    assert any(line.startswith("fail") and words in line for line in odd[about]), odd


@pytest.mark.parametrize(
    ("field", "words"), [("verified", "is not verified"), ("issued", "has no certificate yet")]
)
def test_a_domain_that_cannot_serve_fails(patient: Patient, field: str, words: str) -> None:
    setattr(patient.sandbox.platform.domains[domain_of(0)], field, False)

    status, odd = patient.lines()

    assert status == 1
    assert words in odd["project shop"][0]


def test_a_domain_that_somebody_changed_since_is_a_warning(patient: Patient) -> None:
    with connect(patient.store) as client:
        client.hset(key("lane", f"shop@{domain_of(0)}"), "connections", '{"/":[7]}')

    status, odd = patient.lines()

    assert status == 0
    assert "Switchover last put / to 7" in odd["project shop"][0]


def test_a_leftover_is_a_warning_and_is_left_standing(patient: Patient) -> None:
    left = patient.sandbox.live_workspace(repository_url(0), welcomeMessage=mark_of("0123456789abcdef"))
    patient.sandbox.live_workspace(repository_url(0), name="shop-r1")

    status, odd = patient.lines()

    assert status == 0
    (line,) = odd["leftovers"]
    assert line.startswith(f"warn: workspace {left}: its mark names release 0123456789abcdef")
    assert len(patient.sandbox.platform.workspaces) == 2
    assert {call.method for call in patient.sandbox.calls} == {"GET"}


def test_a_platform_that_goes_away_meanwhile_is_told(patient: Patient) -> None:
    patient.sandbox.faults.add(Fault(method="GET", path="/workspaces/team/35", status=503))

    status, odd = patient.lines()

    assert status == 0
    assert "was not looked at" in odd["leftovers"][0]


def test_a_store_that_may_lose_data_is_a_warning_and_one_that_is_away_a_failure(patient: Patient) -> None:
    risky = patient.examined("--json")
    away = patient.examined("--json", store=f"redis://:{STORE_PASSWORD}@127.0.0.1:1/0")

    (warning,) = [each for each in json.loads(risky.stdout)["lines"] if each["about"] == "store"]
    (failure,) = [each for each in json.loads(away.stdout)["lines"] if each["about"] == "store"]
    assert (risky.exit_code, warning["verdict"]) == (0, "warn")
    assert "appendfsync always" in warning["text"]
    assert (away.exit_code, failure["verdict"]) == (1, "fail")


def test_an_embedded_store_that_does_not_run_is_no_failure(patient: Patient) -> None:
    result = patient.examined("--json", store="")

    (line,) = [each for each in json.loads(result.stdout)["lines"] if each["about"] == "store"]
    assert result.exit_code == 0
    assert (line["verdict"], line["text"]) == ("warn", "the embedded store is not running")
    assert "switchover up" in line["advice"]


def test_a_faulty_configuration_is_wrong_use(patient: Patient) -> None:
    assert patient.examined(replicas="many").exit_code == 2
