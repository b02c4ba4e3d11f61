"""GitHub's own payloads and published signatures, where the reference data lies beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.hosts.base import Headers
from workers.hosts.github import GitHub
from workers.releases.event_json import event_json
from workers.releases.events import BadSignature

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "reference" / "payloads"

pytestmark = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the reference payloads are not beside the checkout"
)


def entries(name: str) -> list[dict[str, Any]]:
    path = PAYLOADS / name
    if not path.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return [entry for entry in found if entry["host"] in {"github", "ghes"}]


@pytest.mark.parametrize("entry", [pytest.param(each, id=each["body"]) for each in entries("INDEX.json")])
def test_every_payload_says_what_it_should(entry: dict[str, Any]) -> None:
    headers = Headers.from_mapping(json.loads((PAYLOADS / entry["headers"]).read_text()))

    event = GitHub("github", []).read(headers, (PAYLOADS / entry["body"]).read_bytes())

    assert event_json(event) == entry["expect"]


@pytest.mark.parametrize("vector", entries("vectors.json"), ids=lambda vector: vector["value"][:20])
def test_every_published_signature_is_judged_rightly(vector: dict[str, Any]) -> None:
    named = vector.get("body_file")
    body = (PAYLOADS / named).read_bytes() if named else vector["body"].encode()
    host = GitHub("github", ["another secret entirely", vector["secret"]])
    headers = Headers([(vector["header"], vector["value"])])

    if vector["valid"] and vector["scheme"] == "hmac-sha256-hex":
        assert host.verify(headers, body) == 1
    else:
        with pytest.raises(BadSignature):
            host.verify(headers, body)


def test_the_reference_has_payloads_and_signatures_for_us() -> None:
    assert len(entries("INDEX.json")) > 20
    assert len(entries("vectors.json")) >= 7
