"""Deliveries of Azure DevOps, written by hand from Microsoft's documentation."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from workers.hosts.azure_devops import AzureDevOps
from workers.hosts.base import Headers
from workers.releases.events import Event

OLD, NEW = "an old secret of acme", "a new secret with ä: and more"
AZURE = AzureDevOps("azure", [OLD, NEW])
ONE, TWO, THREE, NONE = "1" * 40, "2" * 40, "3" * 40, "0" * 40
JSON = ("Content-Type", "application/json; charset=utf-8")
REPOSITORY = {
    "id": "5b4f0c1e-0000-4000-8000-000000000001",
    "name": "shop front",
    "defaultBranch": "refs/heads/main",
    "remoteUrl": "https://dev.azure.example/acme/Web/_git/shop%20front",
    "project": {"id": "p", "name": "Web"},
}
PERSON = {"displayName": "Ada", "uniqueName": "ada@acme.example"}


def basic(password: str | bytes, user: str = "whoever", scheme: str = "Basic") -> tuple[str, str]:
    raw = password.encode() if isinstance(password, str) else password
    return "Authorization", f"{scheme} {b64encode(user.encode() + b':' + raw).decode()}"


def custom(secret: str) -> tuple[str, str]:
    return "X-Switchover-Secret", secret.encode().decode("latin-1")


def body_of(event: str, resource: object, **more: Any) -> bytes:
    envelope = {"id": "e1", "eventType": event, "publisherId": "tfs", "resource": resource}
    return json.dumps(envelope | more).encode()


def read(event: str, resource: object) -> Event:
    return AZURE.read(Headers([JSON]), body_of(event, resource))


def moved(ref: str, old: str = ONE, new: str = TWO) -> dict[str, str]:
    return {"name": ref, "oldObjectId": old, "newObjectId": new}


def pushed(*updates: dict[str, str], **more: Any) -> dict[str, Any]:
    commit = {"commitId": TWO, "comment": "Fix\0 it", "committer": {"date": "2026-11-02T08:29:00Z"}}
    return {
        "repository": REPOSITORY,
        "refUpdates": list(updates),
        "commits": [commit],
        "pushedBy": PERSON,
        "date": "2026-11-02T08:30:05.1234567Z",
    } | more


def change(**more: Any) -> dict[str, Any]:
    return {
        "repository": REPOSITORY,
        "pullRequestId": 3,
        "status": "active",
        "mergeStatus": "succeeded",
        "sourceRefName": "refs/heads/fix/it",
        "targetRefName": "refs/heads/main",
        "lastMergeSourceCommit": {"commitId": TWO},
        "lastMergeCommit": {"commitId": THREE},
        "createdBy": PERSON,
    } | more


def built(**more: Any) -> dict[str, Any]:
    return {
        "status": "completed",
        "result": "succeeded",
        "sourceBranch": "refs/heads/release/2",
        "sourceVersion": TWO,
        "definition": {"name": "web"},
        "repository": {"id": "r-1", "type": "TfsGit"},
    } | more
