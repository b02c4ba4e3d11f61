"""Dockerfile, compose.yaml and .dockerignore, held to what is here, since no engine is."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import yaml

from bot.cli import COMMANDS
from bot.supervisor import SERVE_SECONDS
from config.settings import Settings, load_settings
from workers.main import WARM_SECONDS
from workers.store.connection import connect, durability
from workers.store.embedded import server_binary

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "config" / "switchover.yaml").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("serve", "worker")
DOT_ENV = {
    "REDIS_PASSWORD": "0123456789abcdef",
    "SWITCHOVER_ADMIN_TOKEN": "an-admin-token-of-some-length",
    "GITHUB_WEBHOOK_SECRET": "a-webhook-secret-of-some-length",
    "CODESPHERE_TOKEN": "a-platform-token",
}


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile as pairs of instruction and the rest of its (joined) line."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def final_stage() -> dict[str, str]:
    """Return the last value of each instruction of the last stage."""
    steps = instructions()
    start = max(index for index, (word, _) in enumerate(steps) if word == "FROM")
    return dict(steps[start:])


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(final_stage()["ENV"]))


def composed(service: str) -> dict[str, str]:
    """Return a service's environment as compose would make it from DOT_ENV."""

    def value(match: re.Match[str]) -> str:
        name, _, rest = match[1].partition(":")
        return DOT_ENV.get(name) or (rest.removeprefix("-") if rest.startswith("-") else "")

    written: Mapping[str, str] = SERVICES[service]["environment"]
    return {name: re.sub(r"\$\{([^}]*)\}", value, text) for name, text in written.items()}


def settings_in(service: str) -> Settings:
    return load_settings(SHIPPED, {**image_environment(), **composed(service)}, ROOT / "config")


def seconds(duration: str) -> float:
    assert duration.endswith("s")
    return float(duration.removesuffix("s"))


def reaches_the_builder(path: str) -> bool:
    """Tell what .dockerignore does to a path: the last rule that fits it, or what it is in, decides."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    parts = path.split("/")
    heads = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    ignored = False
    for rule in rules:
        pattern = rule.removeprefix("!").split("/")
        if any(_fits(pattern, head.split("/")) for head in heads):
            ignored = not rule.startswith("!")
    return not ignored


def _fits(pattern: list[str], parts: list[str]) -> bool:
    if pattern and pattern[0] == "**":
        return any(_fits(pattern[1:], parts[skipped:]) for skipped in range(len(parts) + 1))
    if not pattern or not parts:
        return not pattern and not parts
    return fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(pattern[1:], parts[1:])


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Answer GET /livez on a free port with this status, and anything else with 404."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health_check(port: int) -> int:
    """Run the image's health check against another port; returns its exit status."""
    command = json.loads(final_stage()["HEALTHCHECK"].split("CMD ", 1)[1])
    assert command[0] == "python"
    program = [each.replace("8080", str(port)) for each in command[1:]]
    away = {"http_proxy": "http://127.0.0.1:9", "PATH": os.defpath}
    return subprocess.run(
        [sys.executable, *program], env=away, timeout=20, capture_output=True, check=False
    ).returncode


def test_the_image_starts_switchover_without_a_shell() -> None:
    stage = final_stage()

    assert json.loads(stage["ENTRYPOINT"]) == ["switchover"]
    assert json.loads(stage["CMD"])[0] in COMMANDS
    assert stage["STOPSIGNAL"] == "SIGTERM"


def test_the_image_runs_as_a_numbered_user_that_is_not_root() -> None:
    user, _, group = final_stage()["USER"].partition(":")

    assert int(user) >= 1000
    assert int(group) >= 1000


def test_the_image_works_in_its_own_empty_directory_and_reads_one_configuration() -> None:
    stage, environment = final_stage(), image_environment()

    assert environment["SWITCHOVER_CONFIG"] == "/etc/switchover/switchover.yaml"
    assert json.loads(stage["VOLUME"]) == [stage["WORKDIR"]]
    assert environment["PYTHONSAFEPATH"] == "1"


def test_every_base_image_is_pinned_by_a_version() -> None:
    images = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    python = next(rest for word, rest in instructions() if word == "ARG" and rest.startswith("PYTHON="))
    tags = [image.replace("${PYTHON}", python.removeprefix("PYTHON=")) for image in images]
    tags += [service["image"] for service in SERVICES.values()]

    for tag in tags:
        assert re.search(r":\d+\.\d+", tag), tag


def test_the_image_is_of_the_version_that_compose_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert {SERVICES[name]["image"] for name in OURS} == {f"switchover:{project['version']}"}


def test_nothing_is_installed_that_the_locks_do_not_name() -> None:
    commands = " && ".join(rest for word, rest in instructions() if word == "RUN").split("&&")
    installs = [command for command in commands if " install " in command and "pip" in command]

    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes" in command or {"--no-index", "--no-deps"} <= set(command.split()), command


def test_no_secret_is_baked_into_the_image() -> None:
    for word, rest in instructions():
        assert word != "ADD"
        if word in {"ARG", "ENV"}:
            assert not re.search(r"token|secret|password|key", rest, re.IGNORECASE), rest


def test_what_is_copied_exists_reaches_the_builder_and_is_all_that_the_wheel_needs() -> None:
    copied = [
        source
        for word, rest in instructions()
        if word == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]

    assert set(packages["wheel"]["packages"]) <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert reaches_the_builder(source), source


@pytest.mark.parametrize(
    "path",
    [".env", "config/.env", "config/.env.production", "config/my.yaml", "my.yaml", "var/lock", ".git/config",
     "tests/conftest.py", ".venv/bin/python", "bot/__pycache__/auth.cpython-311.pyc", "compose.yaml"],
)  # fmt: skip
def test_what_the_image_does_not_need_stays_away_from_the_builder(path: str) -> None:
    assert not reaches_the_builder(path)


