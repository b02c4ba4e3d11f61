"""So many releases moving at once on this machine: lateness, memory, and what each costs the store.

Production is probed every two seconds here: 1,500 probes a second would measure the platform's double.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis

from config.settings import Settings, read_settings
from tests.bench.intake import free_port, process
from tests.bench.platform import TOKEN, VISIT, domain_of, make_sandbox, repository_url
from workers.flow.admission import candidate_json, new_release
from workers.releases.model import Trigger
from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore
from workers.store.keyspace import key
from workers.store.reading import Reading
from workers.store.releases import ReleaseStore

RELEASES = 300
STAGE_SECONDS = 20.0
BEGUN_OVER_SECONDS = 20.0
"""Nobody pushes to 300 repositories in one instant; a release takes a minute, so all move at once."""
WORKERS = 2
MOST_SECONDS = 400.0

CONFIGURATION = """\
state_dir: {directory}
log: {{level: error}}
hosts: {{github: {{driver: github, secrets: ["a-secret-for-benchmarks"]}}}}
platforms:
  codesphere:
    driver: codesphere
    api_url: http://127.0.0.1:{port}/api
    token: {token}
    workspace_url: "http://127.0.0.1:{port}/visit/{{dev_domain}}"
    concurrency: 50
defaults: {{host: github, observe: {{for: 10s, every: 2s}}}}
projects:
"""


def run() -> None:
    """Print the figures of one run."""
    print(
        f"Moving: {RELEASES} releases at once, begun over {BEGUN_OVER_SECONDS:.0f} s, "
        f"{WORKERS} worker processes, poll_interval 2 s"
    )
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        port = free_port()
        platform = [sys.executable, "-P", "-m", "tests.bench.platform"]
        stack.enter_context(process([*platform, str(port), str(RELEASES), str(STAGE_SECONDS)], port, {}))
        store = EmbeddedStore(Path(directory) / "state", appendfsync="everysec")
        store.start()
        stack.callback(store.stop)
        settings = configure(Path(directory), port, RELEASES)
        client = connect(store.url)
        stack.callback(client.close)
        workers = [start_worker(Path(directory), store.url) for _ in range(WORKERS)]
        stack.callback(end, workers)
        before = counters(client)
        begun = time.monotonic()
        queue_all(settings, client, STAGE_SECONDS, BEGUN_OVER_SECONDS)
        live = wait_until_done(Reading(client))
        report(client, workers, before, live, time.monotonic() - begun)


def configure(directory: Path, port: int, projects: int) -> Settings:
    """Write the configuration of all projects and return it."""
    text = CONFIGURATION.format(directory=directory, port=port, token=TOKEN)
    for number in range(projects):
        domain = domain_of(number)
        url = f"http://127.0.0.1:{port}{VISIT}{domain}"
        text += (
            f"  p{number}: {{repository: acme/p{number}, git: {{url: '{repository_url(number)}'}}, target: "
            f"{{platform: codesphere, team: 35, plan: 8, domain: {domain}, public_url: '{url}'}}}}\n"
        )
    config = directory / "switchover.yaml"
    config.write_text(text)
    return read_settings(config, {})


def queue_all(settings: Settings, client: redis.Redis, stage_seconds: float, over_seconds: float) -> None:
    """Ask for one release of every project, as `switchover releases start` does, evenly over some time."""
    begun = time.monotonic()
    world: Any = make_sandbox(len(settings.projects), stage_seconds).platform.world
    store = ReleaseStore(client)
    for number, project in enumerate(settings.projects.values()):
        commit = world.repositories[repository_url(number)].branches["main"]
        release = new_release(
            project,
            commit=commit,
            ref="refs/heads/main",
            git_url=repository_url(number),
            trigger=Trigger("manual", actor="bench"),
            reason="bench",
            by_person=True,
        )
        wait = begun + over_seconds * number / len(settings.projects) - time.monotonic()
        time.sleep(max(wait, 0.0))  # a load at a fixed rate
        store.start(candidate_json(release, project), retry_of=None, force=True, idempotency=None)


def start_worker(directory: Path, url: str) -> subprocess.Popen[bytes]:
    """Start one worker process."""
    command = [sys.executable, "-P", "-m", "workers.main", "--config", str(directory / "switchover.yaml")]
    return subprocess.Popen(command, env={**os.environ, "SWITCHOVER_STORE_URL": url})


def end(workers: list[subprocess.Popen[bytes]]) -> None:
    """End the worker processes."""
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.wait(15)


def wait_until_done(reading: Reading) -> int:
    """Return how many are live once none is on its way."""
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        releases = reading.counts()["releases"]
        if not releases["queued"] + releases["running"] + releases["waiting"]:
            return int(releases["live"])
        time.sleep(1.0)  # the measured processes must not be kept busy by the measuring
    raise TimeoutError(f"releases are still moving after {MOST_SECONDS:.0f} s: {reading.counts()}")


def counters(client: redis.Redis) -> dict[str, int]:
    """Return the store's own counters: all commands, and those that came over the wire."""
    answers: Any = client.info("everything")
    calls = {
        name.removeprefix("cmdstat_"): row["calls"] for name, row in answers.items() if "cmdstat_" in name
    }
    return {
        "commands": answers["total_commands_processed"],
        "scripts": calls.get("evalsha", 0),
        "celery": sum(calls.get(name, 0) for name in ("brpop", "lpush", "multi")),
    }


def report(
    client: redis.Redis,
    workers: list[subprocess.Popen[bytes]],
    before: dict[str, int],
    live: int,
    seconds: float,
) -> None:
    """Print what was measured."""
    late: Any = client.hgetall(key("lateness"))
    buckets = sorted((float(bound), int(count)) for bound, count in late.items())
    looks = sum(count for _, count in buckets)
    after = counters(client)
    spent = {name: after[name] - before[name] for name in before}
    memory = [resident_mb(worker.pid) for worker in workers]
    print(f"  live {live} of {RELEASES} after {seconds:.0f} s; {looks} looks, {looks / seconds:.0f}/s")
    print(
        f"  looked at late: half within {percentile(buckets, 0.5):.0f} ms,"
        f" 95 % within {percentile(buckets, 0.95):.0f} ms (wanted: 1000 ms),"
        f" 99 % within {percentile(buckets, 0.99):.0f} ms"
    )
    print(f"  memory of a worker process: {', '.join(f'{each:.0f} MiB' for each in memory)}")
    print(
        f"  a release costs the store: {spent['scripts'] / RELEASES:.0f} round trips of scripts"
        f" and {spent['celery'] / RELEASES:.0f} of Celery;"
        f" {spent['commands'] / RELEASES:.0f} commands in all, those inside scripts included"
    )


def percentile(buckets: list[tuple[float, int]], part: float) -> float:
    """Return the upper bound of the bucket in which the part of all looks is reached."""
    wanted, seen = sum(count for _, count in buckets) * part, 0
    for bound, count in buckets:
        seen += count
        if seen >= wanted:
            return bound
    return float("inf")


def resident_mb(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
