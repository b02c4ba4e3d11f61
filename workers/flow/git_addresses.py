"""Where repositories are cloned from when neither the settings nor the event say. Pure.

Sources: what each host's own pages show as the address to clone by https.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from config.projects import ProjectSettings

PUBLIC: Final[Mapping[str, str]] = {
    "github": "https://github.com",
    "gitlab": "https://gitlab.com",
    "bitbucket-cloud": "https://bitbucket.org",
    "forgejo": "https://codeberg.org",
}
"""Drivers with one installation that is meant where none is named."""

_API_PATH: Final = re.compile(r"/(?:api/v\d+|rest(?:/api(?:/(?:\d+\.\d+|latest))?)?|2\.0)$", re.ASCII)
_API_HOST: Final = frozenset({"github", "bitbucket-cloud"})
"""Drivers whose public installations have their API on a host of its own, `api.` before the site's."""


def git_address(driver: str, api_url: str | None, repository: str) -> str | None:
    """Return the address to clone a repository from, or None where it cannot be told.

    `api_url` is that of an own installation, None for the driver's public one.
    """
    if driver == "standard-webhooks":
        return f"https://{repository}" if "." in repository.partition("/")[0] else None
    site = _site(driver, api_url) if api_url else PUBLIC.get(driver)
    if site is None:
        return None
    first, _, last = quote(repository, safe="/~").rpartition("/")
    if driver == "azure-devops":
        return f"{site}/{first}/_git/{last}"
    if driver == "bitbucket-dc":
        return f"{site}/scm/{first.lower()}/{last}.git"
    return f"{site}/{first}/{last}.git"


def no_address(project: ProjectSettings) -> str:
    """Say what to do where nothing tells the address."""
    return f"set projects.{project.name}.git.url, or hosts.{project.host}.api_url"


def _site(driver: str, api_url: str) -> str:
    """Return the address of the installation's pages."""
    parts = urlsplit(api_url.rstrip("/"))
    place = parts.netloc
    if driver in _API_HOST and not parts.path.startswith("/api/"):
        place = place.removeprefix("api.")
    return f"{parts.scheme}://{place}{_API_PATH.sub('', parts.path)}"
