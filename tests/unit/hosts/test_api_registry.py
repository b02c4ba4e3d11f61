"""Which hosts can be asked."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from workers.flow.ports import GitHost
from workers.hosts.api_registry import DRIVERS_WITH_API, git_host_of
from workers.hosts.registry import DRIVERS
from workers.releases.origin import Offer


@pytest.mark.parametrize("driver", DRIVERS_WITH_API)
def test_a_driver_with_a_client_can_be_asked_where_a_token_is_set(driver: str) -> None:
    host: GitHost | None = git_host_of(driver, "https://git.example.com/api", "host-token", httpx.Client())

    assert host is not None
    assert host.offers <= frozenset(Offer)
    assert "host-token" not in repr(host)


@pytest.mark.parametrize("token", [None, "", SecretStr("")])
def test_without_a_token_no_host_is_asked(token: str | SecretStr | None) -> None:
    assert git_host_of("github", None, token, httpx.Client()) is None


@pytest.mark.parametrize("driver", sorted(set(DRIVERS) - set(DRIVERS_WITH_API)))
def test_a_driver_without_a_client_is_only_listened_to(driver: str) -> None:
    assert git_host_of(driver, "https://git.example.com/api", "host-token", httpx.Client()) is None


def test_every_driver_that_can_be_asked_can_be_listened_to() -> None:
    assert set(DRIVERS_WITH_API) <= set(DRIVERS)
