"""What a person starts is cloned from where the settings, or the address of the host's API, say."""

from __future__ import annotations

import pytest

from tests.flow.conftest import MakeHouse
from tests.flow.house import House, settings
from workers.errors import NotAllowed
from workers.flow.operations import Operations
from workers.releases.model import Cause


def operations(house: House, driver: str, api_url: str | None) -> Operations:
    """Return what people may ask for where the host is of this driver."""
    projects = house.settings.projects
    return Operations(
        house.services.store,
        house.reading,
        lambda: projects,
        lambda: {"github": driver},
        lambda: {"github": api_url},
    )


def test_an_own_installation_is_cloned_from_where_its_api_is(make_house: MakeHouse) -> None:
    house = make_house(settings(git={"url": None}))

    asked = operations(house, "gitea", "https://git.example.com/api/v1").start(
        "shop", actor="ann", commit="1" * 40
    )

    assert asked.release.git_url == "https://git.example.com/acme/shop.git"


def test_what_nothing_tells_the_address_of_is_not_started(make_house: MakeHouse) -> None:
    house = make_house(settings(git={"url": None}))

    with pytest.raises(NotAllowed, match=r"set projects\.shop\.git\.url, or hosts\.github\.api_url"):
        operations(house, "gitea", None).start("shop", actor="ann", commit="1" * 40)


def test_a_push_that_brings_no_address_either_fails_before_anything_is_made(make_house: MakeHouse) -> None:
    house = make_house(settings(git={"url": None}))
    house.push(house.commit(), driver="gitea")

    failed = house.settled()

    assert failed.failure is not None
    assert failed.failure.cause is Cause.CONFIGURATION
    assert "set projects.shop.git.url" in failed.reason
    assert house.workspaces() == []
