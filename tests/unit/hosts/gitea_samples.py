"""Deliveries of Gitea and Forgejo, written by hand from their manuals and code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workers.hosts.base import Headers
from workers.hosts.gitea import Forgejo, Gitea
from workers.releases.events import Event

GITEA, FORGEJO = Gitea("gitea", []), Forgejo("forgejo", [])
both = pytest.mark.parametrize("host", [GITEA, FORGEJO], ids=["gitea", "forgejo"])

ONE, TWO, TAG_OBJECT, MERGED = "1" * 40, "2" * 40, "3" * 40, "4" * 40
NONE = "0" * 40
SHOP = {
    "id": 7,
    "full_name": "acme/shop",
    "default_branch": "main",
    "clone_url": "https://git.example/acme/shop.git",
}
FORK = {"id": 8, "full_name": "eve/shop"}
COMMIT = {"id": TWO, "message": "Sell hats\n", "timestamp": "2026-11-02T09:30:05+01:00"}
PUSH = {
    "ref": "refs/heads/main",
    "before": ONE,
    "after": TWO,
    "total_commits": 1,
    "commits": [COMMIT],
    "head_commit": COMMIT,
    "pusher": {"login": "ada", "username": "ada"},
}


def read(host: Gitea, event: str, body: dict[str, Any]) -> Event:
    """Read the event of a repository; a field whose value is `missing` is left out."""
    headers = Headers([("Content-Type", "application/json"), (f"X-{host.product}-Event", event)])
    whole = {"repository": SHOP, "sender": {"login": "grace"}} | body
    present = {key: value for key, value in whole.items() if value != "missing"}
    return host.read(headers, json.dumps(present).encode())
