"""Who may do what: tokens, sessions, roles."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bot.api.table import ENDPOINTS
from tests.web.web import TOKENS, Web, change_settings, is_envelope, open_web
from workers.store.connection import connect

pytestmark = pytest.mark.anyio

RELEASES = "/api/v1/releases"


async def session_of(web: Web, role: str = "operator") -> str:
    """Log in and return the temporary token."""
    answer = await web.http.post("/api/v1/auth/login", json={"token": TOKENS[role]})
    web.http.cookies.clear()
    value: str = answer.json()["value"]
    return value


@pytest.mark.parametrize(
    "header",
    [None, "Bearer nobody-knows-this-token", "Bearer ", "Basic abc", "viewer-token-of-the-tests", "Bearer é"],
)
async def test_an_unknown_caller_is_401_and_told_how_to_ask(web: Web, header: str | None) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode("latin-1"))]

    answer = await web.http.get(RELEASES, headers=headers)

    assert is_envelope(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_suspended_token_is_402(web: Web) -> None:
    assert is_envelope(await web.ask("GET", "/releases", "gone"), 402)
    assert is_envelope(await web.http.post("/api/v1/auth/login", json={"token": TOKENS["gone"]}), 402)


@pytest.mark.parametrize(("role", "rank"), [("viewer", 0), ("operator", 1), ("admin", 2)])
async def test_a_role_may_do_exactly_what_its_rank_allows(web: Web, role: str, rank: int) -> None:
    ranks = {"viewer": 0, "operator": 1, "admin": 2}
    for endpoint in ENDPOINTS:
        if endpoint.role is None:
            continue
        path = endpoint.path.replace("{id}", "nobody").replace("{name}", "nothing")
        answer = await web.ask(endpoint.method, path.removeprefix("/api/v1"), role, json={})

        assert (answer.status_code == 403) == (rank < ranks[endpoint.role]), f"{endpoint.method} {path}"


async def test_every_endpoint_asks_for_a_token_except_those_of_the_contract(web: Web) -> None:
    open_paths = {endpoint.path for endpoint in ENDPOINTS if endpoint.role is None}
    closed = [endpoint for endpoint in ENDPOINTS if endpoint.role is not None]

    assert open_paths == {"/api/v1/auth/login", "/livez", "/readyz", "/metrics"}
    for endpoint in closed:
        path = endpoint.path.replace("{id}", "x").replace("{name}", "x")
        assert is_envelope(await web.http.request(endpoint.method, path), 401), endpoint.path


async def test_a_temporary_token_works_as_bearer_query_and_cookie(web: Web) -> None:
    value = await session_of(web)

    bearer = await web.http.get(RELEASES, headers={"Authorization": f"Bearer {value}"})
    query = await web.http.get(f"{RELEASES}?token={value}")
    cookie = await web.http.get(RELEASES, headers={"Cookie": f"switchover_session={value}"})

    assert [answer.status_code for answer in (bearer, query, cookie)] == [200, 200, 200]


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(web: Web) -> None:
    answer = await web.http.post("/api/v1/auth/login", json={"token": TOKENS["viewer"]})

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Max-Age=28800" in cookie
    assert answer.json()["expires_at"].endswith("Z")


async def test_a_configured_token_does_not_work_in_an_address(web: Web) -> None:
    assert is_envelope(await web.http.get(f"{RELEASES}?token={TOKENS['admin']}"), 401)


async def test_a_wrong_token_cannot_log_in(web: Web) -> None:
    assert is_envelope(
        await web.http.post("/api/v1/auth/login", json={"token": "wrong-token-altogether"}), 401
    )


async def test_a_logged_out_session_is_worth_nothing(web: Web) -> None:
    value = await session_of(web)
    headers = {"Cookie": f"switchover_session={value}"}

    out = await web.http.post("/api/v1/auth/logout", headers=headers)
    after = await web.http.get(RELEASES, headers=headers)

    assert (out.status_code, after.status_code) == (204, 401)


async def test_an_exchanged_token_takes_its_sessions_with_it(web: Web) -> None:
    value = await session_of(web)
    config = web.services.settings.current
    viewer, operator, *rest = config.access.tokens
    exchanged = operator.model_copy(update={"token": viewer.token})
    access = config.access.model_copy(update={"tokens": (exchanged, *rest)})
    change_settings(web.services, config.model_copy(update={"access": access}))

    assert is_envelope(await web.http.get(f"{RELEASES}?token={value}"), 401)


async def test_the_store_holds_no_token_that_could_be_used(web: Web, store_url: str) -> None:
    value = await session_of(web)
    client = connect(store_url)
    keys = client.keys("*session*")
    held = str([(key, client.get(key)) for key in keys])
    client.close()

    assert len(keys) == 1
    assert value not in held
    assert TOKENS["operator"] not in held


async def test_another_sites_page_cannot_act_with_the_session(web: Web) -> None:
    value = await session_of(web)
    headers = {"Cookie": f"switchover_session={value}", "Origin": "https://evil.example"}

    assert is_envelope(await web.http.post(RELEASES, headers=headers, json={"project": "shop"}), 403)
    headers["Origin"] = "http://bot.test"
    assert (await web.http.post(RELEASES, headers=headers, json={"project": "shop"})).status_code == 409


async def test_no_token_reaches_the_log(web: Web) -> None:
    value = await session_of(web)
    with capture_logs() as lines:
        await web.http.get(f"{RELEASES}?token={value}")
        await web.ask("GET", "/releases", "admin")

    assert [line["path"] for line in lines] == [RELEASES, RELEASES]
    assert value not in str(lines)
    assert TOKENS["admin"] not in str(lines)


async def test_without_any_token_configured_nobody_gets_in(store_url: str, web: Web) -> None:
    config = web.services.settings.current
    nobody = config.model_copy(update={"access": config.access.model_copy(update={"tokens": ()})})
    async with open_web(store_url, config=nobody) as closed:
        assert is_envelope(await closed.ask("GET", "/releases", "admin"), 401)
