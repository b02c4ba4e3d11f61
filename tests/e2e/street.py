"""Many shops on one running bot: each test takes a project, a domain and a repository of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sandbox.demo import send_push
from sandbox.local import LocalSandbox, SandboxSettings
from sandbox.repositories import SampleRepository, commit_change, make_sample_repository
from tests.e2e.tree import SECRET, TOKEN, free_port, soon, start_up

BASE = """\
server: {{port: {port}}}
state_dir: {directory}/state
log: {{level: warning, format: json}}
access: {{tokens: [{{name: tester, role: admin, token: {token}}}]}}
hosts: {{github: {{driver: github, secrets: ["{secret}"]}}}}
platforms:
  codesphere:
    driver: codesphere
    api_url: {api_url}
    token: {platform_token}
    workspace_url: "http://{{dev_domain}}"
    poll_interval: 500ms
defaults:
  host: github
  triggers: [{{push: {{branches: [main]}}}}]
  verify: {{path: /version, contains: commit, within: 8s}}
  observe: {{for: 1s}}
projects:
"""
PROJECT = """\
  {name}:
    repository: acme/{name}
    git: {{url: "{git_url}"}}
    target: {{platform: codesphere, team: 35, plan: 8, domain: {name}.localhost, public_url: "{public_url}"}}
"""


@dataclass
class Shop:
    """One project on the street."""

    name: str
    bot: str
    local: LocalSandbox
    sample: SampleRepository

    @property
    def domain(self) -> str:
        """Return its production domain."""
        return f"{self.name}.localhost"

    @property
    def address(self) -> str:
        """Return where production answers."""
        return self.local.domain_url(self.domain)

    def commit(self, message: str, **files: str) -> str:
        """Commit files (`app_py` stands for app.py) and push, without telling the bot."""
        named = {name.replace("_", "."): text for name, text in files.items()}
        return commit_change(self.sample, named or {"CHANGES": message}, message)

    def push(self, commit: str, before: str | None = None) -> str:
        """Send the signed webhook; returns the release that it made."""
        answer = send_push(self.bot, SECRET, commit, before, repository=f"acme/{self.name}")
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        (release,) = answer.json()["releases"]
        return str(release)

    def ended(self, release: str) -> Any:
        """Wait until a release has ended and its workspace is dealt with; returns it."""

        def over() -> bool:
            found = self.get(f"/api/v1/releases/{release}")
            resting = found["cleanup"] in ("gone", "in use", "nothing was made")
            return found["status"] not in ("queued", "running", "waiting") and resting

        soon(over, f"release {release} of {self.name} ends", 60)
        return self.get(f"/api/v1/releases/{release}")

    def live(self, release: str) -> Any:
        """Wait until a release is live, or fail saying why it is not."""
        found = self.ended(release)
        assert found["status"] == "live", found
        return found

    def get(self, path: str) -> Any:
        """Ask the API."""
        answer = httpx.get(f"{self.bot}{path}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """Ask for something by the API."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.post(f"{self.bot}{path}", headers=headers, json=body, timeout=10)

    def served(self) -> str | None:
        """Return the commit that production serves, or None."""
        answer = httpx.get(f"{self.address}/version", timeout=5)
        return str(answer.json()["commit"]) if answer.status_code == httpx.codes.OK else None

    def connections(self) -> dict[str, list[int]]:
        """Return what the domain has."""
        found = self.local.sandbox.connections(self.domain)
        return {path: list(ids) for path, ids in found.items()}

    def workspaces(self) -> list[int]:
        """Return the workspaces that stand for this shop."""
        return sorted(
            workspace.id
            for workspace in list(self.local.sandbox.platform.workspaces.values())
            if workspace.fields["gitUrl"] == self.sample.url
        )


@dataclass
class Street:
    """A running bot with so many shops; `next_shop` gives one that nobody used yet."""

    directory: Path
    local: LocalSandbox
    port: int
    process: subprocess.Popen[bytes]
    shops: list[Shop] = field(default_factory=list)

    def next_shop(self) -> Shop:
        """Return a shop that nobody used yet."""
        return self.shops.pop()


@contextlib.contextmanager
def open_street(directory: Path, shops: int) -> Iterator[Street]:
    """Run the sandbox and `switchover up` with so many projects until the block ends."""
    names = [f"shop{number}" for number in range(shops)]
    settings = SandboxSettings(
        directory / "sandbox",
        domains={f"{name}.localhost": 0 for name in names},
        path=os.environ.get("PATH", os.defpath),
    )
    with LocalSandbox(settings) as local:
        port = free_port()
        bot = f"http://127.0.0.1:{port}"
        made = [Shop(name, bot, local, make_sample_repository(local.repositories, name)) for name in names]
        config = directory / "switchover.yaml"
        config.write_text(_configuration(directory, local, port, made))
        process = start_up(config)
        try:
            soon(lambda: _ready(bot, process), "the bot is ready")
            yield Street(directory, local, port, process, made)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


def _configuration(directory: Path, local: LocalSandbox, port: int, shops: list[Shop]) -> str:
    text = BASE.format(
        port=port,
        directory=directory,
        token=TOKEN,
        secret=SECRET,
        api_url=local.api_url,
        platform_token=local.token,
    )
    for shop in shops:
        text += PROJECT.format(name=shop.name, git_url=shop.sample.url, public_url=shop.address)
    return text


def _ready(bot: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, f"`up` ended with {process.returncode}"
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{bot}/readyz", timeout=2).status_code == httpx.codes.OK
    return False
