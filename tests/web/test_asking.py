"""A push that waits for its host, over HTTP; and the ids by which repositories are followed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from config.projects import ProjectSettings
from tests.web.web import COMMIT, Web, open_web, push_body, settings
from workers.flow.inquiries import Inquirer
from workers.store.connection import connect
from workers.store.inquiries import InquiryStore, RepositoryIds

pytestmark = pytest.mark.anyio


@pytest.fixture
async def waiting(store_url: str) -> AsyncIterator[Web]:
    """Return the application with a project that waits for CI."""
    made = settings()
    project = made.projects["shop"].model_dump(by_alias=True)
    project["triggers"] = [{"push": {"branches": ["main"], "when": "ci"}}]
    projects = {"shop": ProjectSettings.model_validate(project)}
    async with open_web(store_url, config=made.model_copy(update={"projects": projects})) as opened:
        yield opened


async def test_a_push_that_waits_is_answered_202_and_its_delivery_tells_the_end(
    waiting: Web, store_url: str
) -> None:
    answer = await waiting.deliver(delivery="d-1")

    assert (answer.status_code, answer.json()["verdict"]) == (202, "asking")
    assert answer.json()["releases"] == []
    assert "it waits until CI is green for 222222222222" in answer.json()["reason"]
    before = (await waiting.ask("GET", "/deliveries/d-1")).json()
    assert before["decisions"][0]["verdict"] == "ask"

    with connect(store_url) as client:
        store = InquiryStore(client)
        Inquirer(
            store=store,
            ids=RepositoryIds(client),
            hosts=lambda _: None,
            projects=lambda: waiting.services.settings.current.projects,
            drivers=lambda: {"github": "github"},
            api_urls=dict,
            keep_seconds=lambda: 60.0,
            jitter=lambda: 0.0,
        ).look("d-1/shop", only_called=False)
        named = store.named("shop", COMMIT)

    after = (await waiting.ask("GET", "/deliveries/d-1")).json()
    assert (after["verdict"], after["decisions"][0]["verdict"]) == ("ignored", "ignore")
    assert "the host has to tell in an event of its CI" in after["reason"]
    assert [(each["ref"], each["actor"]) for each in named] == [("refs/heads/main", "ann")]


async def test_a_repository_that_took_the_name_is_refused_until_a_person_says_that_it_is_meant(
    web: Web,
) -> None:
    assert (await web.deliver(delivery="d-1")).status_code == 202
    web.services.identities.refresh()
    taken = push_body("5" * 40, before=COMMIT).replace(b'"id": 4711', b'"id": 9999')
    refused = await web.deliver(taken, delivery="d-2")
    assert (refused.status_code, refused.json()["verdict"]) == (200, "ignored")
    assert "switchover forget-repository shop" in refused.json()["reason"]

    assert (await web.ask("DELETE", "/projects/shop/repository-id", "operator")).status_code == 403
    assert (await web.ask("DELETE", "/projects/shop/repository-id")).status_code == 204
    assert (await web.deliver(taken, delivery="d-3")).json()["verdict"] == "accepted"


async def test_a_renamed_repository_is_followed_by_its_id(web: Web) -> None:
    await web.deliver(delivery="d-1")
    web.services.identities.refresh()
    renamed = push_body("5" * 40, before=COMMIT, repository="acme/store")

    assert (await web.deliver(renamed, delivery="d-2")).json()["verdict"] == "accepted"
    again = await web.ask("POST", "/deliveries/d-2/replay")
    assert "follows" not in again.json()["reason"]
    assert again.json()["verdict"] == "duplicate"
