"""The main job on one command: `make run` brings everything up and releases a sample; `make push` changes it.

It knows the bot only from outside: its command line, its webhook, its API.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

import httpx

from sandbox.local import LocalSandbox, SandboxSettings
from sandbox.repositories import SampleRepository, commit_change, git, make_sample_repository

DIRECTORY = Path("var/demo")
DOMAIN = "shop.localhost"
LOOPBACK = "127.0.0.1"
READY_SECONDS = 40.0
END_SECONDS = 20.0

CONFIGURATION = """\
# Written by `make run`; made anew each time. A starting point of your own: config/switchover.yaml
server: {{host: 127.0.0.1, port: {port}}}
state_dir: {directory}/state
log: {{level: warning}}
access:
  tokens: [{{name: demo, role: admin, token: "file:{directory}/admin-token"}}]
hosts:
  github: {{driver: github, secrets: ["file:{directory}/webhook-secret"]}}
platforms:
  codesphere:
    driver: codesphere
    api_url: {api_url}
    token: "file:{directory}/platform-token"
    workspace_url: "http://{{dev_domain}}"
    poll_interval: 1s
projects:
  shop:
    host: github
    repository: acme/shop
    git: {{url: "{git_url}"}}
    triggers: [{{push: {{branches: [main]}}}}]
    target: {{platform: codesphere, team: 35, plan: 8, domain: {domain}, public_url: "{public_url}"}}
    verify: {{path: /version, contains: commit}}
    observe: {{for: 5s}}
