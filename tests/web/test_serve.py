"""The web process itself: its start, its end, its signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.web.server import serving, write_config
from tests.web.web import TOKENS, push_body, signed


def ask(address: str, path: str, token: str = TOKENS["admin"]) -> httpx.Response:
    """Call the API of a running server."""
    return httpx.get(f"{address}/api/v1{path}", headers={"Authorization": f"Bearer {token}"})


def test_it_takes_deliveries_and_ends_well_when_asked(tmp_path: Path, store_url: str) -> None:
    body = push_body()
    with serving(write_config(tmp_path), store_url) as server:
        answer = httpx.post(f"{server.address}/webhooks/github", content=body, headers=signed(body))
        status = server.end()

    assert answer.status_code == 202
    assert "uvicorn" not in answer.headers.get("server", "")
    assert status == 0


@pytest.mark.parametrize(
    ("trusted", "forwarded", "status"),
    [
        ('["127.0.0.0/8"]', "192.0.2.7", 202),
        ('["127.0.0.0/8"]', "198.51.100.7", 403),
        ("[]", "192.0.2.7", 403),
    ],
)
def test_a_proxy_that_is_trusted_tells_the_sender_and_nobody_else_does(
    tmp_path: Path, store_url: str, trusted: str, forwarded: str, status: int
) -> None:
    config = write_config(tmp_path)
    text = config.read_text().replace("server: {", f"server: {{trusted_proxies: {trusted}, ")
    config.write_text(text.replace("driver: github,", 'driver: github, senders: ["192.0.2.0/24"],'))
    body = push_body()
    with serving(config, store_url) as server:
        headers = signed(body) | {"X-Forwarded-For": forwarded}
        answer = httpx.post(f"{server.address}/webhooks/github", content=body, headers=headers)
        assert answer.status_code == status
        if status == 202:
            kept = ask(server.address, "/deliveries/d-1").json()
            assert kept["sender"] == forwarded


def test_a_delivery_from_elsewhere_is_refused_while_its_body_is_still_to_come(
    tmp_path: Path, store_url: str
) -> None:
    config = write_config(tmp_path)
    config.write_text(
        config.read_text().replace("driver: github,", 'driver: github, senders: ["192.0.2.0/24"],')
    )
    with serving(config, store_url) as server:
        host, _, port = server.address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(
                b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n"
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


def test_it_ends_while_somebody_follows_a_release(tmp_path: Path, store_url: str) -> None:
    body = push_body()
    with serving(write_config(tmp_path), store_url) as server:
        made = httpx.post(f"{server.address}/webhooks/github", content=body, headers=signed(body)).json()
        path = f"{server.address}/api/v1/releases/{made['releases'][0]}/events"
        headers = {"Authorization": f"Bearer {TOKENS['viewer']}"}
        with httpx.stream("GET", path, headers=headers) as stream:
            text = stream.iter_text()
            first = next(text)
            status = server.end()
            rest = list(text)  # raises when the stream was cut and not ended

    assert "retry:" in first
    assert not any("event: end" in part for part in rest)
    assert status == 0


def test_a_new_token_counts_after_sighup_and_a_faulty_file_changes_nothing(
    tmp_path: Path, store_url: str
) -> None:
    fresh = "fresh-token-of-the-admin"
    with serving(write_config(tmp_path), store_url) as server:
        server.config.write_text("projects: {shop: {hots: github}}")
        server.process.send_signal(signal.SIGHUP)
        refusal = server.line_with("was not reloaded")
        still = ask(server.address, "/releases").status_code
        write_config(tmp_path, admin=fresh)
        server.process.send_signal(signal.SIGHUP)
        server.line_with("was reloaded")
        statuses = [ask(server.address, "/releases", token).status_code for token in (TOKENS["admin"], fresh)]

    assert "projects.shop.hots" in refusal
    assert still == 200
    assert statuses == [401, 200]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the web process to its end."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHOVER_")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "bot.serve", *arguments],
        env=known | environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path, store_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--config", str(write_config(tmp_path, port=port)), SWITCHOVER_STORE_URL=store_url)

    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "server.port" in done.stderr


def test_without_a_store_it_says_what_to_set(tmp_path: Path) -> None:
    done = run("--config", str(write_config(tmp_path)))

    assert done.returncode == 2
    assert "redis.url" in done.stderr
    assert "switchover up" in done.stderr


def test_every_fault_of_the_configuration_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text('servr: {}\nhosts: {github: {driver: githup, secrets: ["${NOT_SET_ANYWHERE}"]}}\n')

    done = run("--config", str(path))

    assert done.returncode == 2
    for words in ("servr", "hosts.github.driver", "NOT_SET_ANYWHERE"):
        assert words in done.stderr
