"""The real thing: the process tree of `up` against the sandbox that really clones, runs and routes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sandbox.demo import send_push
from sandbox.local import LocalSandbox, SandboxSettings
from sandbox.repositories import SampleRepository, commit_change, make_sample_repository

SECRET = "a-webhook-secret-for-tests"
TOKEN = "an-admin-token-for-tests"
DOMAIN = "shop.localhost"
PATIENCE = 60.0

CONFIGURATION = """\
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
    poll_interval: {poll_interval}
projects:
  shop:
    host: github
    repository: acme/shop
    git: {{url: "{git_url}"}}
    triggers: [{{push: {{branches: [main]}}}}]
    target: {{platform: codesphere, team: 35, plan: 8, domain: {domain}, public_url: "{public_url}"}}
    verify: {{path: /version, contains: commit}}
    observe: {{for: {observe}}}
"""


@dataclass
class Tree:
    """A running bot with its world. `kill` is SIGKILL for the whole tree."""

    directory: Path
    local: LocalSandbox
    sample: SampleRepository
    port: int
    process: subprocess.Popen[bytes]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the bot's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def shop(self) -> str:
        """Return production's address."""
        return self.local.domain_url(DOMAIN)

    def commit(self, text: str) -> str:
        """Commit a change to the sample and push it, without telling the bot."""
        return commit_change(self.sample, {"CHANGES": f"{text}\n"}, text)

    def push(self, commit: str, before: str | None = None) -> str:
        """Send the signed webhook; returns the release that it made."""
        answer = send_push(self.url, SECRET, commit, before)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        (release,) = answer.json()["releases"]
        return str(release)

    def get(self, path: str) -> Any:
        """Ask the API."""
        answer = httpx.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def release(self, release: str) -> Any:
        """Return a release as the API shows it."""
        return self.get(f"/api/v1/releases/{release}")

    def wait_until_live(self, release: str, seconds: float = PATIENCE) -> Any:
        """Return a release once it is live; fails at once when it ended otherwise."""

        def ended() -> bool:
            return self.release(release)["status"] not in ("queued", "running", "waiting")

        soon(ended, f"release {release} ends", seconds)
        found = self.release(release)
        assert found["status"] == "live", found
        return found

    def stop(self) -> None:
        """End the tree as an operator does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)


@contextlib.contextmanager
def running(
    directory: Path, *, poll_interval: str = "500ms", observe: str = "2s", path: str | None = None
) -> Iterator[Tree]:
    """Run the sandbox and `switchover up` until the block ends."""
    settings = SandboxSettings(
        directory / "sandbox", domains={DOMAIN: 0}, path=path or os.environ.get("PATH", os.defpath)
    )
    with LocalSandbox(settings) as local:
        sample = make_sample_repository(local.repositories)
        port = free_port()
        config = directory / "switchover.yaml"
        config.write_text(
            CONFIGURATION.format(
                port=port,
                directory=directory,
                token=TOKEN,
                secret=SECRET,
                api_url=local.api_url,
                platform_token=local.token,
                git_url=sample.url,
                domain=DOMAIN,
                public_url=local.domain_url(DOMAIN),
                poll_interval=poll_interval,
                observe=observe,
            )
        )
        process = start_up(config)
        tree = Tree(directory, local, sample, port, process)
        try:
            await_ready(tree)
            yield tree
        finally:
            tree.stop()


def start_up(config: Path) -> subprocess.Popen[bytes]:
    """Start the process tree of `up`."""
    command = [sys.executable, "-P", "-m", "bot", "--config", str(config), "up"]
    return subprocess.Popen(command, cwd=config.parent, start_new_session=True)


def await_ready(tree: Tree) -> None:
    """Return when the receiver answers and a worker is seen."""

    def ready() -> bool:
        assert tree.process.poll() is None, f"`up` ended with {tree.process.returncode}"
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{tree.url}/readyz", timeout=2).status_code == httpx.codes.OK
        return False

    soon(ready, "the bot is ready", PATIENCE)


def soon(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait until a condition holds, or fail saying what did not happen."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)  # between two looks at processes that cannot be waited on


def free_port() -> int:
    """Return a loopback port that is free now, and that no outgoing connection is given meanwhile.

    The system gives those from 32768 on; a tree that is killed and started again must find its port free.
    """
    for port in random.sample(range(20000, 32768), 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no loopback port is free")
