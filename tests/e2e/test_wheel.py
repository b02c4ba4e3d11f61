"""The wheel as others get it: what is in it, and that it works where nothing else of ours is."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "workers", "config", "sandbox")
SAMPLES = ROOT / "tests" / "samples" / "github"
VARIABLES = {
    "SWITCHOVER_ADMIN_TOKEN": "an-admin-token-of-some-length",
    "GITHUB_WEBHOOK_SECRET": "a-webhook-secret-of-some-length",
    "CODESPHERE_TOKEN": "a-platform-token",
}

# One build and one environment for the whole file.
pytestmark = pytest.mark.xdist_group("wheel")


@dataclass(frozen=True)
class Installed:
    """The wheel in an environment that holds nothing but it and the locked runtime packages."""

    bin: Path
    packages: Path

    def run(
        self, *command: str, cwd: Path, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.defpath, **(variables or {})}
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what a wheel is built from, with things in it that must not get in."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, copy)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests").mkdir()
    (copy / "tests" / "test_nothing.py").touch()
    (copy / "bot" / "__pycache__").mkdir()
    (copy / "bot" / "__pycache__" / "auth.cpython-311.pyc").touch()
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, without a network."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-P", "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=source, check=True, capture_output=True, timeout=60)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("elsewhere") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=60)
    pip = [sys.executable, "-P", "-m", "pip", "--python", str(place / "bin" / "python"), "--isolated"]
    options = ["--no-index", "--no-deps", "--no-compile", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True, timeout=60)
    (packages,) = place.glob("lib/python*/site-packages")
    link_locked_packages(packages)
    return Installed(place / "bin", packages)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    directory = tmp_path / "empty"
    directory.mkdir()
    return directory


def link_locked_packages(packages: Path) -> None:
    """Link what requirements.lock names into an environment: none of the packages for development."""
    lock = (ROOT / "requirements.lock").read_text()
    for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE):
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another system or Python
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(distribution.locate_file(top))))


def test_the_wheel_holds_the_four_packages_with_all_their_files_and_nothing_else(
    wheel: Path, source: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
    there = {
        str(file.relative_to(source))
        for package in PACKAGES
        for file in (source / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert {name for name in held if not name.startswith("switchover-")} == there
    assert {name.split("/")[0].split("-")[0] for name in held} == {*PACKAGES, "switchover"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= held
    assert any(re.fullmatch(r"workers/store/lua/\w+\.lua", name) for name in held)
    assert {"config/reference.yaml", "config/switchover.yaml", "sandbox/sample/ci.yml"} <= held
    assert {Path(name).suffix for name in held if name.startswith("bot/dashboard/")} >= {".css", ".js"}


def test_the_wheel_names_its_licence_its_command_and_only_runtime_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        facts = {Path(name).name: name for name in archive.namelist() if name.startswith("switchover-")}
        described = archive.read(facts["METADATA"]).decode()
        commands = archive.read(facts["entry_points.txt"]).decode()

    assert "LICENSE" in facts
    assert "License-Expression: Apache-2.0" in described
    assert commands.split() == ["[console_scripts]", "switchover", "=", "bot.cli:main"]
    assert not re.search(r"^Requires-Dist: (pytest|mypy|ruff|hypothesis)", described, re.MULTILINE)


def test_installed_elsewhere_it_tells_its_version_from_an_empty_directory(
    installed: Installed, empty: Path
) -> None:
    answer = installed.run("switchover", "version", "--json", cwd=empty)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout) == {"version": metadata.version("switchover")}
    assert list(empty.iterdir()) == []


def test_installed_elsewhere_it_checks_the_configuration_that_it_carries(
    installed: Installed, empty: Path
) -> None:
    carried = {"SWITCHOVER_CONFIG": str(installed.packages / "config" / "switchover.yaml"), **VARIABLES}

    answer = installed.run("switchover", "check", "--json", cwd=empty, variables=carried)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["ok"] is True
    assert list(empty.iterdir()) == []


def test_installed_elsewhere_it_explains_a_delivery(installed: Installed, empty: Path) -> None:
    config = installed.packages / "config" / "switchover.yaml"
    delivery = ["--headers", f"{SAMPLES}/push.headers.json", "--payload", f"{SAMPLES}/push_branch.json"]
    command = ["explain", "--driver", "github", *delivery, "--config", str(config), "--json"]

    answer = installed.run("switchover", *command, cwd=empty, variables=VARIABLES)

    told = json.loads(answer.stdout)
    assert answer.stderr == ""
    assert told["event"]["kind"] == "push"
    assert [decision["project"] for decision in told["decisions"]] == ["shop"]
    released = any(decision["verdict"] == "release" for decision in told["decisions"])
    assert answer.returncode == (0 if released else 1)
    assert list(empty.iterdir()) == []


def test_installed_elsewhere_it_runs_with_the_runtime_packages_alone(
    installed: Installed, empty: Path, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "switchover.yaml"
    config.write_text(f"server: {{port: {port}}}\nstate_dir: {tmp_path}/state\n")
    log = tmp_path / "log"
    command = [str(installed.bin / "switchover"), "--config", str(config), "up"]
    with log.open("w") as said:
        tree = subprocess.Popen(command, cwd=empty, env={"PATH": os.defpath}, stdout=said, stderr=said)
    try:
        ready = ready_soon(port, tree)
    finally:
        tree.terminate()
        status = tree.wait(20)

    assert ready, log.read_text()[-3000:]
    assert "ModuleNotFoundError" not in log.read_text()
    assert status == 0
    assert list(empty.iterdir()) == []


def ready_soon(port: int, tree: subprocess.Popen[bytes]) -> bool:
    """Wait until receiver, store and a worker all work; False when they do not within 40 s."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and tree.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == httpx.codes.OK:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    return False


def test_every_module_can_be_imported_with_the_runtime_packages_alone(
    installed: Installed, empty: Path
) -> None:
    program = f"""
import importlib, pkgutil
for package in {PACKAGES!r}:
    root = importlib.import_module(package)
    assert root.__file__.startswith({str(installed.packages)!r}), root.__file__
    for found in pkgutil.walk_packages(root.__path__, package + "."):
        if not found.name.startswith("sandbox.sample.") and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
"""
    answer = installed.run("python", "-P", "-W", "error", "-c", program, cwd=empty)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == answer.stderr == ""
