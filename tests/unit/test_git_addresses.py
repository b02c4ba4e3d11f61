"""Where a repository is cloned from when neither the settings nor the event say."""

from __future__ import annotations

import pytest

from workers.flow.git_addresses import git_address


@pytest.mark.parametrize(
    ("driver", "api_url", "repository", "address"),
    [
        ("github", None, "acme/shop", "https://github.com/acme/shop.git"),
        ("github", "https://api.github.com", "acme/shop", "https://github.com/acme/shop.git"),
        ("github", "https://api.acme.ghe.com", "acme/shop", "https://acme.ghe.com/acme/shop.git"),
        ("github", "https://git.acme.com/api/v3", "acme/shop", "https://git.acme.com/acme/shop.git"),
        ("github", "https://api.acme.com/api/v3", "acme/shop", "https://api.acme.com/acme/shop.git"),
        ("gitlab", None, "acme/web/shop", "https://gitlab.com/acme/web/shop.git"),
        ("gitlab", "https://acme.com/gitlab/api/v4/", "acme/shop", "https://acme.com/gitlab/acme/shop.git"),
        ("gitea", "https://git.acme.com:3000/api/v1", "acme/shop", "https://git.acme.com:3000/acme/shop.git"),
        ("forgejo", "https://git.acme.com/api/v1", "acme/shop", "https://git.acme.com/acme/shop.git"),
        ("forgejo", None, "acme/shop", "https://codeberg.org/acme/shop.git"),
        ("gogs", "https://git.acme.com/api/v1", "acme/shop", "https://git.acme.com/acme/shop.git"),
        ("bitbucket-cloud", "https://api.bitbucket.org/2.0", "acme/shop", "https://bitbucket.org/acme/shop.git"),
        ("bitbucket-dc", "https://git.acme.com/rest/api/1.0", "SHOP/web", "https://git.acme.com/scm/shop/web.git"),
        ("bitbucket-dc", "https://git.acme.com", "~ann/web", "https://git.acme.com/scm/~ann/web.git"),
        ("azure-devops", "https://dev.azure.com/acme", "Our Shop/web", "https://dev.azure.com/acme/Our%20Shop/_git/web"),
        ("standard-webhooks", None, "git.acme.com/shop", "https://git.acme.com/shop"),
    ],
)  # fmt: skip
def test_the_address_follows_from_the_host(
    driver: str, api_url: str | None, repository: str, address: str
) -> None:
    assert git_address(driver, api_url, repository) == address


@pytest.mark.parametrize(
    "driver", ["gitea", "gogs", "bitbucket-dc", "azure-devops", "standard-webhooks", "something-new"]
)
def test_an_own_installation_that_nobody_names_has_no_address(driver: str) -> None:
    assert git_address(driver, None, "acme/shop") is None
