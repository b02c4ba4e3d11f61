"""GitHub's limits, faults, strictness and delivery log."""

from __future__ import annotations

import httpx
import pytest

from sandbox.githost import Fault
from sandbox.githost.transport import GITHUB_URL
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.githost_shop import HOOK_URL, SECRET, Shop


@pytest.fixture
def shop(clock: Clock) -> Shop:
    return Shop(clock)


def test_a_spent_quota_is_a_403_that_says_when_it_ends(shop: Shop) -> None:
    before = shop.github("GET", "")
    assert before.headers["x-ratelimit-remaining"] == "4999"
    shop.service.github_limits.exhaust("ada-token")
    answer = shop.github("GET", "")
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (403, "0")
    assert "retry-after" not in answer.headers
    assert shop.github("GET", "", by="wes").status_code == 200
    shop.clock.now = float(answer.headers["x-ratelimit-reset"])
    assert shop.github("GET", "").headers["x-ratelimit-remaining"] == "4999"


def test_a_secondary_limit_is_a_403_with_retry_after_while_calls_are_left(shop: Shop) -> None:
    shop.service.github_limits.block(30)
    answer = shop.github("GET", "")
    assert (answer.status_code, answer.headers["retry-after"]) == (403, "30")
    assert int(answer.headers["x-ratelimit-remaining"]) > 0
    shop.clock.sleep(30)
    assert shop.github("GET", "").status_code == 200


def test_what_did_not_change_is_not_sent_again_and_does_not_count(shop: Shop) -> None:
    url, headers = f"{GITHUB_URL}/repos/acme/shop/branches/main", {"authorization": "Bearer ada-token"}
    first = shop.http.get(url, headers=headers)
    again = shop.http.get(url, headers=headers | {"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    shop.host.commit(shop.repo)
    assert shop.http.get(url, headers=headers | {"if-none-match": first.headers["etag"]}).status_code == 200


def test_what_a_route_does_not_know_is_refused(shop: Shop) -> None:
    assert shop.github("GET", "/branches?perpage=3").status_code == 422
    assert shop.github("GET", "/branchs").status_code == 404
    assert shop.github("DELETE", "/branches").status_code == 404
    url = f"{GITHUB_URL}/repos/acme/shop/deployments"
    sent = shop.http.post(url, headers={"authorization": "Bearer ada-token"}, content=b"{")
    assert sent.status_code == 400


@pytest.mark.parametrize(("after", "left"), [(False, 0), (True, 1)])
def test_a_call_fails_before_or_after_its_effect(shop: Shop, *, after: bool, left: int) -> None:
    shop.service.faults.add(Fault("/repos/acme/shop/statuses/.*", status=500, after=after))
    answer = shop.github("POST", f"/statuses/{shop.first}", {"state": "success"})
    assert (answer.status_code, answer.json()["message"]) == (500, "Server Error")
    assert len(shop.repo.statuses) == left
    assert shop.service.called("POST", f"/repos/acme/shop/statuses/{shop.first}")[0].status == 500


def test_latency_and_broken_connections_are_what_httpx_raises(shop: Shop) -> None:
    shop.service.faults.add(Fault(latency=60))
    with pytest.raises(httpx.ReadTimeout):
        shop.github("GET", "")
    shop.service.faults.add(Fault(broken="reset"))
    with pytest.raises(httpx.ReadError):
        shop.github("GET", "")
    with pytest.raises(httpx.ConnectError):
        shop.http.get("http://elsewhere.example.com/")


def test_the_delivery_log_goes_by_cursor_and_sends_again_under_the_same_guid(shop: Shop) -> None:
    hook = shop.host.add_hook(shop.repo, HOOK_URL, SECRET, events=["push"])
    assert shop.receiver.kinds() == ["ping"]
    shop.clock.sleep(60)
    for _ in range(5):
        shop.host.commit(shop.repo)
        shop.clock.sleep(60)
    url, seen = f"/hooks/{hook.id}/deliveries?per_page=2", []
    for _ in range(9):
        answer = shop.github("GET", url)
        seen += answer.json()
        if "next" not in answer.links:
            break
        url = answer.links["next"]["url"]
    assert [each["event"] for each in seen] == [*["push"] * 5, "ping"]
    assert seen == sorted(seen, key=lambda each: -each["id"])

    oldest = seen[-2]
    one = shop.github("GET", f"/hooks/{hook.id}/deliveries/{oldest['id']}").json()
    assert one["request"]["headers"]["X-GitHub-Delivery"] == oldest["guid"]
    again = f"/hooks/{hook.id}/deliveries/{oldest['id']}/attempts"
    assert shop.github("POST", again, by="wes").status_code == 404
    assert shop.github("POST", again).status_code == 202
    assert shop.receiver.got[-1] == shop.receiver.got[1]
    newest = shop.github("GET", f"/hooks/{hook.id}/deliveries?redelivery=true").json()
    assert [(each["guid"], each["redelivery"]) for each in newest] == [(oldest["guid"], True)]


def test_deliveries_are_forgotten_after_three_days(shop: Shop) -> None:
    hook = shop.host.add_hook(shop.repo, HOOK_URL, SECRET)
    made = shop.github("GET", f"/hooks/{hook.id}/deliveries").json()[0]
    shop.clock.sleep(3 * 86_400)
    assert shop.github("GET", f"/hooks/{hook.id}/deliveries").json() == []
    assert shop.github("POST", f"/hooks/{hook.id}/deliveries/{made['id']}/attempts").status_code == 404


def test_secrets_are_in_no_answer_and_no_repr(shop: Shop) -> None:
    hook = shop.host.add_hook(shop.repo, HOOK_URL, SECRET)
    listed = shop.github("GET", "/hooks").text + shop.github("GET", f"/hooks/{hook.id}/deliveries").text
    assert SECRET not in listed + repr(hook) + repr(shop.repo)
    assert "ada-token" not in repr(shop.host.tokens["ada-token"])
