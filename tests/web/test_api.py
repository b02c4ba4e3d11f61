"""The API: each endpoint, over HTTP and with the real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.web.web import COMMIT, NEWER, RFC_3339, Web, is_envelope

pytestmark = pytest.mark.anyio


async def test_a_release_has_every_field_of_the_contract(web: Web) -> None:
    release_id = await web.released()

    release = (await web.ask("GET", f"/releases/{release_id}", "viewer")).json()

    assert set(release) >= {
        *("id", "number", "project", "flow", "commit", "ref", "status", "reason", "step", "workspace_id"),
        *("attempt", "trigger", "created_at", "started_at", "finished_at", "steps", "downtime", "previous"),
        *("retry_of", "waiting_for", "blocked_by", "cleanup"),
    }
    assert (release["id"], release["number"], release["status"]) == (release_id, 1, "queued")
    assert release["trigger"] == {
        "kind": "push",
        "host": "github",
        "event": "push",
        "delivery": "d-1",
        "actor": "ann",
    }
    assert RFC_3339.fullmatch(release["created_at"])
    assert [step["name"] for step in release["steps"]][:2] == ["create", "prepare"]
    assert set(release["steps"][0]) == {"name", "status", "started_at", "finished_at", "attempt", "detail"}


async def test_releases_are_listed_newest_first_and_page_by_page(web: Web) -> None:
    ids = [await web.released(commit=f"{number:040x}", delivery=f"d-{number}") for number in (1, 2, 3)]

    first = (await web.ask("GET", "/releases?limit=2")).json()
    second = (await web.ask("GET", f"/releases?limit=2&cursor={first['next']}")).json()

    assert [release["id"] for release in first["releases"] + second["releases"]] == ids[::-1]
    assert second["next"] is None


async def test_releases_are_found_by_project_and_status(web: Web) -> None:
    await web.released(commit=COMMIT)
    newest = await web.released(commit=NEWER, before=COMMIT, delivery="d-2")

    queued = (await web.ask("GET", "/releases?project=shop&status=queued")).json()["releases"]
    others = (await web.ask("GET", "/releases?project=nothing")).json()["releases"]

    assert [release["id"] for release in queued] == [newest]
    assert others == []


async def test_a_larger_limit_is_cut_and_a_smaller_one_refused(web: Web) -> None:
    assert (await web.ask("GET", "/releases?limit=100000")).status_code == 200
    assert is_envelope(await web.ask("GET", "/releases?limit=0"), 422)


@pytest.mark.parametrize("query", ["limit=x", "cursor=abc", "status=gone", "cursor=-1", "sort=up"])
async def test_a_query_that_cannot_be_used_is_422_and_named(web: Web, query: str) -> None:
    answer = await web.ask("GET", f"/releases?{query}")

    assert is_envelope(answer, 422)
    assert query.partition("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/releases/nobody", "/releases/%00", "/deliveries/nobody", "/releases/a%20b"]
)
async def test_what_is_not_there_is_404(web: Web, path: str) -> None:
    assert is_envelope(await web.ask("GET", path), 404)


async def test_a_started_release_is_201_with_its_location(web: Web) -> None:
    answer = await web.ask("POST", "/releases", json={"project": "shop", "commit": COMMIT.upper()})

    release = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/releases/{release['id']}"
    assert (release["trigger"]["kind"], release["trigger"]["actor"]) == ("manual", "admin")
    assert (release["commit"], release["reason"]) == (COMMIT, "started by admin")


async def test_a_start_without_a_commit_takes_what_was_pushed_last(web: Web) -> None:
    assert is_envelope(await web.ask("POST", "/releases", json={"project": "shop"}), 409)
    await web.released(commit=NEWER)

    answer = await web.ask("POST", "/releases", json={"project": "shop", "branch": "main"})

    assert answer.json()["commit"] == NEWER


async def test_an_idempotency_key_makes_one_release_for_each_token(web: Web) -> None:
    async def start(role: str) -> str:
        answer = await web.ask(
            "POST",
            "/releases",
            role,
            json={"project": "shop", "commit": COMMIT},
            headers={"Idempotency-Key": "k"},
        )
        assert answer.status_code == 201
        release_id: str = answer.json()["id"]
        return release_id

    first, again, other = await start("operator"), await start("operator"), await start("admin")

    assert first == again
    assert other != first


async def test_an_unfit_idempotency_key_is_400(web: Web) -> None:
    answer = await web.ask(
        "POST",
        "/releases",
        json={"project": "shop", "commit": COMMIT},
        headers={"Idempotency-Key": "k" * 300},
    )

    assert is_envelope(answer, 400)


async def test_a_start_of_an_unknown_project_is_404_and_names_the_known(web: Web) -> None:
    answer = await web.ask("POST", "/releases", json={"project": "shoop", "commit": COMMIT})

    assert is_envelope(answer, 404)
    assert "shop" in answer.json()["message"]


async def test_a_multipart_body_with_json_parts_is_taken(web: Web) -> None:
    answer = await web.ask(
        "POST",
        "/releases",
        files={"project": (None, '"shop"'), "commit": (None, f'"{COMMIT}"', "application/json")},
    )

    assert answer.status_code == 201, answer.text


async def test_a_queued_release_is_cancelled_at_once_and_then_no_more(web: Web) -> None:
    release_id = await web.released()

    first = await web.ask("POST", f"/releases/{release_id}/cancel", "operator")
    second = await web.ask("POST", f"/releases/{release_id}/cancel", "operator")

    assert (first.status_code, first.json()["status"]) == (202, "cancelled")
    assert is_envelope(second, 409)
    assert "cancelled already" in second.json()["message"]


async def test_a_cancel_takes_a_reason(web: Web) -> None:
    release_id = await web.released()

    answer = await web.ask("POST", f"/releases/{release_id}/cancel", json={"reason": "not today"})

    assert answer.json()["reason"] == "cancelled by admin: not today"


async def test_a_cancelled_release_is_retried_as_a_new_one(web: Web) -> None:
    release_id = await web.released()
    assert is_envelope(await web.ask("POST", f"/releases/{release_id}/retry"), 409)
    await web.ask("POST", f"/releases/{release_id}/cancel")

    first = await web.ask("POST", f"/releases/{release_id}/retry", "operator")
    second = await web.ask("POST", f"/releases/{release_id}/retry", "operator")

    assert first.status_code == 202
    assert (first.json()["retry_of"], first.json()["commit"]) == (release_id, COMMIT)
    assert second.json()["id"] == first.json()["id"]
    old = (await web.ask("GET", f"/releases/{release_id}")).json()
    assert (old["status"], old["retried_by"]) == ("cancelled", first.json()["id"])


async def test_an_older_commit_is_retried_by_force_only_and_by_an_admin_only(web: Web) -> None:
    older = await web.released(commit=COMMIT)
    await web.released(commit=NEWER, before=COMMIT, delivery="d-2")
    path = f"/releases/{older}/retry"

    assert is_envelope(await web.ask("POST", path), 409)
    assert is_envelope(await web.ask("POST", path, "operator", json={"force": True}), 403)
    assert (await web.ask("POST", path, json={"force": True})).status_code == 202


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_an_approval_that_nobody_waits_for_is_409_and_says_what_the_release_is(
    web: Web, verb: str
) -> None:
    release_id = await web.released()

    answer = await web.ask("POST", f"/releases/{release_id}/{verb}")

    assert is_envelope(answer, 409)
    assert "is queued" in answer.json()["message"]


async def test_a_rollback_of_a_release_that_is_not_live_is_409(web: Web) -> None:
    release_id = await web.released()

    assert is_envelope(await web.ask("POST", f"/releases/{release_id}/rollback"), 409)


async def test_a_target_shows_its_lanes_and_why_the_newest_commit_is_not_live(web: Web) -> None:
    release_id = await web.released()
    await web.ask("PUT", "/projects/shop/freeze", json={"reason": "holidays"})

    [target] = (await web.ask("GET", "/targets", "viewer")).json()["targets"]

    [lane] = target["lanes"]
    assert (target["name"], target["platform"], target["lock"]) == ("shop.example.com", "codesphere", None)
    assert lane["newest"]["id"] == lane["queued"][0]["id"] == release_id
    assert lane["freeze"]["reason"] == "holidays"
    assert lane["not_live_because"] == "freeze: holidays"


async def test_a_configured_target_is_shown_before_its_first_release(web: Web) -> None:
    [target] = (await web.ask("GET", "/targets")).json()["targets"]

    assert (target["configured"], target["lanes"][0]["newest"]) == (True, None)


async def test_the_ledger_begins_empty(web: Web) -> None:
    assert (await web.ask("GET", "/workspaces")).json() == {"workspaces": [], "next": None}


async def test_a_freeze_is_set_shown_and_taken_away(web: Web) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    made = await web.ask("PUT", "/projects/shop/freeze", "operator", json={"reason": "r", "until": until})
    gone = await web.ask("DELETE", "/projects/shop/freeze", "operator")
    again = await web.ask("DELETE", "/projects/shop/freeze", "operator")

    assert (made.status_code, made.json()["author"], made.json()["project"]) == (200, "operator", "shop")
    assert RFC_3339.fullmatch(made.json()["until"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert is_envelope(again, 404)


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "r", "until": "soon"}, {"reason": "r", "until": "2020-01-01T00:00:00Z"}],
)
async def test_a_freeze_that_cannot_be_meant_is_422(web: Web, body: dict[str, str]) -> None:
    assert is_envelope(await web.ask("PUT", "/projects/shop/freeze", json=body), 422)


async def test_a_freeze_of_an_unknown_project_is_404(web: Web) -> None:
    assert is_envelope(await web.ask("PUT", "/projects/nothing/freeze", json={"reason": "r"}), 404)


@pytest.mark.parametrize("what", ["pin", "hold", "repository-id"])
async def test_what_does_not_stand_cannot_be_taken_away(web: Web, what: str) -> None:
    assert is_envelope(await web.ask("DELETE", f"/projects/shop/{what}"), 404)


async def test_the_failed_queue_begins_empty_and_knows_only_what_failed(web: Web) -> None:
    release_id = await web.released()

    assert (await web.ask("GET", "/queue/failed", "viewer")).json() == {"releases": [], "next": None}
    assert is_envelope(await web.ask("POST", f"/queue/failed/{release_id}/retry"), 404)
    assert is_envelope(await web.ask("DELETE", f"/queue/failed/{release_id}"), 404)
    assert (await web.ask("POST", "/queue/failed/retry")).json()["releases"] == []
