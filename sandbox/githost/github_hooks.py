"""GitHub's hooks and their delivery log. Source: docs.github.com, "Repository webhooks"."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from sandbox.core.http import Response, answer_json
from sandbox.githost.delivering import Delivery
from sandbox.githost.github_reading import not_found, page_of
from sandbox.githost.github_shapes import Json
from sandbox.githost.model import Hook, Unknown, iso
from sandbox.githost.web import LARGEST_PAGE, Call, Refusal, answer_nothing, answer_page, with_headers

KEPT_FOR = 3 * 86_400.0
"""Seconds for which a delivery is listed and can be sent again."""

MASKED = "********"


def _hook(hook: Hook) -> Json:
    config = {"url": hook.url, "content_type": "form" if hook.form else "json", "insecure_ssl": "0"}
    if hook.secret:
        config["secret"] = MASKED
    described: Json = {"type": "Repository", "id": hook.id, "name": "web", "active": hook.active}
    return described | {"events": sorted(hook.events), "config": config}


def _find(call: Call, hook_id: str) -> Hook:
    found = call.repo.hooks.get(int(hook_id)) if hook_id.isdecimal() else None
    if found is None or found.dialect != "github":
        raise not_found()
    return found


def hooks(call: Call) -> Response:
    """`GET .../hooks`; secrets are masked."""
    listed = [_hook(each) for each in call.repo.hooks.values() if each.dialect == "github"]
    return answer_page(page_of(call, listed, "/hooks"))


def hook(call: Call, hook_id: str) -> Response:
    """`GET .../hooks/{id}`."""
    return answer_json(_hook(_find(call, hook_id)))


def ping(call: Call, hook_id: str) -> Response:
    """`POST .../hooks/{id}/pings`: 204, and a ping goes out."""
    call.host.ping(_find(call, hook_id))
    return answer_nothing()


def deliveries(call: Call, hook_id: str) -> Response:
    """`GET .../hooks/{id}/deliveries?cursor=&redelivery=`, newest first, for three days.

    Pages go by cursor, not by number: the Link header's `next` names the delivery that the next page
    begins with.
    """
    wanted = call.asked("redelivery")
    if wanted not in ("", "true", "false"):
        raise Refusal(422, "redelivery must be true or false")
    listed = [each for each in _kept(call, hook_id) if wanted in ("", str(each.redelivery).lower())]
    begin = _cursor(call, listed)
    size = call.number("per_page", 30, LARGEST_PAGE)
    shown, rest = listed[begin : begin + size], listed[begin + size :]
    answer = answer_json([_listed(each) for each in shown])
    if not rest:
        return answer
    path = f"/repositories/{call.repo.id}/hooks/{hook_id}/deliveries"
    kept = f"&redelivery={wanted}" if wanted else ""
    url = f"{call.request.base_url}{path}?per_page={size}&cursor=v1_{rest[0].id}{kept}"
    return with_headers(answer, {"link": f'<{url}>; rel="next"'})


def _kept(call: Call, hook_id: str) -> list[Delivery]:
    found = call.host.post.of_hook(_find(call, hook_id).id)
    return [each for each in found if each.delivered_at > call.now - KEPT_FOR]


def _cursor(call: Call, listed: list[Delivery]) -> int:
    cursor = call.asked("cursor")
    if not cursor:
        return 0
    for place, each in enumerate(listed):
        if cursor == f"v1_{each.id}":
            return place
    raise Refusal(422, "Invalid cursor; take it from the Link header of the page before.")


def _listed(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": iso(delivery.delivered_at, milliseconds=True),
        "redelivery": delivery.redelivery,
        "duration": round(delivery.duration, 2),
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": None,
        "repository_id": delivery.repository,
        "throttled_at": None,
    }


def delivery(call: Call, hook_id: str, delivery_id: str) -> Response:
    """`GET .../hooks/{id}/deliveries/{delivery_id}`, with what was sent."""
    found = _delivery(call, hook_id, delivery_id)
    sent: Json = {"headers": dict(found.outgoing.headers), "payload": _payload(found)}
    body = _listed(found) | {"url": found.outgoing.url, "request": sent}
    return answer_json(body | {"response": {"headers": {}, "payload": None}})


def _payload(delivery: Delivery) -> object:
    text = delivery.outgoing.body.decode()
    parsed: object = json.loads(parse_qs(text)["payload"][0] if delivery.hook.form else text)
    return parsed


def attempt(call: Call, hook_id: str, delivery_id: str) -> Response:
    """`POST .../deliveries/{delivery_id}/attempts`: 202; it goes out again under the same guid."""
    call.host.post.redeliver(_delivery(call, hook_id, delivery_id))
    return answer_json({}, 202)


def _delivery(call: Call, hook_id: str, delivery_id: str) -> Delivery:
    hook_number = _find(call, hook_id).id
    try:
        found = call.host.post.find(hook_number, int(delivery_id) if delivery_id.isdecimal() else 0)
    except Unknown as error:
        raise not_found() from error
    if found.delivered_at <= call.now - KEPT_FOR:
        raise not_found()
    return found
