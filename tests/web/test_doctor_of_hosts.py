"""`switchover doctor` and `check` on Git hosts: whose token, which repositories, branches and webhooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import switchover
from sandbox.githost import GitHost, RefMove, Repository
from sandbox.githost.server import LocalGitHost
from tests.web.web import SECRET, TOKENS

TOKEN = "token-of-the-git-host"
PUBLIC = "http://127.0.0.1:1/switchover"
CONFIG = """
redis: {{url: "{store}"}}
server: {{public_url: "{public}"}}
access:
  tokens: [{{name: ops, role: admin, token: {admin}}}]
hosts:
  forge: {{driver: {driver}, secrets: ["{secret}"], token: "{token}", api_url: {api}}}
platforms:
  codesphere: {{driver: codesphere, api_url: "http://127.0.0.1:1/api", token: unused}}
projects:
  shop:
    host: forge
    repository: {repository}
    git: {{url: {git}}}
    triggers: {triggers}
    target: {{platform: codesphere, team: 35, plan: 8, domain: shop.example.com}}
"""


@dataclass
class Patient:
    """A served Git host with one repository, and a configuration with parts to exchange."""

    world: GitHost
    repo: Repository
    api: str
    store: str
    directory: Path

    def run(self, command: str, *arguments: str, **changes: Any) -> Result:
        """Run a command on a configuration changed as given; nothing it says holds a secret."""
        parts: dict[str, Any] = {
            "store": self.store,
            "public": PUBLIC,
            "admin": TOKENS["admin"],
            "secret": SECRET,
            "driver": "github",
            "token": TOKEN,
            "api": self.api,
            "repository": "acme/shop",
            "git": "null",
            "triggers": "[push: {branches: [main]}]",
        }
        path = self.directory / "switchover.yaml"
        path.write_text(CONFIG.format(**parts | changes))
        result = CliRunner().invoke(switchover, ["--config", str(path), command, *arguments], obj={})
        assert not any(secret in result.output for secret in (SECRET, TOKEN, TOKENS["admin"]))
        return result

    def said(self, **changes: Any) -> list[str]:
        """Return what `doctor` says of the host and the project, without the advice."""
        lines = json.loads(self.run("doctor", "--json", **changes).stdout)["lines"]
        return [
            f"{line['verdict']} {line['about']}: {line['text']}"
            for line in lines
            if line["about"] in ("host forge", "project shop") and "verified no delivery" not in line["text"]
        ]


@pytest.fixture
def patient(tmp_path: Path, store_url: str) -> Iterator[Patient]:
    """Return a Git host where all is in order."""
    with LocalGitHost() as served:
        repo = served.host.repository("acme/shop", roles={"bot": "admin"})
        served.host.token(TOKEN, "bot")
        served.host.commit(repo)
        served.host.add_hook(repo, f"{PUBLIC}/webhooks/forge", SECRET)
        yield Patient(served.host, repo, served.github_url, store_url, tmp_path)


def test_a_host_where_all_is_well_gets_a_good_line_for_each_thing(patient: Patient) -> None:
    assert patient.said() == [
        "ok host forge: github; 1 secret accepted",
        "ok host forge: it answers and takes the token of bot",
        "ok project shop: the token may read repository acme/shop; its default branch is main",
        f"ok project shop: a webhook of acme/shop leads to {PUBLIC}/webhooks/forge",
    ]


def test_without_a_token_the_host_is_not_asked(patient: Patient) -> None:
    assert patient.said(token="") == ["ok host forge: github; 1 secret accepted"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"token": "a-token-that-nobody-knows"}, "fail host forge: "),
        ({"api": "http://127.0.0.1:1/api/v3"}, "fail host forge: "),
        ({"repository": "acme/nothing"}, "fail project shop: "),
        ({"driver": "gogs"}, "warn host forge: its token is not used"),
        ({"triggers": "[push: {branches: [main, next]}]"}, "warn project shop: acme/shop has no branch next"),
        ({"triggers": "[schedule: {cron: '0 6 * * *', branch: stable}]"}, "has no branch stable"),
        ({"public": "http://127.0.0.1:2"}, "warn project shop: no webhook of acme/shop leads to"),
    ],
    ids=["token", "address", "repository", "driver", "branch", "schedule", "webhook"],
)
def test_what_is_wrong_is_told_with_the_way_out(patient: Patient, changes: dict[str, Any], line: str) -> None:
    odd = [said for said in patient.said(**changes) if not said.startswith("ok")]
    document = json.loads(patient.run("doctor", "--json", **changes).stdout)

    assert len(odd) == 1
    assert line in odd[0]
    assert all(
        each["advice"]
        for each in document["lines"]
        if each["about"] in ("host forge", "project shop") and each["verdict"] != "ok"
    )


def test_patterns_are_not_taken_for_branches(patient: Patient) -> None:
    said = patient.said(triggers="[push: {branches: [main, 'release/*', '!next']}]")

    assert not [line for line in said if "has no branch" in line]


def test_a_renamed_repository_is_told_by_its_new_name(patient: Patient) -> None:
    patient.world.rename(patient.repo, "acme/store")

    assert "warn project shop: repository acme/shop is called acme/store by now" in patient.said()


def test_a_webhook_that_is_switched_off_or_may_not_be_seen_is_told(patient: Patient) -> None:
    (hook,) = patient.repo.hooks.values()
    hook.active = False
    off = patient.said()[-1]
    patient.world.grant(patient.repo, "bot", "read")
    unseen = patient.said()[-1]

    assert off == f"warn project shop: the webhook of acme/shop to {PUBLIC}/webhooks/forge is switched off"
    assert unseen.startswith("warn project shop: whether a webhook leads to")


def test_a_token_that_may_not_report_is_told_and_one_that_need_not_is_not(patient: Patient) -> None:
    patient.world.grant(patient.repo, "bot", "read")

    words = "the token may report releases to acme/shop is not known"
    assert any(line.startswith("warn project shop: whether") and words in line for line in patient.said())
    off = "null}\n    report: {status: false, deployment: false"
    assert not any(words in line for line in patient.said(git=off))


def test_a_repository_where_nothing_was_pushed_is_told(patient: Patient) -> None:
    patient.world.push(patient.repo, [RefMove("refs/heads/main", None)])

    assert "warn project shop: acme/shop has no branch main" in patient.said()


def test_check_remarks_upon_what_needs_a_token_and_still_is_content(patient: Patient) -> None:
    changes = {"token": "", "triggers": "[comment: {}]"}
    words = patient.run("check", **changes)
    document = json.loads(patient.run("check", "--json", **changes).stdout)

    assert words.exit_code == 0
    assert "Note: projects.shop.triggers: comment: nobody's rights are known" in words.stdout
    assert "set hosts.forge.token" in words.stdout
    assert (document["ok"], len(document["remarks"])) == (True, 1)
    assert json.loads(patient.run("check", "--json").stdout)["remarks"] == []


def test_check_refuses_a_signing_key_that_is_none(patient: Patient) -> None:
    result = patient.run("check", driver="gitlab", secret="whsec_not-a-key-at-all")

    assert result.exit_code == 2
    assert "hosts.forge.secrets.0: is no signing key" in result.output
