"""Real receivers, real workers and a real store around a scripted platform: one town for each test."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import redis

from sandbox.core.sandbox import Sandbox
from sandbox.scripted.behaviour import Behaviour
from tests.chaos.outside import TOKEN, PlatformServer, Project, push_event
from workers.errors import StoreAway
from workers.releases.model import Release
from workers.releases.status import Status
from workers.store.connection import connect
from workers.store.embedded import EmbeddedStore
from workers.store.keyspace import key
from workers.store.reading import Reading

ROOT = Path(__file__).parents[2]
SECRET = "a-webhook-secret-for-chaos"
PATIENCE = 40.0
CONFIGURATION = """\
server: {{port: {port}}}
redis: {{url: "{redis_url}"}}
state_dir: {directory}
log: {{level: info, format: json}}
hosts: {{github: {{driver: github, secrets: ["{secret}"]}}}}
platforms:
  codesphere:
    driver: codesphere
    api_url: {platform}/api
    token: {token}
    workspace_url: "{platform}/visit/{{dev_domain}}"
    poll_interval: 500ms
defaults:
  host: github
  triggers: [{{push: {{branches: [main]}}}}]
  observe: {{for: 500ms}}
projects:
"""
PROJECT = """\
  {name}:
    repository: acme/{name}
    git: {{url: "{git_url}"}}
    target: {{platform: codesphere, team: 35, plan: 8, domain: {domain}, paths: ["{path}"],
      public_url: "{platform}/visit/{domain}{path}"}}
    verify: {{path: "{path}"}}