"""


@dataclass(frozen=True)
class Addresses:
    """Where everything is, for `make push` and for people. Holds no secret."""

    bot: str
    shop: str
    repository: str
    working: str


def run() -> int:
    """Bring everything up, release the sample, and stay until Ctrl-C or SIGTERM."""
    _end_when_asked()
    begun = time.monotonic()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    directory = DIRECTORY.resolve()
    with _alone(directory), contextlib.ExitStack() as stack:
        for old in ("state", "sandbox"):
            shutil.rmtree(directory / old, ignore_errors=True)
        local = stack.enter_context(LocalSandbox(_sandbox_settings(directory)))
        sample = make_sample_repository(local.repositories)
        addresses = _configure(directory, local, sample)
        bot = stack.enter_context(_bot(directory))
        _wait_until_ready(addresses.bot, bot)
        released = _release(addresses, directory, sample.commit, None)
        _say_what_next(addresses, directory, released=released, seconds=time.monotonic() - begun)
        if not released:
            return 1
        return bot.wait()


def push() -> int:
    """Change the sample, push, tell the bot, and follow the release."""
    directory = DIRECTORY.resolve()
    try:
        addresses = Addresses(**json.loads((directory / "addresses.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        sys.stderr.write("Nothing to push to: start it with `make run`, in another terminal.\n")
        return 2
    working = Path(addresses.working)
    sample = SampleRepository(
        addresses.repository, "main", git(working, "rev-parse", "HEAD"), Path(addresses.repository), working
    )
    page = (working / "app.py").read_text(encoding="utf-8")
    headline = f'HEADLINE = "Hello, changed at {time.strftime("%H:%M:%S")}"'
    lines = [headline if line.startswith("HEADLINE = ") else line for line in page.splitlines()]
    commit = commit_change(sample, {"app.py": "\n".join(lines) + "\n"}, "Change the headline")
    try:
        return 0 if _release(addresses, directory, commit, sample.commit) else 1
    except httpx.HTTPError:
        sys.stderr.write(f"Nobody answers at {addresses.bot}: start it with `make run`.\n")
        return 2


def _end_when_asked() -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # Also where Ctrl-C would be ignored, as for what a shell started in the background.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[TextIO]:
    """Hold the directory for as long as the block lasts, so that a second run does not wipe the first."""
    with (directory / "running").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("`make run` is running already; try `make push`, or end it with Ctrl-C first.")
        yield lock


def _sandbox_settings(directory: Path) -> SandboxSettings:
    return SandboxSettings(
        directory / "sandbox", domains={DOMAIN: _free_port(8090)}, path=os.environ.get("PATH", os.defpath)
    )


def _configure(directory: Path, local: LocalSandbox, sample: SampleRepository) -> Addresses:
    port = _free_port(8080)
    for name, value in (
        ("admin-token", secrets.token_urlsafe(24)),
        ("webhook-secret", secrets.token_urlsafe(24)),
        ("platform-token", local.token),
    ):
        _write_private(directory / name, value)
    (directory / "switchover.yaml").write_text(
        CONFIGURATION.format(
            port=port,
            directory=directory,
            api_url=local.api_url,
            git_url=sample.url,
            domain=DOMAIN,
            public_url=local.domain_url(DOMAIN),
        ),
        encoding="utf-8",
    )
    addresses = Addresses(
        f"http://{LOOPBACK}:{port}", local.domain_url(DOMAIN), sample.url, str(sample.working)
    )
    (directory / "addresses.json").write_text(json.dumps(asdict(addresses)), encoding="utf-8")
    return addresses


@contextlib.contextmanager
def _bot(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-m", "bot", "--config", str(directory / "switchover.yaml"), "up"]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)
        if process.poll() is None:
            process.kill()


def _wait_until_ready(bot: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"`switchover up` ended with status {process.returncode}; its message stands above.")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{bot}/readyz", timeout=2).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    sys.exit(f"{bot}/readyz did not become ready within {READY_SECONDS:.0f} s.")


def _release(addresses: Addresses, directory: Path, commit: str, before: str | None) -> bool:
    """Send the signed webhook of a push and follow its release; True when it went live."""
    answer = send_push(addresses.bot, (directory / "webhook-secret").read_text().strip(), commit, before)
    answer.raise_for_status()
    (release,) = answer.json()["releases"]
    environ = {
        **os.environ,
        "SWITCHOVER_URL": addresses.bot,
        "SWITCHOVER_TOKEN": (directory / "admin-token").read_text().strip(),
    }
    command = [sys.executable, "-P", "-m", "bot", "releases", "watch", release]
    return subprocess.run(command, env=environ, check=False).returncode == 0


def send_push(
    bot: str, secret: str, commit: str, before: str | None, *, repository: str = "acme/shop"
) -> httpx.Response:
    """Send what GitHub sends when main moved to a commit, signed with SHA-256 over the raw bytes."""
    event = {
        "ref": "refs/heads/main",
        "before": before or "0" * 40,
        "after": commit,
        "created": before is None,
        "deleted": False,
        "forced": False,
        "head_commit": {"id": commit, "message": "Change the sample", "timestamp": _now()},
        "commits": [],
        "repository": {
            "id": zlib.crc32(repository.encode()),
            "full_name": repository,
            "default_branch": "main",
            "clone_url": "https://github.com/acme/shop.git",
            "pushed_at": int(time.time()),
        },
        "pusher": {"name": "you"},
        "sender": {"login": "you", "type": "User"},
    }
    body = json.dumps(event).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return httpx.post(f"{bot}/webhooks/github", content=body, headers=headers, timeout=10)


def _say_what_next(addresses: Addresses, directory: Path, *, released: bool, seconds: float) -> None:
    install = os.environ.get("SWITCHOVER_INSTALL_SECONDS", "0")
    token = directory / "admin-token"
    lines = (
        "",
        f"Installed in {install} s; from start to live in {seconds:.1f} s."
        if released
        else "Not live; see above.",
        "",
        f"  Production   {addresses.shop}/          (served by the release)",
        f"  Dashboard    {addresses.bot}/          (sign in with the token in {token})",
        f"  API          {addresses.bot}/api/docs",
        "",
        "Next, in another terminal:",
        "  make push                                    a second release replaces the first",
        f"  export SWITCHOVER_URL={addresses.bot} SWITCHOVER_TOKEN=$(cat {token})",
        "  .venv/bin/switchover releases list",
        "",
        "Ctrl-C ends everything." if released else "",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")


def _free_port(wanted: int) -> int:
    """Return the wanted port, or any free one where somebody has it."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on the loopback interface")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def main() -> int:
    """Run what the first argument says."""
    match sys.argv[1:]:
        case ["run"]:
            with contextlib.suppress(KeyboardInterrupt):
                return run()
            return 0
        case ["push"]:
            return push()
        case _:
            sys.stderr.write("usage: python -m sandbox.demo run|push\n")
            return 2


if __name__ == "__main__":
    sys.exit(main())
