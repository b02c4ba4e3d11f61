"""A real worker process looks at a real Git host by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.githost.server import LocalGitHost
from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore
from workers.store.keyspace import key
from workers.store.reading import Reading

PATIENCE = 40.0
ROOT = Path(__file__).parents[2]
CONFIGURATION = """
platforms:
  nowhere: {{driver: codesphere, api_url: "http://127.0.0.1:1/api", token: sample-token-of-nobody}}
hosts:
  github:
    driver: github
    secrets: [sample-webhook-secret]
    token: sample-host-token-0123
    api_url: "{api_url}"
projects:
  shop:
    host: github
    repository: acme/shop
    target: {{platform: nowhere, team: 1, plan: 8, domain: shop.example.com}}
    triggers: [{{push: {{branches: [main]}}}}, {{poll: {{every: 5s}}}}]
"""


def soon(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    made = EmbeddedStore(tmp_path / "state")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def host() -> Iterator[LocalGitHost]:
    with LocalGitHost() as made:
        repository = made.host.repository("acme/shop", roles={"bot": "admin"})
        made.host.token("sample-host-token-0123", "bot")
        made.host.commit(repository)
        yield made


def test_worker_processes_find_a_push_by_themselves_once(
    store: EmbeddedStore, host: LocalGitHost, tmp_path: Path
) -> None:
    config = tmp_path / "switchover.yaml"
    config.write_text(CONFIGURATION.format(api_url=host.github_url))
    command = [sys.executable, "-P", "-m", "workers.main", "--config", str(config), "--concurrency", "2"]
    environ = {**os.environ, "SWITCHOVER_STORE_URL": store.url}
    workers = [subprocess.Popen(command, env=environ, cwd=ROOT) for _ in range(2)]
    try:
        with connect(store.url) as client:
            reading = Reading(client)
            soon(lambda: bool(client.exists(key("looked", "shop"))), "the first look")
            repository = host.host.find("acme/shop")
            assert repository is not None
            pushed = host.host.commit(repository)
            soon(lambda: bool(commits(reading)), "a release of what was pushed")
            polled = len(host.service.called("GET", "/repos/acme/shop/branches"))
            soon(
                lambda: len(host.service.called("GET", "/repos/acme/shop/branches")) > polled + 1,
                "two looks more",
            )

            assert commits(reading) == [pushed]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def commits(reading: Reading) -> list[str]:
    found, _ = reading.page(project="shop", status=None, limit=10, before=None)
    return [release.commit for release in found]
