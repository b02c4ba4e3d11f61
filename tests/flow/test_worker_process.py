from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from config.environment import drop_celery_environment
from config.settings import read_settings
from workers import wiring
from workers.queue import broker_url, make_celery
from workers.releases.status import Status
from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore
from workers.store.keyspace import BROKER_PREFIX, QUEUE, key

PATIENCE = 30.0
ROOT = Path(__file__).parents[2]

CONFIGURATION = """
platforms:
  nowhere: {driver: codesphere, api_url: "http://127.0.0.1:1/api", token: sample-token-of-nobody}
hosts:
  github: {driver: github, secrets: [sample-webhook-secret]}
projects:
  shop:
    host: github
    repository: acme/shop
    target: {platform: nowhere, team: 1, plan: 8, domain: shop.example.com}
    triggers: [{push: {branches: [main]}}]
"""


@dataclass
class Shop:
    """A store, a configuration, and the worker processes of one test."""

    store: EmbeddedStore
    client: redis.Redis
    config: Path
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def work(self, *, cwd: Path = ROOT, **variables: str) -> subprocess.Popen[str]:
        """Start a worker process, as `up` does."""
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "workers.main", "--config", str(self.config), "--concurrency", "4"],
            env={**os.environ, "SWITCHOVER_STORE_URL": self.store.url, **variables},
            cwd=cwd,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.workers.append(worker)
        return worker

    def release(self, commit: str = "a" * 40) -> str:
        """Ask for a release; its platform is not there, so a worker tries again and again."""
        settings = read_settings(self.config, {})
        web = wiring.build_web(settings, redis_url=self.store.url)
        made = web.operations.start("shop", actor="test", commit=commit)
        web.close()
        return made.release.id

    def fence(self, release: str) -> int:
        """Return the release's fence: it grows with every look at it."""
        return int(self.client.hget(key("release", release), "fence") or 0)

    def looked_at(self, release: str) -> None:
        """Wait until a worker has looked at the release once more."""
        before = self.fence(release)
        soon(lambda: self.fence(release) > before, "another look at the release")


def soon(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.01)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = EmbeddedStore(tmp_path / "state")
    store.start()
    config = tmp_path / "switchover.yaml"
    config.write_text(CONFIGURATION)
    with connect(store.url) as client:
        made = Shop(store, client, config)
        yield made
        for worker in made.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
            if worker.stderr is not None:
                worker.stderr.close()
    store.stop()


def test_a_worker_process_moves_what_is_due(shop: Shop) -> None:
    release = shop.release()
    shop.work()

    soon(lambda: shop.client.hget(key("release", release), "status") == Status.RUNNING, "the release runs")

    shop.looked_at(release)
    assert shop.client.zcard(key("workers")) == 1


def test_a_release_of_a_killed_worker_is_moved_by_another(shop: Shop) -> None:
    release = shop.release()
    first = shop.work()
    soon(lambda: shop.fence(release) > 0, "the first look")
    shop.work()
    soon(lambda: shop.client.zcard(key("workers")) == 2, "two workers")

    first.kill()
    first.wait()

    shop.looked_at(release)
    shop.looked_at(release)


def test_workers_go_on_within_seconds_of_an_outage_of_the_store(shop: Shop) -> None:
    release = shop.release()
    worker = shop.work()
    soon(lambda: shop.fence(release) > 0, "the first look")
    assert shop.store.pid is not None
    os.kill(shop.store.pid, signal.SIGKILL)
    soon(lambda: shop.store.pid is None, "the store's end")
    time.sleep(2.0)  # the outage itself: long enough for every connection to notice
    before = None

    shop.store.start()

    began_at = time.monotonic()
    before = shop.fence(release)
    soon(lambda: shop.fence(release) > before, "a look after the outage")
    assert time.monotonic() - began_at < 20
    assert worker.poll() is None


def test_a_worker_ends_soon_when_it_is_asked_to(shop: Shop) -> None:
    release = shop.release()
    worker = shop.work()
    soon(lambda: shop.fence(release) > 0, "the first look")
    began_at = time.monotonic()

    worker.send_signal(signal.SIGTERM)
    status = worker.wait(PATIENCE)

    assert status == 0
    assert time.monotonic() - began_at < 9
    shop.work()
    shop.looked_at(release)


