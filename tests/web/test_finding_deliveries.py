"""Looking for deliveries: by each filter, in bounded steps, over HTTP and on the command line."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cli.delivery_words import told
from tests.web.web import COMMIT, NEWER, SECRET, Web, change_settings, is_envelope, push_body
from workers.store import intake

pytestmark = pytest.mark.anyio


async def filled(web: Web) -> None:
    """Deliver a release, a push that no rule takes, one of another repository, a ping and a broken one."""
    await web.deliver(delivery="d-main")
    await web.deliver(push_body(NEWER, branch="feature/x"), delivery="d-feature")
    await web.deliver(push_body(repository="acme/else"), delivery="d-else")
    await web.deliver(b'{"zen": "x"}', event="ping", delivery="d-ping")
    await web.deliver(b"{", delivery="d-broken")


async def found(web: Web, **query: Any) -> set[str]:
    answer = await web.ask("GET", "/deliveries", "viewer", params=query)
    assert answer.status_code == 200, answer.text
    return {each["id"] for each in answer.json()["deliveries"]}


async def test_each_filter_finds_its_deliveries_and_all_given_must_fit(web: Web) -> None:
    await filled(web)
    everything = {"d-main", "d-feature", "d-else", "d-ping", "d-broken~refused"}

    assert await found(web) == everything
    assert await found(web, host="github") == everything
    assert await found(web, host="elsewhere") == set()
    assert await found(web, project="shop") == {"d-main", "d-feature", "d-ping"}
    assert await found(web, repository="ACME/else") == {"d-else"}
    assert await found(web, verdict="refused") == {"d-broken~refused"}
    assert await found(web, event="ping") == {"d-ping"}
    assert await found(web, ref="feature/x") == {"d-feature"}
    assert await found(web, ref="refs/heads/main") == {"d-main", "d-else"}
    assert await found(web, commit=NEWER[:7]) == {"d-feature"}
    assert await found(web, commit=COMMIT, verdict="accepted") == {"d-main"}
    assert await found(web, q="NONE of the push patterns") == {"d-feature"}
    assert await found(web, q="price 127.0.0.1 ACME/shop") == {"d-main", "d-feature", "d-else"}


async def test_times_bound_the_search(web: Web) -> None:
    await filled(web)
    ago, soon = (
        (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat() for minutes in (-5, 5)
    )  # fmt: skip

    assert len(await found(web, since=ago, until=soon)) == 5
    assert await found(web, since=soon) == set()
    assert await found(web, until=ago) == set()


@pytest.mark.parametrize(
    "query", [{"verdict": "fine"}, {"commit": "xyz"}, {"since": "yesterday"}, {"q": ""}, {"colour": "red"}]
)
async def test_what_cannot_be_looked_for_is_422(web: Web, query: dict[str, str]) -> None:
    assert is_envelope(await web.ask("GET", "/deliveries", params=query), 422)


async def test_one_call_looks_through_a_bounded_number_and_says_where_to_go_on(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PAGE", 2)
    monkeypatch.setattr(intake, "MOST_READ", 2)
    await filled(web)

    cursor, seen, calls = None, [], 0
    while calls == 0 or cursor is not None:
        more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = (await web.ask("GET", "/deliveries", params={"verdict": "accepted"} | more)).json()
        seen += [each["id"] for each in page["deliveries"]]
        cursor, calls = page["next"], calls + 1
        assert calls < 10

    assert seen == ["d-main"]
    assert calls == 3


async def test_pages_join_without_a_gap_or_a_double(web: Web) -> None:
    await filled(web)

    cursor, seen = None, []
    for _ in range(10):
        more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = (await web.ask("GET", "/deliveries", params={"limit": 2, "host": "github"} | more)).json()
        seen += [each["id"] for each in page["deliveries"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == ["d-broken~refused", "d-ping", "d-else", "d-feature", "d-main"]


async def test_one_delivery_is_shown_with_its_headers_and_no_secret(web: Web) -> None:
    await filled(web)

    one = (await web.ask("GET", "/deliveries/d-main", "viewer")).json()

    assert ["x-github-event", "push"] in one["headers"]
    assert ["x-hub-signature-256", "(masked)"] in one["headers"]
    assert one["decisions"][0]["rule"] == "triggers[0].push"
    assert one["sha256"] == hashlib.sha256(push_body()).hexdigest()


async def test_a_delivery_is_told_in_plain_words(web: Web) -> None:
    await filled(web)
    main = (await web.ask("GET", "/deliveries/d-main")).json()
    feature = (await web.ask("GET", "/deliveries/d-feature")).json()
    broken = (await web.ask("GET", "/deliveries/d-broken~refused")).json()
    [release_id] = main["releases"]
    release = (await web.ask("GET", f"/releases/{release_id}")).json()

    words = "\n".join(told(main, {release_id: release}))
    assert "d-main: push of acme/shop, from host github" in words
    assert "update refs/heads/main to 222222222222 (Show the price)" in words
    assert "from 127.0.0.1" in words
    assert "decided by projects.shop.triggers[0].push" in words
    assert f"release {release_id}: shop #1 is queued" in words
    failed = "\n".join(told(main, {release_id: release | {"status": "failed"}}))
    assert f"switchover releases retry {release_id}" in failed
    assert "forgotten" in "\n".join(told(main, {release_id: None}))
    assert "switchover deliveries replay d-feature" in "\n".join(told(feature, {}))
    assert "have the host send it again" in "\n".join(told(broken, {}))


async def test_hosts_are_shown_with_their_webhooks_and_the_last_use_of_their_secrets(web: Web) -> None:
    before = (await web.ask("GET", "/hosts", "viewer")).json()["hosts"]
    config = web.services.settings.current
    server = config.server.model_copy(update={"public_url": "https://release.example.com"})
    change_settings(web.services, config.model_copy(update={"server": server}))
    await web.deliver(delivery="d-1")

    [github] = (await web.ask("GET", "/hosts", "viewer")).json()["hosts"]

    assert (before[0]["last_delivery"], before[0]["webhook"]) == (None, None)
    assert github["webhook"] == "https://release.example.com/webhooks/github"
    assert github["last_delivery"]["id"] == "d-1"
    [secret] = github["secrets"]
    assert secret["place"] == "hosts.github.secrets[0]"
    assert secret["fingerprint"] == hashlib.sha256(SECRET.encode()).hexdigest()[:8]
    assert "push" in github["reads"]
    assert "commit statuses" in github["offers"]
    assert SECRET not in json.dumps(github)


async def test_hosts_are_for_people_with_a_token(web: Web) -> None:
    assert is_envelope(await web.http.get("/api/v1/hosts"), 401)
