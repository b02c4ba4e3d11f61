"""What holds for every answer: the envelope, the request's id, and no fault of ours whatever comes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.asgi import make_app
from tests.thoroughness import one_in
from tests.web.web import TOKENS, Web, is_envelope, open_web, push_body, signed

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api/v1/releases/", "/livez/", "/..%2f"])
async def test_a_path_that_is_not_there_is_an_enveloped_404(web: Web, path: str) -> None:
    assert is_envelope(await web.http.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/releases", {"GET", "HEAD", "POST"}),
        ("PATCH", "/api/v1/projects/shop/freeze", {"PUT", "DELETE"}),
        ("POST", "/livez", {"GET", "HEAD"}),
        ("POST", "/", {"GET", "HEAD"}),
    ],
)
async def test_a_wrong_method_is_405_with_all_that_the_path_takes(
    web: Web, method: str, path: str, allowed: set[str]
) -> None:
    answer = await web.http.request(method, path)

    assert is_envelope(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == allowed


async def test_a_sane_request_id_is_taken_over_and_another_is_not(web: Web) -> None:
    sane = await web.http.get("/livez", headers={"X-Request-Id": "my-request-0001"})
    bad = await web.http.get("/livez", headers={"X-Request-Id": "two words\\"})

    assert sane.headers["X-Request-Id"] == "my-request-0001"
    assert bad.headers["X-Request-Id"] not in ("", "two words\\")


async def test_a_fault_of_ours_is_an_enveloped_500_that_tells_nothing(web: Web) -> None:
    def break_down(**_: object) -> None:
        raise RuntimeError("the secret inside")

    object.__setattr__(web.services, "reading", type("Broken", (), {"page": staticmethod(break_down)})())

    answer = await web.ask("GET", "/releases")

    assert is_envelope(answer, 500)
    assert "secret" not in answer.text


async def test_a_store_that_is_away_is_503_everywhere() -> None:
    async with open_web("unix:///nonexistent/store.sock") as web:
        for path in ("/releases", "/releases/x", "/deliveries", "/targets", "/workspaces", "/queue/failed"):
            answer = await web.ask("GET", path)
            assert is_envelope(answer, 503), path
            assert answer.headers["Retry-After"] == "5"


async def test_readiness_names_what_is_missing(web: Web) -> None:
    without_worker = await web.http.get("/readyz")
    web.services.store.seen("worker-1")
    ready = await web.http.get("/readyz")
    async with open_web("unix:///nonexistent/store.sock") as lost:
        without_store = await lost.http.get("/readyz")
        alive = await lost.http.get("/livez")

    assert is_envelope(without_worker, 503)
    assert "no worker" in without_worker.json()["message"]
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert is_envelope(without_store, 503)
    assert "store" in without_store.json()["message"]
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})


async def test_metrics_say_when_the_store_is_away(web: Web) -> None:
    async with open_web("unix:///nonexistent/store.sock") as lost:
        away = (await lost.http.get("/metrics")).text

    assert "switchover_store_up 1.0" in (await web.http.get("/metrics")).text
    assert "switchover_store_up 0.0" in away


async def test_two_applications_count_apart(web: Web) -> None:
    make_app(web.services)
    await web.deliver()

    assert 'verdict="accepted"} 1.0' in (await web.http.get("/metrics")).text


@pytest.mark.parametrize(
    ("content", "media", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"project": 5}', "application/json", 422),
        (b'{"project": "shop", "comit": "x"}', "application/json", 422),
        (b'{"project": "shop", "commit": "main"}', "application/json", 422),
        (b'{"project": "\\ud800"}', "application/json", 400),
        (b"project=shop", "application/x-www-form-urlencoded", 415),
        (b"project", "", 415),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", 422),
        (b"nothing", "multipart/form-data", 400),
        (b"x" * 1_100_000, "application/json", 413),
    ],
)
async def test_a_body_that_cannot_be_used_is_told_apart(
    web: Web, content: bytes, media: str, status: int
) -> None:
    answer = await web.ask("POST", "/releases", content=content, headers={"Content-Type": media})

    assert is_envelope(answer, status), answer.text


async def test_a_refused_body_is_not_shown_again(web: Web) -> None:
    answer = await web.ask("POST", "/auth/login", json={"token": ["top-secret-value"]})

    assert is_envelope(answer, 422)
    assert "top-secret-value" not in answer.text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["project", "commit", "branch", "reason", "until", "to", "pin", "force", "cause", "token"]
)
BODIES = st.binary(max_size=80) | st.dictionaries(FIELDS, JSON_VALUES, max_size=4).map(
    lambda document: json.dumps(document).encode()
)
PATHS = st.sampled_from(
    [
        ("POST", "/releases"),
        ("POST", "/releases/nobody/retry"),
        ("POST", "/releases/nobody/rollback"),
        ("POST", "/queue/failed/retry"),
        ("PUT", "/projects/shop/freeze"),
        ("POST", "/auth/login"),
    ]
)


@settings(
    max_examples=150 // one_in(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    target=PATHS,
    body=BODIES,
    media=st.sampled_from(["application/json", "multipart/form-data; boundary=a", "", "text/plain"]),
)
async def test_no_body_makes_the_api_fail(
    store_server: str, target: tuple[str, str], body: bytes, media: str
) -> None:
    async with open_web(store_server) as web:
        answer = await web.ask(*target, content=body, headers={"Content-Type": media})

    assert answer.status_code < 500, answer.text


def replaced_somewhere(document: Any, value: Any, path: list[str]) -> Any:
    """Return the document with the value put in at a path, as far as the path goes."""
    if not path or not isinstance(document, dict):
        return value
    key = path[0]
    return {**document, key: replaced_somewhere(document.get(key), value, path[1:])}


PLACES = st.sampled_from(
    [
        *([key] for key in json.loads(push_body())),
        ["repository", "full_name"],
        ["repository", "clone_url"],
        ["repository", "pushed_at"],
        ["head_commit", "id"],
        ["head_commit", "message"],
        ["pusher", "name"],
    ]
)


@settings(
    max_examples=150 // one_in(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=PLACES, value=JSON_VALUES, raw=st.none() | st.binary(max_size=60))
async def test_no_signed_body_makes_the_receiver_fail(
    store_server: str, place: list[str], value: Any, raw: bytes | None
) -> None:
    document = replaced_somewhere(json.loads(push_body()), value, place)
    body = json.dumps(document).encode() if raw is None else raw
    async with open_web(store_server) as web:
        answer = await web.http.post("/webhooks/github", content=body, headers=signed(body, delivery=""))

    assert answer.status_code in (200, 202, 400), answer.text


async def test_pages_need_nothing_from_elsewhere_and_ask_for_a_login(web: Web) -> None:
    docs, home = await web.http.get("/api/docs"), await web.http.get("/")

    assert (docs.status_code, home.status_code) == (200, 200)
    assert 'type="password"' in home.text
    for page in (docs, home):
        assert "http://" not in page.text.replace("http://bot.test", "")
        assert "https://" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert TOKENS["admin"] not in home.text
