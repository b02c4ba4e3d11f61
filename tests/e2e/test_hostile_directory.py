"""Started where a foreign `config`, `workers`, `bot` and `sandbox` lie about, Switchover loads its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from time import monotonic

import httpx
import pytest
from click.testing import CliRunner

import config as our_config
from bot.cli import COMMANDS, switchover
from bot.supervisor import members

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples" / "github"
SHIPPED = Path(str(our_config.__file__)).parent / "switchover.yaml"
COMMAND = str(Path(sys.executable).parent / "switchover")
PATIENCE = 40.0

PACKAGES = ("bot", "workers", "sandbox", "tests")
MODULES = (
    "config",
    "celeryconfig",
    "celery",
    "redis",
    "uvicorn",
    "click",
    "yaml",
    "logging",
    "json",
    "sitecustomize",
)
TRAP = """
with open({marker!r}, "a") as marker:
    marker.write(__name__ + "\\n")
raise SystemExit("a foreign " + __name__ + " was imported")
"""

CONFIGURATION = """
server: {port: 0}
state_dir: ./state
log: {format: json}
platforms:
  nowhere: {driver: codesphere, api_url: "http://127.0.0.1:1/api", token: sample-token-of-nobody}
hosts:
  github: {driver: github, secrets: [sample-webhook-secret]}
projects:
  shop:
    host: github
    repository: acme/shop
    target: {platform: nowhere, team: 1, plan: 8, domain: shop.example.com}
"""
VARIABLES = {
    "SWITCHOVER_ADMIN_TOKEN": "an-admin-token-of-some-length",
    "GITHUB_WEBHOOK_SECRET": "a-webhook-secret-of-some-length",
    "CODESPHERE_TOKEN": "a-platform-token",
    # What makes Celery load a module of the working directory, where it is let.
    "CELERY_CONFIG_MODULE": "celeryconfig",
    "CELERY_LOADER": "default",
}


@dataclass(frozen=True)
class Hostile:
    """A directory whose modules write down that they were imported."""

    directory: Path
    marker: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command here to its end."""
        return subprocess.run(
            command,
            cwd=self.directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def imported(self) -> list[str]:
        """Return the names of the foreign modules that were imported."""
        return self.marker.read_text().split() if self.marker.exists() else []


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    directory, marker = tmp_path / "here", tmp_path / "imported"
    trap = TRAP.format(marker=str(marker))
    for name in PACKAGES:
        package = directory / name
        package.mkdir(parents=True)
        for module in ("__init__", "__main__", "main", "serve", "cli"):
            (package / f"{module}.py").write_text(trap)
    for name in MODULES:
        (directory / f"{name}.py").write_text(trap)
    return Hostile(directory, marker)


def environment() -> dict[str, str]:
    """Return the caller's environment without what changes where Python looks for modules."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SWITCHOVER"))
    }
    return {**kept, **VARIABLES}


def every_command() -> Iterator[tuple[str, ...]]:
    """Yield every command and subcommand, as the command line itself names them."""
    yield ()
    for name in COMMANDS:
        yield (name,)
        told = CliRunner().invoke(switchover, [name, "--help"], obj={}).output
        _, _, below = told.partition("\nCommands:\n")
        for word in re.findall(r"^  ([a-z][a-z-]*)", below, re.MULTILINE):
            yield (name, word)


@contextmanager
def running(
    hostile: Hostile, *command: str
) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], re.Match[str]]]]:
    """Run a command here until the block ends; gives it and a way to wait for a line of what it says."""
    process = subprocess.Popen(
        command,
        cwd=hostile.directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: Queue[str] = Queue()
    reader = threading.Thread(target=_read_into, args=(lines, process.stdout))
    reader.start()
    seen: list[str] = []

    def says(pattern: str) -> re.Match[str]:
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            try:
                seen.append(lines.get(timeout=0.1))
            except Empty:
                assert process.poll() is None, f"it ended: {''.join(seen)}"
                continue
            if found := re.search(pattern, seen[-1]):
                return found
        raise AssertionError(f"it never said {pattern}: {''.join(seen)}")

    try:
        yield process, says
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            process.kill()
            reader.join(10)
            process.stdout.close()


def _read_into(lines: Queue[str], said: Iterable[str]) -> None:
    for line in said:
        lines.put(line)


@pytest.mark.parametrize("module", ["bot", "bot.serve", "workers.main", "sandbox.main"])
def test_the_traps_spring_where_python_is_started_without_its_guard(hostile: Hostile, module: str) -> None:
    hostile.run(sys.executable, "-m", module, "--help")

    assert hostile.imported() != []


@pytest.mark.parametrize("command", list(every_command()), ids=" ".join)
def test_the_help_of_every_command_loads_nothing_from_here(
    hostile: Hostile, command: tuple[str, ...]
) -> None:
    answer = hostile.run(COMMAND, *command, "--help")

    assert hostile.imported() == []
    assert answer.returncode == 0, answer.stderr
    assert f"switchover {' '.join(command)}".strip() in answer.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("version",),
        ("--config", str(SHIPPED), "check"),
        ("explain", "--driver", "github", "--headers", f"{SAMPLES}/push.headers.json",
         "--payload", f"{SAMPLES}/push_branch.json", "--config", str(SHIPPED)),
    ],
    ids=["version", "check", "explain"],
)  # fmt: skip
@pytest.mark.parametrize("start", [(COMMAND,), (sys.executable, "-P", "-m", "bot")], ids=["script", "module"])
def test_a_command_that_works_offline_loads_nothing_from_here(
    hostile: Hostile, command: tuple[str, ...], start: tuple[str, ...]
) -> None:
    answer = hostile.run(*start, *command)

    assert hostile.imported() == []
    assert answer.returncode in {0, 1}, answer.stderr
    assert answer.stdout != ""


def test_what_up_starts_loads_nothing_from_here(hostile: Hostile) -> None:
    started = [list(member.command) for member in members(Path("my.yaml"), {})]
    assert len(started) > 1

    for command in started:
        answer = hostile.run(*command[: command.index("--config")], "--help")

        assert hostile.imported() == []
        assert answer.returncode == 0, answer.stderr
        assert "--config" in answer.stdout


def test_a_whole_switchover_at_work_loads_nothing_from_here(hostile: Hostile) -> None:
    file = hostile.directory / "my.yaml"
    file.write_text(CONFIGURATION)

    with running(hostile, COMMAND, "--config", "my.yaml", "up") as (process, says):
        address = says(r'"address": ?"(http://[^"]+)"')[1]
        ready = _ready(address)
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)

    assert ready
    assert hostile.imported() == []
    assert status == 0


def test_the_sandbox_at_work_loads_nothing_from_here(hostile: Hostile) -> None:
    with running(hostile, COMMAND, "sandbox", "--state-dir", "sand") as (process, says):
        says("^Control ")
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)

    assert hostile.imported() == []
    assert status == 0


def _ready(address: str) -> bool:
    """Wait until a worker has been seen too: then every process has loaded all that it needs."""
    deadline = monotonic() + PATIENCE
    with httpx.Client(base_url=address, timeout=5, trust_env=False) as client:
        while monotonic() < deadline:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return True
            threading.Event().wait(0.05)
    return False
