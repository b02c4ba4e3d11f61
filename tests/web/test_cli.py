"""The commands that steer a running Switchover, against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from bot.cli import switchover
from sandbox.scripted.behaviour import Behaviour, Failure
from tests.flow.house import House
from tests.web.server import Server, serving, write_config
from tests.web.web import COMMIT, TOKENS, push_body, signed

BROKEN = Behaviour(failures=(Failure("test", lines=("price is 0",)),))


@pytest.fixture
def server(tmp_path: Path, store_url: str) -> Iterator[Server]:
    """Return a running server on an empty store."""
    with serving(write_config(tmp_path), store_url) as started:
        yield started


def run(server: Server | None, *arguments: str, token: str | None = TOKENS["admin"]) -> Result:
    """Run a command in this process."""
    environ = {"SWITCHOVER_URL": server.address} if server else {}
    if token is not None:
        environ["SWITCHOVER_TOKEN"] = token
    return CliRunner().invoke(switchover, list(arguments), obj=environ)


def document(result: Result) -> Any:
    """Return the one JSON document on stdout."""
    return json.loads(result.stdout)


def pushed(server: Server) -> str:
    """Deliver a push and return its release."""
    body = push_body()
    answer = httpx.post(f"{server.address}/webhooks/github", content=body, headers=signed(body))
    release_id: str = answer.json()["releases"][0]
    return release_id


def test_a_release_is_started_shown_listed_and_cancelled(server: Server) -> None:
    started = run(server, "releases", "start", "shop", "--commit", COMMIT, "--json")
    release_id = document(started)["id"]
    listed = run(server, "releases", "list")
    shown = run(server, "releases", "show", release_id, "--json")
    cancelled = run(server, "releases", "cancel", release_id, "--reason", "no")
    again = run(server, "releases", "cancel", release_id)

    assert started.exit_code == 0
    assert release_id in listed.stdout
    assert "shop #1" in listed.stdout
    assert document(shown)["commit"] == COMMIT
    assert "cancelled by admin: no" in cancelled.stdout
    assert (again.exit_code, again.stdout) == (1, "")
    assert "cancelled already" in again.stderr


def test_with_json_a_refusal_is_one_document_too(server: Server) -> None:
    result = run(server, "releases", "show", "nobody", "--json")

    assert result.exit_code == 1
    assert document(result)["error"]["status"] == 404


def test_watching_a_release_that_failed_ends_with_1_and_its_log(server: Server, store_url: str) -> None:
    house = House(store_url)
    house.push(house.commit(behaviour=BROKEN))
    failed = house.settled()
    house.close()

    lines = run(server, "releases", "watch", failed.id)
    quiet = run(server, "releases", "watch", failed.id, "--json")

    assert (lines.exit_code, quiet.exit_code) == (1, 1)
    assert "create: done in " in lines.stdout
    assert "price is 0" in lines.stdout
    assert document(quiet)["status"] == "failed"


def test_watching_a_release_shows_each_step_until_it_is_live(server: Server, store_url: str) -> None:
    house = House(store_url)
    house.push(house.commit())
    environ = os.environ | {"SWITCHOVER_URL": server.address, "SWITCHOVER_TOKEN": TOKENS["viewer"]}
    command = [sys.executable, "-P", "-m", "bot", "releases", "watch", house.release().id]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        house.live()
        rest = watching.stdout.read()
        status = watching.wait(20)
    house.close()

    assert "is queued" in first
    assert "switch: done in " in rest
    assert "is live" in rest.splitlines()[-2]
    assert "probes" in rest.splitlines()[-1]
    assert status == 0


def test_the_failed_queue_is_listed_retried_and_discarded(server: Server, store_url: str) -> None:
    house = House(store_url)
    house.push(house.commit(behaviour=BROKEN))
    failed = house.settled()
    house.close()

    listed = run(server, "queue", "list")
    retried = run(server, "queue", "retry", "--all", "--cause", "application", "--json")
    waiting = run(server, "queue", "list", "--json")
    discarded = run(server, "queue", "discard", failed.id)

    assert failed.id in listed.stdout
    assert [release["retry_of"] for release in document(retried)["releases"]] == [failed.id]
    assert len(document(waiting)["waiting"]) == 1
    assert discarded.exit_code == 1


@pytest.mark.parametrize("arguments", [(), ("x", "--all"), ("x", "--project", "shop")])
def test_a_retry_says_what_to_retry(arguments: tuple[str, ...]) -> None:
    assert run(None, "queue", "retry", *arguments).exit_code == 2


def test_deliveries_are_listed_shown_and_replayed(server: Server) -> None:
    release_id = pushed(server)

    listed = run(server, "deliveries", "list")
    shown = run(server, "deliveries", "show", "d-1")
    replayed = run(server, "deliveries", "replay", "d-1", "--json")

    assert "accepted" in listed.stdout
    assert f"release {release_id}: shop #1 is" in shown.stdout
    assert "decided by projects.shop.triggers[0].push" in shown.stdout
    assert document(replayed)["releases"] == [release_id]


def test_deliveries_are_found_by_what_is_known_of_them(server: Server) -> None:
    pushed(server)

    found = run(server, "deliveries", "list", "--project", "shop", "--ref", "main", "--since", "2h", "--json")
    nothing = run(server, "deliveries", "list", "--verdict", "refused", "--q", "price")
    wrong = run(server, "deliveries", "list", "--since", "lately")

    assert [each["id"] for each in document(found)["deliveries"]] == ["d-1"]
    assert nothing.stdout == "No deliveries.\n"
    assert wrong.exit_code == 2
    assert "--since lately" in wrong.stderr


def test_a_project_is_frozen_and_unfrozen_one_or_all(server: Server) -> None:
    one = run(server, "freeze", "shop", "--reason", "holidays", "--until", "2h", "--json")
    everything = run(server, "freeze", "--all", "--reason", "more holidays")
    away = run(server, "unfreeze", "--all")
    nothing = run(server, "unfreeze", "--all")

    assert document(one)["frozen"][0]["until"].endswith("Z")
    assert "shop is frozen: more holidays" in everything.stdout
    assert (away.exit_code, away.stdout) == (0, "shop is unfrozen.\n")
    assert nothing.stdout == "Nothing to do.\n"


def test_what_is_not_pinned_cannot_be_unpinned(server: Server) -> None:
    result = run(server, "unpin", "shop")

    assert result.exit_code == 1
    assert "not pinned" in result.stderr


def test_a_wrong_token_and_a_missing_one_are_wrong_use(server: Server) -> None:
    wrong = run(server, "releases", "list", token="wrong-token-altogether")
    missing = run(server, "releases", "list", token=None)

    assert (wrong.exit_code, missing.exit_code) == (2, 2)
    assert "SWITCHOVER_TOKEN" in missing.stderr


def test_an_address_that_does_not_answer_is_named(server: Server) -> None:
    server.end()

    result = run(server, "releases", "list")

    assert result.exit_code == 1
    assert server.address in result.stderr
