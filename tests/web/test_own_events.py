"""What we tell a Git host comes back as deliveries; none of them releases anything."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from config.settings import Settings
from tests.contract.host_world import SHOP, World
from tests.flow.house import project
from tests.web.web import SECRET, TOKENS, open_web
from workers.notices.host_wording import CONTEXT
from workers.releases.origin import DeploymentReport, DeploymentRequest, ReportState, StatusReport

pytestmark = pytest.mark.anyio


def settings(driver: str) -> Settings:
    """Return settings with a project that waits for CI."""
    return Settings.model_validate(
        {
            "access": {"tokens": [{"name": "ops", "role": "admin", "token": TOKENS["admin"]}]},
            "hosts": {"host": {"driver": driver, "secrets": [SECRET]}},
            "platforms": {"codesphere": {"driver": "codesphere", "token": "sandbox-token"}},
            "notices": {"team": {"url": "json://127.0.0.1:1"}},
            "projects": {
                "shop": project(host="host", triggers=[{"push": {"branches": ["main"], "when": "ci"}}])
            },
        }
    )


def tell(world: World) -> None:
    """Report a release from its beginning to its end."""
    commit = world.first
    made = world.api.create_deployment(SHOP, DeploymentRequest(commit, "main", "production", "Release 1"))
    for state in (ReportState.PENDING, ReportState.RUNNING, ReportState.SUCCESS, ReportState.FAILURE):
        world.api.report_status(SHOP, commit, StatusReport(state, f"{CONTEXT}shop", "Release 1"))
    for state in (ReportState.RUNNING, ReportState.SUCCESS, ReportState.INACTIVE):
        world.api.update_deployment(SHOP, made, DeploymentReport(state))


@pytest.mark.parametrize("driver", ["github", "gitlab"])
async def test_what_comes_back_of_our_own_reports_is_ignored(store_url: str, driver: str) -> None:
    world = World("github" if driver == "github" else "gitlab")
    world.host.add_hook(world.repo, "https://bot.test/webhooks/host", SECRET, dialect=world.dialect)
    world.first = world.host.commit(world.repo)
    pushed = len(world.arrived)
    tell(world)

    async with open_web(store_url, config=settings(driver)) as web:
        answers = [
            await web.http.post(urlsplit(each.url).path, content=each.body, headers=dict(each.headers))
            for each in world.arrived
        ]
        found, _ = web.services.reading.page(project=None, status=None, limit=10, before=None)

    back = answers[pushed:]
    assert len(back) >= 3
    assert {(each.status_code, each.json()["verdict"]) for each in back} == {(200, "ignored")}
    assert found == []