def test_a_worker_ends_although_the_store_is_away(shop: Shop) -> None:
    worker = shop.work()
    soon(lambda: shop.client.zcard(key("workers")) == 1, "a worker")
    shop.store.stop()

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(PATIENCE) == 0


def test_celerys_own_variables_and_modules_of_the_same_name_change_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    hostile = tmp_path / "hostile"
    for name in ("config", "workers", "bot", "sandbox", "celeryconfig"):
        (hostile / name).mkdir(parents=True)
        (hostile / name / "__init__.py").write_text("raise SystemExit('the wrong module')\n")
    release = shop.release()
    shop.work(
        cwd=hostile,
        PYTHONPATH=str(ROOT),
        CELERY_BROKER_URL="redis://127.0.0.1:1",
        CELERY_BROKER_READ_URL="redis://127.0.0.1:1",
        CELERY_CONFIG_MODULE="celeryconfig",
        CELERY_LOADER="default",
        FORKED_BY_MULTIPROCESSING="1",
    )

    soon(lambda: shop.fence(release) > 0, "the first look")


def test_a_worker_without_a_store_says_how_to_go_on(shop: Shop) -> None:
    worker = shop.work(SWITCHOVER_STORE_URL="")
    _, told = worker.communicate(timeout=PATIENCE)

    assert worker.returncode == 2
    assert "switchover up" in told


def test_a_faulty_configuration_is_refused_on_reload_and_the_worker_goes_on(shop: Shop) -> None:
    release = shop.release()
    worker = shop.work()
    soon(lambda: shop.fence(release) > 0, "the first look")
    shop.config.write_text("projects: {shop: {}}\n")

    worker.send_signal(signal.SIGHUP)

    shop.looked_at(release)
    worker.send_signal(signal.SIGTERM)
    _, told = worker.communicate(timeout=PATIENCE)
    assert "was not reloaded" in told


def test_the_queue_is_one_list_and_a_message_carries_an_id_only(store_url: str) -> None:
    app = make_celery(store_url, key_prefix=BROKER_PREFIX, queue=QUEUE)
    app.send_task("switchover.advance", args=("r-1",))
    app.close()

    with connect(store_url) as client:
        queued = [json.loads(text) for text in client.lrange(BROKER_PREFIX + QUEUE, 0, -1)]
        keys = client.keys("*")
    assert len(queued) == 1
    assert json.loads(base64.b64decode(queued[0]["body"]))[:2] == [["r-1"], {}]
    assert [name for name in keys if not name.startswith("switchover:")] == []


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("unix:///var/run/store.sock", "redis+socket:///var/run/store.sock?virtual_host=0"),
        ("unix:///var/run/store.sock?db=3", "redis+socket:///var/run/store.sock?virtual_host=3"),
    ],
)
def test_the_store_is_the_broker(url: str, spelled: str) -> None:
    assert broker_url(url) == spelled


def test_only_the_variables_of_celery_are_dropped() -> None:
    environ = {"CELERY_BROKER_URL": "x", "FORKED_BY_MULTIPROCESSING": "1", "HOME": "/home/me", "CI": "1"}

    drop_celery_environment(environ)

    assert environ == {"HOME": "/home/me", "CI": "1"}


def test_a_worker_process_reconciles_the_ledger_when_it_starts(shop: Shop) -> None:
    shop.work()
    soon(lambda: bool(shop.client.exists(key("review"))), "a review of the ledger")

    review = json.loads(shop.client.get(key("review")) or "")
    assert review["findings"] == []
    assert "team 1 of nowhere was not looked at" in review["faults"][0]


def test_every_worker_process_reads_its_configuration_again_when_that_was_asked_anywhere(shop: Shop) -> None:
    workers = [shop.work(), shop.work()]
    soon(lambda: shop.client.zcard(key("workers")) == 2, "two workers")
    web = wiring.build_web(read_settings(shop.config, {}), redis_url=shop.store.url)

    web.store.renew_generation()
    web.close()

    for worker in workers:
        assert worker.stderr is not None
        assert next(line for line in worker.stderr if "the configuration was reloaded" in line)
