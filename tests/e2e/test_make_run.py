"""`make run` and `make push`, as a newcomer types them (without the installation)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.tree import soon

DEMO = [sys.executable, "-P", "-m", "sandbox.demo"]


@pytest.mark.timeout(180)
def test_the_sample_goes_live_a_push_replaces_it_and_ctrl_c_ends_everything(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with output.open("w") as file:
        demo = subprocess.Popen([*DEMO, "run"], cwd=tmp_path, stdout=file, stderr=subprocess.STDOUT)
    try:
        soon(lambda: "Ctrl-C ends everything" in output.read_text() or demo.poll() is not None, "live", 90)
        assert demo.poll() is None, output.read_text()
        addresses = json.loads((tmp_path / "var/demo/addresses.json").read_text())
        first = httpx.get(f"{addresses['shop']}/version").json()["commit"]
        pushed = subprocess.run([*DEMO, "push"], cwd=tmp_path, capture_output=True, text=True, check=False)
        second = httpx.get(f"{addresses['shop']}/version").json()["commit"]
    finally:
        demo.send_signal(signal.SIGINT)
        try:
            status = demo.wait(20)
        finally:
            demo.kill()

    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    assert "is live" in pushed.stdout
    assert second != first
    assert status == 0, output.read_text()
    assert processes_below(tmp_path) == []


def test_a_push_without_a_running_demo_says_how_to_start_it(tmp_path: Path) -> None:
    pushed = subprocess.run([*DEMO, "push"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert pushed.returncode == 2
    assert "make run" in pushed.stderr


def processes_below(directory: Path) -> list[str]:
    """Return the command lines of all processes whose working directory is inside a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            inside = entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(directory)
            if inside:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it ended, or is none of ours
    return found
