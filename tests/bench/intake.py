"""Deliveries a second that one receiver process takes in, as a ratio to a bare route."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.bench.load import Load, send_all
from workers.store.embedded import EmbeddedStore

SECRET = "a-secret-for-benchmarks"
REQUESTS = 4000
CONNECTIONS = 16
ROUNDS = 7
READY_SECONDS = 20.0

Fsync = Literal["always", "everysec"]
SETTINGS: tuple[Fsync, ...] = ("everysec", "always")

CONFIGURATION = """\
server: {{port: {port}}}
state_dir: {state}
log: {{level: error}}
hosts: {{github: {{driver: github, secrets: ["{secret}"]}}}}
platforms: {{codesphere: {{driver: codesphere, token: unused}}}}
projects:
  shop:
    host: github
    repository: acme/shop
    triggers: [{{push: {{branches: [main]}}}}]
    target: {{platform: codesphere, team: 35, plan: 8, domain: shop.example.com}}
"""


def run() -> None:
    """Print one line per setting, from one run on this machine."""
    print(
        f"Intake: one receiver process, {CONNECTIONS} connections, {ROUNDS} rounds of {REQUESTS} "
        "signed pushes of 8 KB; medians"
    )
    requests = [signed_push(number) for number in range(REQUESTS)]
    rounds = [_round(requests) for _ in range(ROUNDS)]
    bare = statistics.median(each["bare"].rate for each in rounds)
    print(f"  bare route            {bare:8.0f}/s")
    for fsync, wanted in (("everysec", 0.30), ("always", 0.18)):
        rate = statistics.median(each[fsync].rate for each in rounds)
        # Each round's own ratio: what else the machine does changes from round to round.
        ratio = statistics.median(each[fsync].rate / each["bare"].rate for each in rounds)
        p99 = statistics.median(each[fsync].p99_ms for each in rounds)
        wrong = sum(each[fsync].failed for each in rounds)
        print(
            f"  appendfsync {fsync:9} {rate:8.0f}/s   ratio {ratio:.2f} (at least {wanted:.2f})"
            f"   p99 {p99:5.1f} ms   not 2xx: {wrong}"
        )


def _round(requests: Sequence[bytes]) -> dict[str, Load]:
    with bare_server() as port:
        found = {"bare": send_all(port, requests, connections=CONNECTIONS)}
    for fsync in SETTINGS:
        with receiver(fsync) as port:
            found[fsync] = send_all(port, requests, connections=CONNECTIONS)
    return found


def signed_push(number: int) -> bytes:
    """Return the bytes of one push delivery of about 8 KB, with an id and a commit of its own."""
    commit = hashlib.sha1(str(number).encode()).hexdigest()  # noqa: S324 - the shape of a commit id
    event = {
        "ref": "refs/heads/main",
        "before": hashlib.sha1(str(number - 1).encode()).hexdigest(),  # noqa: S324 - likewise
        "after": commit,
        "created": False,
        "deleted": False,
        "forced": False,
        "head_commit": {"id": commit, "message": f"Change {number}", "timestamp": "2026-11-21T12:00:00Z"},
        "commits": [{"id": commit, "message": "padding " * 20} for _ in range(35)],
        "repository": {
            "id": 1,
            "full_name": "acme/shop",
            "default_branch": "main",
            "pushed_at": 1_700_000_000 + number,
        },
        "pusher": {"name": "ann"},
        "sender": {"login": "ann", "type": "User"},
    }
    body = json.dumps(event).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: push\r\nX-GitHub-Delivery: bench-{number}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def bare_server() -> Iterator[int]:
    """Run the bare route in a process of its own."""
    port = free_port()
    with process([sys.executable, "-P", "-m", "tests.bench.bare", str(port)], port, {}):
        yield port


@contextmanager
def receiver(fsync: Fsync) -> Iterator[int]:
    """Run one receiver process over a fresh store with the given durability."""
    with tempfile.TemporaryDirectory() as directory:
        store = EmbeddedStore(Path(directory) / "state", appendfsync=fsync)
        store.start()
        try:
            port = free_port()
            config = Path(directory) / "switchover.yaml"
            config.write_text(CONFIGURATION.format(port=port, state=directory, secret=SECRET))
            command = [sys.executable, "-P", "-m", "bot.serve", "--config", str(config)]
            with process(command, port, {"SWITCHOVER_STORE_URL": store.url}):
                yield port
        finally:
            store.stop()


@contextmanager
def process(command: list[str], port: int, environ: dict[str, str]) -> Iterator[None]:
    """Run a server until the block ends; returns when its port answers."""
    running = subprocess.Popen(command, env={**os.environ, **environ}, stderr=subprocess.DEVNULL)
    try:
        await_port(port)
        yield
    finally:
        running.terminate()
        running.wait(10)


def await_port(port: int) -> None:
    """Return when something listens on a loopback port."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)  # a port cannot be waited on
    raise TimeoutError(f"nothing listens on port {port} after {READY_SECONDS:.0f} s")


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
