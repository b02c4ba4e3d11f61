"""Which client asks and tells which Git host. Each is loaded when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from workers.releases.origin import Offer

if TYPE_CHECKING:
    import httpx

    from workers.hosts.bitbucket_cloud_api import BitbucketCloudApi
    from workers.hosts.gitea_api import GiteaApi
    from workers.hosts.github_api import GitHubApi
    from workers.hosts.gitlab_api import GitLabApi

DRIVERS_WITH_API: Final = ("github", "gitlab", "gitea", "forgejo", "bitbucket-cloud")
"""Drivers whose hosts this version can ask and tell; the others are only listened to."""


def offers_of(driver: str) -> frozenset[Offer]:
    """Return what a host of this driver can be asked or told with a token, beside commits and branches."""
    match driver:
        case "github":
            from workers.hosts.github_api import GitHubApi

            return GitHubApi.offers
        case "gitlab":
            from workers.hosts.gitlab_api import GitLabApi

            return GitLabApi.offers
        case "gitea" | "forgejo":
            from workers.hosts.gitea_api import GiteaApi

            return GiteaApi.offers
        case "bitbucket-cloud":
            from workers.hosts.bitbucket_cloud_api import BitbucketCloudApi

            return BitbucketCloudApi.offers
    return frozenset()


def git_host_of(
    driver: str, api_url: str | None, token: SecretStr | str | None, http: httpx.Client
) -> GitHubApi | GitLabApi | GiteaApi | BitbucketCloudApi | None:
    """Return the client of this driver's API; None where there is none yet, or no token to call with.

    Without `api_url` it is the driver's public one; Gitea and Forgejo have none, so there it must be set.
    `ValueError` for an address that is not safe to send the token to (plain http beyond this machine), or
    a token that no header can carry.
    """
    secret = SecretStr(token or "") if not isinstance(token, SecretStr) else token
    if not secret.get_secret_value():
        return None
    match driver:
        case "github":
            from workers.hosts.github_api import GitHubApi

            return GitHubApi(http, api_url, secret)
        case "gitlab":
            from workers.hosts.gitlab_api import GitLabApi

            return GitLabApi(http, api_url, secret)
        case "gitea" | "forgejo" if api_url:
            from workers.hosts.gitea_api import GiteaApi

            return GiteaApi(http, api_url, secret, driver=driver)
        case "bitbucket-cloud":
            from workers.hosts.bitbucket_cloud_api import BitbucketCloudApi

            return BitbucketCloudApi(http, api_url, secret)
    return None
