"""What in a sound configuration does less than somebody may expect."""

from __future__ import annotations

from typing import Any

import pytest

from config.settings import Settings
from tests.flow.house import project
from workers.flow.soundness import remarks
from workers.hosts.api_registry import DRIVERS_WITH_API


def remarked(driver: str = "github", *, host: dict[str, Any] | None = None, **changes: Any) -> dict[str, str]:
    """Return what is said of a project on a host of this driver, by place."""
    settings = Settings.model_validate(
        {
            "access": {"tokens": [{"name": "ops", "role": "admin", "token": "t" * 20}]},
            "hosts": {"github": {"driver": driver, "secrets": ["x" * 20], **(host or {})}},
            "platforms": {"codesphere": {"driver": "codesphere", "token": "t"}},
            "notices": {"team": {"url": "json://127.0.0.1:1"}},
            "projects": {"shop": project(**changes)},
        }
    )
    return {remark.path: remark.message for remark in remarks(settings, DRIVERS_WITH_API)}


def test_an_ordinary_configuration_is_not_remarked_upon() -> None:
    assert remarked() == {}
    assert remarked(host={"token": "some-token"}, triggers=[{"comment": {}}]) == {}


def test_a_trigger_that_needs_a_token_is_remarked_upon_where_the_host_has_none() -> None:
    found = remarked(triggers=[{"comment": {}}])

    assert "no command is obeyed" in found["projects.shop.triggers"]
    assert "set hosts.github.token" in found["projects.shop.triggers"]


def test_polling_without_a_token_is_remarked_upon() -> None:
    assert "nothing can be asked" in remarked(triggers=[{"poll": {}}])["projects.shop.triggers"]


def test_a_token_that_nothing_uses_is_remarked_upon() -> None:
    assert "does not ask hosts of driver gogs" in remarked("gogs", host={"token": "t"})["hosts.github.token"]
    assert "set hosts.github.api_url" in remarked("gitea", host={"token": "t"})["hosts.github.token"]


@pytest.mark.parametrize("driver", ["gitea", "gogs", "bitbucket-dc", "azure-devops"])
def test_a_repository_without_an_address_is_remarked_upon_until_one_can_be_told(driver: str) -> None:
    url = "https://git.example.com"

    assert "hosts.github.api_url" in remarked(driver, git={"url": None})["projects.shop.git.url"]
    assert remarked(driver, git={"url": None}, host={"api_url": url}) == {}
    assert remarked(driver, git={"url": f"{url}/shop.git"}) == {}
