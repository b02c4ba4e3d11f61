"""What the API's answers mean for the caller."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.errors import Asleep, Effect, Gone, PlatformError, Refused, TryAgain
from workers.platforms.answers import decipher, retry_after
from workers.platforms.calls import Call, path_of

CHANGE = Call("POST", "/workspaces", "create the workspace shop", wants_json=True)
ACTION = Call("DELETE", "/workspaces/7", "delete workspace 7")
LOOK = Call("GET", "/workspaces/7", "read workspace 7", changes=False, wants_json=True)
NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def failing(call: Call, status: int, body: object = None, **headers: str) -> PlatformError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(PlatformError) as caught:
        decipher(call, status, headers, content, now=NOON)
    return caught.value


def problem(title: str, detail: str = "") -> dict[str, object]:
    return {"status": 400, "title": title, "detail": detail, "traceId": "t-1"}


def test_a_good_answer_is_returned_as_it_is() -> None:
    assert decipher(LOOK, 200, {}, b'{"id": 7}') == {"id": 7}


@pytest.mark.parametrize("body", [b"", b"OK", b"<html>", b'{"a":'])
def test_the_body_of_an_action_is_never_parsed(body: bytes) -> None:
    assert decipher(ACTION, 200, {}, body) is None


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b'{"id": 7, "na'])
def test_a_good_answer_that_cannot_be_read_leaves_a_change_open_and_a_read_not(body: bytes) -> None:
    with pytest.raises(TryAgain) as change:
        decipher(CHANGE, 200, {}, body)
    with pytest.raises(TryAgain) as look:
        decipher(LOOK, 200, {}, body)

    assert (change.value.effect, look.value.effect) == (Effect.UNKNOWN, Effect.NONE)


@pytest.mark.parametrize(
    ("title", "detail"),
    [("Workspace is not running", ""), ("Bad request", "the workspace is not in a running state")],
)
def test_a_sleeping_workspace_is_told_from_a_bad_request(title: str, detail: str) -> None:
    assert isinstance(failing(LOOK, 400, problem(title, detail)), Asleep)
    assert type(failing(LOOK, 400, problem("expected a type of 'PositiveInteger', got: '0'"))) is Refused


def test_a_refusal_names_the_call_the_title_the_detail_and_the_trace() -> None:
    error = failing(CHANGE, 400, problem("Bad name", "no # please"))

    assert str(error) == (
        "could not create the workspace shop: POST /workspaces answered 400 Bad name: no # please (trace t-1)"
    )


@pytest.mark.parametrize(("status", "hint"), [(401, "GET /teams"), (402, "billing"), (403, "may not")])
def test_refused_tokens_and_bills_say_what_to_do(status: int, hint: str) -> None:
    error = failing(CHANGE, status, problem("No"))

    assert type(error) is Refused
    assert hint in str(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_server_error_leaves_the_outcome_of_a_change_open(status: int) -> None:
    error = failing(CHANGE, status, b"<html><title>Bad Gateway</title></html>")

    assert isinstance(error, TryAgain)
    assert error.effect is Effect.UNKNOWN
    assert "<" not in str(error)


def test_too_many_requests_and_conflicts_had_no_effect() -> None:
    busy = failing(CHANGE, 429, problem("Slow down"), **{"retry-after": "7"})
    conflict = failing(CHANGE, 409, problem("Another request is in progress."))

    assert isinstance(busy, TryAgain)
    assert (busy.wait, busy.effect) == (7, Effect.NONE)
    assert isinstance(conflict, TryAgain)
    assert conflict.effect is Effect.NONE
    assert 2 <= (conflict.wait or 0) <= 5


def test_a_command_over_its_time_may_have_worked() -> None:
    error = failing(CHANGE, 408, problem("Timeout"))

    assert isinstance(error, TryAgain)
    assert error.effect is Effect.UNKNOWN


@pytest.mark.parametrize("body", [b"", b'{"status": 404, "title": "Workspace not found"}'])
def test_what_the_api_does_not_find_is_gone(body: bytes) -> None:
    assert isinstance(failing(ACTION, 404, body), Gone)


def test_a_missing_route_or_a_gateway_page_does_not_count_as_gone() -> None:
    route = failing(ACTION, 404, b"Cannot DELETE /workspaces/7")
    page = failing(ACTION, 404, b"<html><body><h1>404</h1>nginx</body></html>")

    assert type(route) is Refused
    assert "api_url" in str(route)
    assert isinstance(page, TryAgain)


def test_a_bare_error_without_detail_and_trace_is_understood() -> None:
    error = failing(CHANGE, 500, {"status": 500, "title": "An internal error occurred"})

    assert "An internal error occurred" in str(error)
    assert error.trace_id is None


def test_secrets_that_the_api_echoes_are_masked() -> None:
    call = Call("POST", "/workspaces", "create", secrets=("s3cret-value",))

    error = failing(call, 400, problem("expected a name", "got: 's3cret-value'"))

    assert "s3cret" not in str(error)
    assert "***" in str(error)


@given(status=st.integers(300, 599), body=st.binary(max_size=200), changes=st.booleans())
def test_every_failing_answer_has_a_meaning(status: int, body: bytes, changes: bool) -> None:
    call = Call("PUT", "/x", "do it", changes=changes, wants_json=True)

    error = failing(call, status, body)

    assert isinstance(error, (TryAgain, Refused, Gone))
    assert "\n" not in str(error)


@given(st.integers(min_value=0, max_value=3600))
def test_retry_after_is_read_as_seconds_and_as_a_date(seconds: int) -> None:
    until = datetime.fromtimestamp(NOON.timestamp() + seconds, UTC)
    date = format_datetime(until, usegmt=True)

    assert retry_after({"retry-after": str(seconds)}, NOON) == seconds
    assert retry_after({"retry-after": date}, NOON) == seconds
    # A Date of the answer counts before our own clock, which may be wrong.
    own = {"retry-after": date, "date": format_datetime(NOON, usegmt=True)}
    assert retry_after(own, datetime(2001, 1, 1, tzinfo=UTC)) == seconds


@given(st.text(max_size=30))
def test_no_retry_after_is_negative_endless_or_an_error(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOON)

    assert wait is None or 0 <= wait <= 3600


@given(st.lists(st.one_of(st.text(), st.integers(min_value=0)), min_size=1))
def test_a_path_has_as_many_segments_as_were_given(segments: list[str | int]) -> None:
    path = path_of(*segments)

    assert path.count("/") == len(segments)
    assert set(path.split("/")).isdisjoint({".", ".."})


def test_a_branch_with_a_slash_stays_one_segment() -> None:
    assert path_of("git", "pull", "origin", "feature/x") == "/git/pull/origin/feature%2Fx"
