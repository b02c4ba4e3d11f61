"""The sandbox as a program: `switchover sandbox`, or `python -m sandbox.main`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sandbox.local import LocalSandbox, SandboxSettings


def run_sandbox(
    settings: SandboxSettings,
    *,
    announce: Callable[[str], None] = print,
    stop: threading.Event | None = None,
) -> None:
    """Run until SIGTERM, SIGINT or `stop`; ends every process it started within five seconds.

    `announce` gets one line after another about where things are. The token is written to
    `state_dir/token`, readable by the owner only.
    """
    ended = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    if settings.path == os.defpath:
        settings = replace(settings, path=os.environ.get("PATH", os.defpath))
    with LocalSandbox(settings) as local:
        token = settings.state_dir / "token"
        _write_private(token, local.token)
        announce(f"API       {local.api_url}")
        announce(f"Token     in {token}")
        announce(f"Gateway   {local.gateway_url} (by Host)")
        for name in settings.domains:
            announce(f"Domain    {local.domain_url(name)} serves {name}")
        announce(f"Control   {local.control_url}/state, /faults, /branch (with the token)")
        ended.wait()


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")


if __name__ == "__main__":
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "var/sandbox")
    run_sandbox(SandboxSettings(directory, domains={"shop.localhost": 0}))
