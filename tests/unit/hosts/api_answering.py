"""A Git host's API whose answers a test writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

TOKEN = "host-token-0123456789"
C1, C2, C3 = "1" * 40, "2" * 40, "3" * 40


@dataclass
class Asked:
    """One request as it arrived. `target` is path and query, still encoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Answers:
    """Answers each target as written; what is not written is missing: 404, in JSON."""

    written: dict[str, httpx.Response | list[httpx.Response]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        body = json.loads(request.content) if request.content else None
        self.asked.append(Asked(request.method, target, dict(request.headers), body))
        found = self.written.get(f"{request.method} {target}")
        if isinstance(found, list):
            return found.pop(0)
        return httpx.Response(404, json={"message": "Not Found"}) if found is None else found

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))


def ok(content: object, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=content, headers=named)


def secret() -> SecretStr:
    return SecretStr(TOKEN)
