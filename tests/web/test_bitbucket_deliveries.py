"""Deliveries of a Bitbucket Data Center over HTTP: the unsigned test, forged ones, several refs at once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from config.settings import HostSettings, Settings
from tests.web.web import SECRET, Web, open_web, settings

pytestmark = pytest.mark.anyio

OLD, NEW = "1" * 40, "2" * 40
PING = b'{"test": true}'


def bitbucket_settings() -> Settings:
    """Return the settings of the web tests, with their projects on a Bitbucket instead."""
    usual = settings()
    host = HostSettings.model_validate({"driver": "bitbucket-dc", "secrets": [SECRET]})
    projects = {
        name: project.model_copy(update={"host": "house", "repository": "ACME/shop"})
        for name, project in usual.projects.items()
    }
    return usual.model_copy(update={"hosts": {"house": host}, "projects": projects})


@pytest.fixture
async def bitbucket(store_url: str) -> AsyncIterator[Web]:
    """Return the application with a host `house`."""
    async with open_web(store_url, config=bitbucket_settings()) as opened:
        yield opened


def changed(ref: str, before: str = OLD, after: str = NEW) -> dict[str, Any]:
    return {"ref": {"id": ref}, "fromHash": before, "toHash": after, "type": "UPDATE"}


def pushed(*changes: dict[str, Any]) -> bytes:
    repository = {"id": 12, "slug": "shop", "project": {"key": "ACME"}}
    return json.dumps({"actor": {"name": "ada"}, "repository": repository, "changes": changes}).encode()


async def deliver(web: Web, event: str, body: bytes, *, secret: str | None) -> httpx.Response:
    """Deliver the body under one id, signed with the secret where there is one."""
    sent = {"Content-Type": "application/json; charset=utf-8", "X-Event-Key": event, "X-Request-Id": "r-1"}
    if secret is not None:
        sent["X-Hub-Signature"] = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return await web.http.post("/webhooks/house", content=body, headers=sent)


async def test_the_test_button_succeeds_and_nothing_is_written_down(bitbucket: Web) -> None:
    answer = await deliver(bitbucket, "diagnostics:ping", PING, secret=None)
    listed = await bitbucket.ask("GET", "/deliveries")

    assert (answer.status_code, answer.json()["releases"]) == (200, [])
    assert listed.json()["deliveries"] == []


@pytest.mark.parametrize(
    ("event", "secret"),
    [
        ("repo:refs_changed", None),
        ("repo:refs_changed", "another secret entirely"),
        ("diagnostics:ping", "another secret entirely"),
    ],
)
async def test_nothing_else_gets_in_without_the_right_signature(
    bitbucket: Web, event: str, secret: str | None
) -> None:
    answer = await deliver(bitbucket, event, pushed(changed("refs/heads/main")), secret=secret)

    assert answer.status_code == 401


async def test_an_unsigned_test_with_a_push_in_it_releases_nothing(bitbucket: Web) -> None:
    answer = await deliver(bitbucket, "diagnostics:ping", pushed(changed("refs/heads/main")), secret=None)
    listed = await bitbucket.ask("GET", "/releases")

    assert (answer.status_code, answer.json()["releases"]) == (200, [])
    assert listed.json()["releases"] == []


async def test_of_several_refs_the_one_that_a_rule_takes_is_released(bitbucket: Web) -> None:
    body = pushed(changed("refs/heads/wip"), changed("refs/heads/main"), changed("refs/heads/old", NEW, OLD))
    answer = await deliver(bitbucket, "repo:refs_changed", body, secret=SECRET)
    release = bitbucket.services.reading.release(answer.json()["releases"][0])

    assert (answer.status_code, len(answer.json()["releases"])) == (202, 1)
    assert (release.commit, release.ref, release.trigger.actor) == (NEW, "refs/heads/main", "ada")


async def test_a_signed_test_is_a_ping(bitbucket: Web) -> None:
    answer = await deliver(bitbucket, "diagnostics:ping", PING, secret=SECRET)

    assert (answer.status_code, answer.json()["releases"]) == (200, [])
