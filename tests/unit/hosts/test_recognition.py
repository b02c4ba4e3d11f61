"""Which host made a saved delivery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.hosts.base import Headers
from workers.hosts.recognition import driver_of
from workers.hosts.registry import DRIVERS, reads_of

PAYLOADS = Path(__file__).parents[3].parent / "shared" / "reference" / "payloads"


@pytest.mark.parametrize(
    ("names", "driver"),
    [
        (("X-Forgejo-Event", "X-Gitea-Event", "X-Gogs-Event", "X-GitHub-Event"), "forgejo"),
        (("X-Gitea-Event", "X-Gogs-Event", "X-GitHub-Event"), "gitea"),
        (("X-Gogs-Event",), "gogs"),
        (("x-github-event",), "github"),
        (("X-Gitlab-Event", "webhook-id", "webhook-signature"), "gitlab"),
        (("X-Event-Key", "X-Hook-UUID"), "bitbucket-cloud"),
        (("X-Event-Key",), "bitbucket-dc"),
        (("webhook-id", "webhook-signature"), "standard-webhooks"),
        (("webhook-id",), None),
        ((), None),
    ],
)
def test_the_headers_tell_the_host_whatever_else_they_imitate(
    names: tuple[str, ...], driver: str | None
) -> None:
    assert driver_of(Headers([(name, "x") for name in names]), b"{}") == driver


def test_azure_devops_is_known_by_its_body() -> None:
    body = json.dumps({"eventType": "git.push", "publisherId": "tfs"}).encode()

    assert driver_of(Headers([]), body) == "azure-devops"


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b'{"eventType": 5, "publisherId": "x"}'])
def test_a_body_that_tells_nothing_is_nobodys(body: bytes) -> None:
    assert driver_of(Headers([]), body) is None


def test_every_payload_of_the_reference_is_recognised_and_of_a_kind_that_its_driver_declares() -> None:
    if not (PAYLOADS / "INDEX.json").exists():
        pytest.skip("the reference is not beside this checkout")
    from tests.contract.test_host_payloads import driver_of as driver_in

    wrong: list[Any] = []
    for entry in json.loads((PAYLOADS / "INDEX.json").read_text()):
        if driver_in(entry["host"]) not in DRIVERS:
            continue
        headers = Headers.from_mapping(json.loads((PAYLOADS / entry["headers"]).read_text()))
        found = driver_of(headers, (PAYLOADS / entry["body"]).read_bytes())
        kind = entry["expect"]["kind"]
        if found != driver_in(entry["host"]) or kind not in (*reads_of(driver_in(entry["host"])), "other"):
            wrong.append((entry["body"], found, kind))
    assert wrong == []
