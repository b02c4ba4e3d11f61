"""Which host made a delivery, where nobody says: by its headers, in this order, and last by its body.

Only for people who look at a saved delivery. The receiver knows its host from the address, never from
what a stranger sent. Forgejo sends the headers of four hosts and Gitea those of three, so the order counts.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ValidationError

from workers.hosts.base import Headers

_BY_HEADERS: Final = (
    ("forgejo", ("X-Forgejo-Event",)),
    ("gitea", ("X-Gitea-Event",)),
    ("gogs", ("X-Gogs-Event",)),
    ("github", ("X-GitHub-Event",)),
    ("gitlab", ("X-Gitlab-Event",)),
    ("bitbucket-cloud", ("X-Event-Key", "X-Hook-UUID")),
    ("bitbucket-dc", ("X-Event-Key",)),
    ("standard-webhooks", ("webhook-id", "webhook-signature")),
    ("standard-webhooks", ("webhook-id", "webhook-timestamp")),  # saved without its signature
)


class _Azure(BaseModel):
    eventType: str  # noqa: N815 - the name in the body
    publisherId: str  # noqa: N815 - likewise


def driver_of(headers: Headers, body: bytes) -> str | None:
    """Return the driver that reads this delivery, or None where nothing tells it."""
    for driver, names in _BY_HEADERS:
        if all(headers.all(name) for name in names):
            return driver
    try:
        _Azure.model_validate_json(body)
    except ValidationError:
        return None
    return "azure-devops"
