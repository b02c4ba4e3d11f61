"""A web process of its own, started as `up` starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.web.web import SECRET, TOKENS

CONFIG = """
server: {{port: {port}}}
access:
  tokens:
    - {{name: admin, role: admin, token: {admin}}}
    - {{name: viewer, role: viewer, token: {viewer}}}
hosts:
  github: {{driver: github, secrets: ["{secret}"]}}
platforms:
  codesphere: {{driver: codesphere, token: sandbox-token}}
projects:
  shop:
    host: github
    repository: acme/shop
    triggers: [push: {{branches: [main]}}]
    target: {{platform: codesphere, team: 35, plan: 8, domain: shop.example.com}}
"""


@dataclass(frozen=True)
class Server:
    """A running server, its address, and the file that it read."""

    process: subprocess.Popen[str]
    address: str
    config: Path

    def end(self) -> int:
        """Ask it to end and return its exit status; fails after five seconds."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(5)

    def line_with(self, words: str) -> str:
        """Return the next line of its log with these words; the test's own time-out bounds it."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if words in line)


def write_config(directory: Path, *, port: int = 0, admin: str = TOKENS["admin"]) -> Path:
    """Write a whole configuration and return its path."""
    path = directory / "switchover.yaml"
    path.write_text(CONFIG.format(port=port, admin=admin, viewer=TOKENS["viewer"], secret=SECRET))
    return path


@contextmanager
def serving(config: Path, store_url: str) -> Iterator[Server]:
    """Run a server until the end of the block."""
    environ = {**os.environ, "SWITCHOVER_STORE_URL": store_url}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bot.serve", "--config", str(config)],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if '"serving"' in line)
        yield Server(process, json.loads(line)["address"], config)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()
