"""GitLab's sample bodies, written by hand from its documentation, and hosts to read them with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workers.hosts.base import Headers
from workers.hosts.gitlab import GitLab
from workers.releases.events import Event

SAMPLES = Path(__file__).parents[2] / "samples" / "gitlab"
GITLAB = GitLab("gitlab", ["a secret token of acme"])
SIGNED = GitLab("gitlab", ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
ONE, TWO, TAG_OBJECT, ZEROS = "1" * 40, "2" * 40, "3" * 40, "0" * 40
JSON_BODY = Headers([("Content-Type", "application/json")])


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def changed(name: str, /, *, attributes: Any = None, **fields: Any) -> dict[str, Any]:
    """Return a sample with other fields, the value `missing` taking one out; also in object_attributes."""
    body: dict[str, Any] = json.loads(sample(name))
    if attributes is not None:
        body["object_attributes"] = without_missing(body["object_attributes"] | attributes)
    return without_missing(body | fields)


def without_missing(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value != "missing"}


def read(body: bytes | dict[str, Any]) -> Event:
    return GITLAB.read(JSON_BODY, body if isinstance(body, bytes) else json.dumps(body).encode())