@pytest.mark.parametrize(
    "path",
    ["bot/cli/__init__.py", "workers/store/lua/move.lua", "config/switchover.yaml", "config/reference.yaml",
     "sandbox/sample/ci.yml", "bot/py.typed", "requirements.lock", "LICENSE"],
)  # fmt: skip
def test_what_the_image_needs_reaches_the_builder(path: str) -> None:
    assert (ROOT / path).is_file()
    assert reaches_the_builder(path)


def test_a_process_that_answers_livez_is_healthy_even_where_a_proxy_is_set() -> None:
    with answering(200) as port:
        assert health_check(port) == 0


def test_a_process_that_answers_anything_else_or_nothing_is_not_healthy() -> None:
    with answering(503) as port:
        assert health_check(port) != 0
    assert health_check(port) != 0


@pytest.mark.parametrize("service", OURS)
def test_the_shipped_configuration_loads_with_what_compose_passes(service: str) -> None:
    settings = settings_in(service)

    assert settings.redis.url is not None
    store = urlsplit(settings.redis.url.get_secret_value())
    assert store.hostname in SERVICES
    assert store.password == DOT_ENV["REDIS_PASSWORD"]


@pytest.mark.parametrize("service", OURS)
def test_compose_passes_no_variable_that_the_shipped_configuration_does_not_use(service: str) -> None:
    used = set(re.findall(r"\$\{(\w+)", SHIPPED))

    assert set(composed(service)) <= used


def test_serve_listens_where_its_port_is_published_from() -> None:
    server = settings_in("serve").server
    inner = SERVICES["serve"]["ports"][0].rsplit(":", 1)[1]

    assert str(server.host) == "0.0.0.0"  # noqa: S104 - inside the container, where the port is published from
    assert str(server.port) == inner == final_stage()["EXPOSE"]
    assert f"127.0.0.1', {server.port}" in final_stage()["HEALTHCHECK"]


def test_every_service_runs_a_command_that_switchover_has() -> None:
    assert {name: SERVICES[name]["command"] for name in OURS} == {name: [name] for name in OURS}
    assert set(OURS) <= set(COMMANDS)


@pytest.mark.parametrize("service", list(SERVICES))
def test_every_service_is_confined(service: str) -> None:
    said = SERVICES[service]

    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in said["security_opt"]
    assert any(str(each).split(":")[0] == "/tmp" for each in said["tmpfs"])  # noqa: S108 - the container's own
    assert not {"privileged", "cap_add", "network_mode", "pid"} & said.keys()


def test_workers_can_be_scaled() -> None:
    assert not {"container_name", "ports", "hostname"} & SERVICES["worker"].keys()
    assert SERVICES["worker"]["healthcheck"] == {"disable": True}  # it does not answer /livez


def test_the_store_is_reached_by_ours_alone() -> None:
    assert "ports" not in SERVICES["redis"]
    assert SERVICES["redis"]["networks"] == ["store"]
    assert COMPOSE["networks"]["store"] == {"internal": True}
    for name in OURS:
        assert "store" in SERVICES[name]["networks"]
        assert SERVICES[name]["depends_on"]["redis"] == {"condition": "service_healthy"}


def test_every_process_has_longer_to_end_than_it_takes() -> None:
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > WARM_SECONDS + 5
    assert seconds(SERVICES["serve"]["stop_grace_period"]) > SERVE_SECONDS + 5


def test_state_is_where_the_image_works_and_compose_gives_ours_none() -> None:
    uid = final_stage()["USER"].split(":")[0]
    for name in OURS:
        places = dict(str(each).partition(":")[::2] for each in SERVICES[name]["tmpfs"])
        assert f"uid={uid}" in places[final_stage()["WORKDIR"]]
        assert SERVICES[name]["volumes"][0]["target"] == image_environment()["SWITCHOVER_CONFIG"]


def test_the_store_of_compose_keeps_every_promise_and_asks_for_its_password(tmp_path: Path) -> None:
    shell, option, script = (part.replace("$$", "$") for part in SERVICES["redis"]["command"])
    assert "dir /data" in script
    assert "store:/data" in SERVICES["redis"]["volumes"]
    socket = tmp_path / "s"
    script = script.replace("dir /data", f"dir {tmp_path}\nport 0\nunixsocket {socket}")
    environment = {
        "PATH": f"{server_binary().parent}:{os.environ['PATH']}",
        "REDIS_PASSWORD": DOT_ENV["REDIS_PASSWORD"],
    }
    process = subprocess.Popen(
        [shell, option, script], env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        client = _once_it_answers(f"unix://:{DOT_ENV['REDIS_PASSWORD']}@{socket}")
        assert durability(client).warning is None
        assert client.info("server")["process_id"] == process.pid  # signals reach the server itself
        assert DOT_ENV["REDIS_PASSWORD"] not in _command_line(process.pid)
        client.close()
        with pytest.raises(redis.AuthenticationError), connect(f"unix://{socket}") as stranger:
            stranger.ping()
    finally:
        process.terminate()
        status = process.wait(10)
        with suppress(ProcessLookupError):  # a shell that did not become the server leaves it behind
            os.killpg(process.pid, signal.SIGKILL)
    assert status == 0


def _once_it_answers(url: str) -> redis.Redis:
    client = connect(url)
    deadline = time.monotonic() + 15
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            assert time.monotonic() < deadline, "the store did not start"
            time.sleep(0.02)
        else:
            return client


def _command_line(pid: int) -> str:
    file = Path(f"/proc/{pid}/cmdline")
    return file.read_text() if file.exists() else ""