"""


def soon(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait until a condition holds, or fail saying what did not happen; returns the seconds it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)  # between two looks at processes that cannot be waited on
    return time.monotonic() - begun


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Receiver:
    """A running receiver."""

    url: str
    process: subprocess.Popen[bytes]


@dataclass
class Town:
    """A platform, a store's address, and every process that a test starts. `store_url` may be changed."""

    directory: Path
    projects: Sequence[Project]
    platform: PlatformServer
    store_url: str
    redis_url: str = ""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _client: redis.Redis | None = None

    @property
    def sandbox(self) -> Sandbox:
        """Return the platform's core."""
        return self.platform.sandbox

    @property
    def client(self) -> redis.Redis:
        """Return a client of the store."""
        if self._client is None:
            self._client = connect(self.store_url)
        return self._client

    @property
    def reading(self) -> Reading:
        """Return what reads the store."""
        return Reading(self.client)

    def receiver(self) -> Receiver:
        """Start a receiver and return once it answers."""
        port = free_port()
        process = self._start("bot.serve", "--config", str(self._configuration(port)))
        receiver = Receiver(f"http://127.0.0.1:{port}", process)

        def answers() -> bool:
            assert process.poll() is None, self.log(process)
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{receiver.url}/livez", timeout=2).status_code == httpx.codes.OK
            return False

        soon(answers, "the receiver answers")
        return receiver

    def worker(
        self, *, bent: str | None = None, store_url: str | None = None, within: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a worker process; `bent` is a program that runs in it first, `within` a command before it."""
        arguments = ("--config", str(self._configuration(0)), "--concurrency", "4")
        return self._start("workers.main", *arguments, bent=bent, store_url=store_url, within=within)

    def workers(self, count: int) -> list[subprocess.Popen[bytes]]:
        """Start so many worker processes and return once all are at work."""
        made = [self.worker() for _ in range(count)]
        self.await_workers(count)
        return made

    def await_workers(self, count: int) -> None:
        """Return once so many worker processes were seen since the town was founded."""
        soon(lambda: int(self.client.zcard(key("workers"))) >= count, f"{count} workers")

    def commit(self, project: Project, behaviour: Behaviour | None = None) -> str:
        """Commit a change, without telling the bot."""
        return str(self.platform.world.repository(project.git_url).commit(behaviour=behaviour or Behaviour()))

    def push(
        self,
        receiver: Receiver,
        project: Project,
        commit: str,
        before: str | None = None,
        *,
        delivery: str | None = None,
    ) -> httpx.Response:
        """Send what GitHub sends when main moved to a commit."""
        body = json.dumps(push_event(project, commit, before)).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        return httpx.post(f"{receiver.url}/webhooks/github", content=body, headers=headers, timeout=20)

    def released(self, receiver: Receiver, project: Project, commit: str, before: str | None = None) -> str:
        """Push and return the release that it made."""
        answer = self.push(receiver, project, commit, before)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        (release,) = answer.json()["releases"]
        return str(release)

    def release(self, release_id: str) -> Release:
        """Return a release as it stands."""
        return self.reading.release(release_id)

    def fence(self, release_id: str) -> int:
        """Return the fence of the last lease."""
        return int(self.client.hget(key("release", release_id), "fence") or 0)

    def releases(self, project: Project) -> list[Release]:
        """Return every release of a project, newest first."""
        return self.reading.page(project=project.name, status=None, limit=200, before=None)[0]

    def until(self, release_id: str, step: str, seconds: float = PATIENCE) -> None:
        """Wait until a release is at a step."""
        soon(lambda: self.release(release_id).step == step, f"release {release_id} is at {step}", seconds)

    def live(self, release_id: str, seconds: float = PATIENCE) -> Release:
        """Return a release once it is live; fails at once when it ended otherwise."""

        def ended() -> bool:
            with contextlib.suppress(StoreAway):  # a store that is failing over
                return not self.release(release_id).unfinished
            return False

        soon(ended, f"release {release_id} ends", seconds)
        found = self.release(release_id)
        assert found.status is Status.LIVE, (found, [line.body for line in self.reading.history(release_id)])
        return found

    def puts(self, project: Project) -> list[dict[str, list[int]]]:
        """Return every map that a domain was given, oldest first."""
        path = f"{self.sandbox.domain_path(project.domain)}/workspace-connections"
        return [call.body for call in self.sandbox.called("PUT", path) if isinstance(call.body, dict)]

    def log(self, process: subprocess.Popen[bytes]) -> str:
        """Return what a process wrote."""
        return (self.directory / f"log-{self.started.index(process)}").read_text(errors="replace")

    def end(self) -> None:
        """End everything that was started here."""
        for process in self.started:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(10)
        if self._client is not None:
            self._client.close()
        self.platform.stop()

    def _start(
        self,
        module: str,
        *arguments: str,
        bent: str | None = None,
        store_url: str | None = None,
        within: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        program = ["-m", module]
        if bent is not None:
            begin = f"import runpy, sys\nsys.argv[0] = {module!r}\n"
            run = f"\nrunpy.run_module({module!r}, run_name='__main__', alter_sys=True)\n"
            program = ["-c", begin + textwrap.dedent(bent) + run]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "SWITCHOVER_STORE_URL": store_url or self.store_url}
        if self.redis_url:
            del environ["SWITCHOVER_STORE_URL"]
        with (self.directory / f"log-{len(self.started)}").open("wb") as log:
            process = subprocess.Popen(
                [*within, sys.executable, "-P", *program, *arguments],
                env=environ,
                cwd=self.directory,
                stdout=log,
                stderr=log,
            )
        self.started.append(process)
        return process

    def _configuration(self, port: int) -> Path:
        """Write a configuration; each receiver has a port, and so a file, of its own."""
        platform = f"http://127.0.0.1:{self.platform.port}"
        text = CONFIGURATION.format(
            port=port,
            redis_url=self.redis_url,
            directory=self.directory / "state",
            secret=SECRET,
            platform=platform,
            token=TOKEN,
        )
        for project in self.projects:
            text += PROJECT.format(
                name=project.name,
                git_url=project.git_url,
                domain=project.domain,
                path=project.path,
                platform=platform,
            )
        config = self.directory / f"switchover-{port}.yaml"
        config.write_text(text)
        return config


@contextlib.contextmanager
def town(
    directory: Path, projects: Sequence[Project], store_url: str, *, redis_url: str = ""
) -> Iterator[Town]:
    """Found a town around a store that runs already; everything that it starts ends with the block."""
    with tempfile.TemporaryDirectory() as short:  # a unix socket's path must be
        made = Town(
            directory, projects, PlatformServer(projects, Path(short) / "socket"), store_url, redis_url
        )
        try:
            yield made
        finally:
            made.end()


@contextlib.contextmanager
def town_with_store(directory: Path, projects: Sequence[Project]) -> Iterator[tuple[Town, EmbeddedStore]]:
    """Found a town with an embedded store of its own, which the test may kill."""
    store = EmbeddedStore(directory / "store")
    store.start()
    try:
        with town(directory, projects, store.url) as made:
            yield made, store
    finally:
        store.stop()


def kill_store(store: EmbeddedStore) -> None:
    """Kill the embedded store as the system does when memory is short, and bury it."""
    assert store.pid is not None
    os.kill(store.pid, signal.SIGKILL)
    soon(lambda: store.pid is None, "the store's end")
