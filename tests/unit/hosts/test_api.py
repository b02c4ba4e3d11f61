"""One call to a Git host: where the token goes, what is believed, and how long the host is left alone."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hosts.api_answering import TOKEN, Answers, ok, secret
from workers.errors import Effect, Gone, PlatformError, Refused, TryAgain
from workers.hosts.api import LARGEST_BODY, HostApi
from workers.hosts.api_calls import Answer, Call, path_of

BASE = "https://git.example.com/api/v3"
READ = Call("GET", "/thing", "read the thing")
WRITE = Call("POST", "/thing", "write the thing", body={"a": 1})
DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
NOON = 1795262400.0

Shape = dict[str, int]


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def api_of(
    answer: Callable[[httpx.Request], httpx.Response], clock: Callable[[], float] | None = None
) -> HostApi:
    http = httpx.Client(transport=httpx.MockTransport(answer))
    return HostApi(http, BASE, secret(), clock=clock or Clock())


def always(response: httpx.Response) -> HostApi:
    return api_of(lambda _: response)


def test_a_call_carries_token_and_body_to_the_configured_address() -> None:
    answers = Answers({"POST /api/v3/thing": ok({"id": 7})})

    assert api_of(answers).ask(WRITE, Shape) == {"id": 7}
    [asked] = answers.asked
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.body == {"a": 1}


def test_a_branch_name_stays_one_segment_of_the_path() -> None:
    assert path_of("branches", "feature/x #1?ä%") == "/branches/feature%2Fx%20%231%3F%C3%A4%25"
    assert path_of("branches", "..") == "/branches/%2E%2E"


@given(st.text(min_size=1))
def test_no_name_leaves_its_segment(name: str) -> None:
    path = httpx.URL(f"https://git.example.com{path_of('a', name, 'z')}").raw_path.decode()

    assert path.startswith("/a/")
    assert path.endswith("/z")
    assert path.count("/") == 3
    assert not set("?#") & set(path)


@pytest.mark.parametrize(
    ("status", "error", "effect"),
    [
        (400, Refused, None),
        (401, Refused, None),
        (403, Refused, None),
        (404, Gone, None),
        (409, Refused, None),
        (422, Refused, None),
        (408, TryAgain, Effect.NONE),
        (429, TryAgain, Effect.NONE),
        (500, TryAgain, Effect.UNKNOWN),
        (502, TryAgain, Effect.UNKNOWN),
    ],
)
def test_each_failing_status_says_what_the_caller_can_do(
    status: int, error: type[PlatformError], effect: Effect | None
) -> None:
    with pytest.raises(error, match=rf"could not write the thing: .* answered {status} Sorry") as raised:
        always(ok({"message": "Sorry"}, status)).answer(WRITE)

    assert getattr(raised.value, "effect", None) == effect


def test_a_failed_read_never_leaves_an_effect_open() -> None:
    with pytest.raises(TryAgain) as raised:
        always(ok({}, 500)).answer(READ)

    assert raised.value.effect is Effect.NONE


@pytest.mark.parametrize("body", [b"<html>Not here</html>", b"", b'"text"', b"{", b"[" * 100_000])
def test_a_404_that_is_not_the_apis_own_proves_nothing_missing(body: bytes) -> None:
    with pytest.raises(TryAgain, match="check api_url"):
        always(httpx.Response(404, content=body)).find(READ, Shape)


def test_a_404_of_the_api_means_that_there_is_none() -> None:
    assert always(ok({"message": "Not Found"}, 404)).find(READ, Shape) is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>",
        b"",
        b'{"id": 1',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": "1"}',
        b"[1]",
        b"null",
    ],
)
def test_a_good_status_over_an_unusable_body_is_tried_again(body: bytes) -> None:
    with pytest.raises(TryAgain) as raised:
        always(httpx.Response(200, content=body)).ask(WRITE, Shape)

    assert raised.value.effect is Effect.UNKNOWN


def test_an_endless_body_is_refused_while_it_streams() -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b" " * 65536

    with pytest.raises(Refused, match="larger than 5 MiB"):
        always(httpx.Response(200, content=endless())).answer(READ)
    assert sent <= LARGEST_BODY + 2 * 65536


def test_an_endless_error_is_read_only_as_far_as_it_is_of_use() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    with pytest.raises(TryAgain, match="answered 500"):
        always(httpx.Response(500, content=endless())).answer(READ)


def test_a_compressed_body_is_not_unpacked() -> None:
    response = httpx.Response(
        200, stream=httpx.ByteStream(gzip.compress(b"[]")), headers={"content-encoding": "gzip"}
    )

    with pytest.raises(TryAgain, match="encoding"):
        always(response).answer(READ)


def test_a_body_that_drips_past_its_time_is_given_up() -> None:
    clock = Clock()

    def dripping() -> Iterator[bytes]:
        while True:
            clock.seconds += 1
            yield b" "

    with pytest.raises(TryAgain, match="slower than 30 s"):
        api_of(lambda _: httpx.Response(200, content=dripping()), clock).answer(READ)


def test_a_read_follows_the_api_to_the_new_name_of_a_repository() -> None:
    answers = Answers(
        {
            "GET /api/v3/thing": httpx.Response(301, headers={"location": f"{BASE}/things/7"}),
            "GET /api/v3/things/7": ok({"id": 7}),
        }
    )

    assert api_of(answers).ask(READ, Shape) == {"id": 7}
    assert [asked.headers["authorization"] for asked in answers.asked] == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.org/api/v3/thing",
        "https://git.example.com.evil.example.org/api/v3/thing",
        "http://git.example.com/api/v3/thing",
        "https://git.example.com:8443/api/v3/thing",
        "https://me:pass@git.example.com/api/v3/thing",
        "//evil.example.org/api/v3/thing",
        "https://git.example.com/users/sign_in",
        "https://git.example.com/api/v3evil/thing",
        "https://git.example.com/api/v3/../../elsewhere",
        "https://[half",
        "",
    ],
)
def test_the_token_follows_no_redirect_out_of_the_api(location: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": location} if location else {})

    with pytest.raises(Refused):
        api_of(answer).answer(READ)
    assert asked == [f"{BASE}/thing"]


def test_a_changing_call_follows_no_redirect_at_all() -> None:
    answers = Answers({"POST /api/v3/thing": httpx.Response(307, headers={"location": f"{BASE}/things/7"})})

    with pytest.raises(Refused, match="renamed"):
        api_of(answers).answer(WRITE)
    assert len(answers.asked) == 1


def test_redirects_in_a_circle_come_to_an_end() -> None:
    with pytest.raises(Refused, match="redirected more than"):
        always(httpx.Response(301, headers={"location": f"{BASE}/thing"})).answer(READ)


def test_no_call_goes_out_until_the_quiet_is_over() -> None:
    clock = Clock()
    limited = ok({"message": "slow down"}, 429, retry_after="20")
    answers = Answers({"GET /api/v3/thing": [limited, ok({"id": 1})]})
    api = api_of(answers, clock)

    with pytest.raises(TryAgain) as first:
        api.answer(READ)
    clock.seconds += 19
    with pytest.raises(TryAgain, match="asked not to be called") as second:
        api.answer(WRITE)

    assert (first.value.wait, second.value.wait) == (20, 1)
    assert second.value.effect is Effect.NONE
    assert len(answers.asked) == 1
    clock.seconds += 2
    assert api.ask(READ, Shape) == {"id": 1}


def test_a_used_up_budget_is_kept_from_the_good_answer_on() -> None:
    last = ok({"id": 1}, x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOON) + 90), date=DATE)
    api = always(last)

    assert api.ask(READ, Shape) == {"id": 1}
    with pytest.raises(TryAgain) as raised:
        api.answer(READ)
    assert raised.value.wait == 90


def test_a_later_answer_with_a_shorter_quiet_does_not_end_a_longer_one() -> None:
    clock = Clock()
    api = api_of(Answers(), clock)
    api._note_quiet(Answer(429, {"retry-after": "30"}, b"{}"))
    api._note_quiet(Answer(429, {"retry-after": "3"}, b"{}"))
    clock.seconds += 10

    with pytest.raises(TryAgain):
        api.answer(READ)


@pytest.mark.parametrize(
    ("error", "effect"),
    [(httpx.ConnectError("refused"), Effect.NONE), (httpx.ReadTimeout("slow"), Effect.UNKNOWN)],
)
def test_a_call_without_an_answer_says_whether_it_may_have_had_an_effect(
    error: httpx.TransportError, effect: Effect
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(TryAgain, match="got no answer") as raised:
        api_of(answer).answer(WRITE)
    assert raised.value.effect is effect


def test_the_token_is_in_no_message_and_no_repr() -> None:
    def failing(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"bad header Bearer {TOKEN}")

    told = []
    for api in (always(ok({"message": f"bad token {TOKEN}"}, 401)), api_of(failing)):
        with pytest.raises(PlatformError) as raised:
            api.answer(WRITE)
        told += [repr(raised.value), repr(api), repr(WRITE)]

    assert TOKEN not in "".join(told)


@pytest.mark.parametrize(
    "address",
    [
        "http://git.example.com/api",
        "https://me:pass@git.example.com",
        "https://git.example.com/?x=1",
        "ftp://git.example.com",
        "git.example.com",
    ],
)
def test_an_address_that_would_show_the_token_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="api_url"):
        HostApi(httpx.Client(), address, secret())


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8080/api/v4", "http://localhost", "https://git.example.com/"]
)
def test_plain_http_is_for_this_machine_only(address: str) -> None:
    assert HostApi(httpx.Client(), address, secret()).host


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ключ"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValueError, match="token") as raised:
        HostApi(httpx.Client(), BASE, type(secret())(token))
    assert not token or token not in str(raised.value)


def page_of(request: httpx.Request) -> int:
    return int(request.url.params["page"])


def test_pages_are_read_to_the_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return ok([page_of(request)] * (100 if page_of(request) < 3 else 7))

    assert api_of(answer).pages(READ, list[int], list) == ([1] * 100 + [2] * 100 + [3] * 7, True)


def test_a_short_page_that_names_a_next_one_is_not_the_last() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        number = page_of(request)
        link = (
            f'<{BASE}/thing?page={number + 1}>; rel="next"' if number < 3 else f'<{BASE}/thing>; rel="first"'
        )
        return ok([number], link=link)

    assert api_of(answer).pages(READ, list[int], list) == ([1, 2, 3], True)


def test_an_endless_list_is_cut_and_said_to_be() -> None:
    entries, complete = always(ok([1] * 100)).pages(READ, list[int], list)

    assert (len(entries), complete) == (1000, False)


@given(st.text())
def test_any_link_header_can_be_read(link: str) -> None:
    Answer(200, {"link": link}, b"").next_page("page")
