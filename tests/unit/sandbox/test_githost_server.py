"""The Git host on a real port, with webhooks that really go out."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from sandbox.githost import Fault
from sandbox.githost.server import LOOPBACK, LocalGitHost

PATIENCE = 20.0
Got = queue.Queue[tuple[str, bytes]]


@pytest.fixture(scope="module")
def local() -> Iterator[LocalGitHost]:
    with LocalGitHost() as running:
        running.host.token("ada-token", "ada")
        yield running


@pytest.fixture
def receiver() -> Iterator[tuple[str, Got]]:
    got: Got = queue.Queue()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put((self.headers["X-GitHub-Event"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{LOOPBACK}:{server.server_port}/hooks/shop", got
    server.shutdown()
    thread.join(5)
    server.server_close()


def call(url: str, method: str = "GET", body: object = None) -> httpx.Response:
    headers = {"authorization": "Bearer ada-token"}
    with httpx.Client(trust_env=False, timeout=PATIENCE) as http:
        return http.request(method, url, headers=headers, json=body)


def test_both_apis_answer_on_one_port(local: LocalGitHost) -> None:
    repo = local.host.repository("acme/shop", roles={"ada": "admin"})
    sha = local.host.commit(repo, branch="feature/x")
    local.host.commit(repo)
    github = call(f"{local.github_url}/repos/acme/shop/branches?per_page=1")
    gitlab = call(f"{local.gitlab_url}/projects/acme%2Fshop/repository/branches/feature%2Fx")
    assert github.json()[0]["commit"]["sha"] == gitlab.json()["commit"]["id"] == sha
    assert call(github.links["next"]["url"]).json()[0]["name"] == "main"
    assert call(f"{local.github_url.removesuffix('/api/v3')}/").status_code == 404


def test_webhooks_go_out_by_themselves_and_again_when_asked(
    local: LocalGitHost, receiver: tuple[str, Got]
) -> None:
    url, got = receiver
    repo = local.host.repository("acme/told", roles={"ada": "admin"})
    hook = local.host.add_hook(repo, url, "a secret of the hook", events=["push"])
    local.host.commit(repo)
    received = [got.get(timeout=PATIENCE) for _ in range(2)]
    assert [event for event, _ in received] == ["ping", "push"]

    local.host.post.wait_until_sent(PATIENCE)
    log = f"{local.github_url}/repos/acme/told/hooks/{hook.id}/deliveries"
    listed = call(log).json()
    assert [(each["event"], each["status"]) for each in listed] == [("push", "OK"), ("ping", "OK")]
    assert call(f"{log}/{listed[0]['id']}/attempts", "POST").status_code == 202
    assert got.get(timeout=PATIENCE) == received[1]


def test_a_receiver_that_is_away_is_a_failed_delivery(local: LocalGitHost) -> None:
    repo = local.host.repository("acme/untold")
    local.host.add_hook(repo, f"http://{LOOPBACK}:1/hooks", "a secret of the hook")
    local.host.post.wait_until_sent(PATIENCE)
    assert local.host.post.log[-1].status == "failed to connect"


def test_a_broken_connection_is_one_on_the_wire(local: LocalGitHost) -> None:
    local.service.faults.add(Fault("/user", broken="reset"))
    with pytest.raises(httpx.TransportError):
        call(f"{local.github_url}/user")
    assert call(f"{local.github_url}/user").json()["login"] == "ada"
