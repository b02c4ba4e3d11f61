"""GitLab's calls that change something, and its hooks. Source: docs.gitlab.com, REST API v4."""

from __future__ import annotations

import json

from sandbox.core import validation as v
from sandbox.core.http import Response, answer_json
from sandbox.githost import gitlab_shapes as shapes
from sandbox.githost.delivering import Delivery
from sandbox.githost.gitlab_reading import answer_list, change_of, not_found
from sandbox.githost.gitlab_shapes import Json
from sandbox.githost.model import Comment, Deployment, DeploymentStatus, Hook, Unknown, at_least, iso
from sandbox.githost.web import Call, Refusal

KEPT_FOR = 7 * 86_400.0
"""Seconds for which the events of a hook are listed."""

MOST_RESENDS = 5
"""Of one hook in a minute."""

STATES = "pending|running|success|failed|canceled|skipped"
STATUS_FIELDS = {
    "name": v.string(".+"),
    "context": v.string(".+"),
    "ref": v.string(".+"),
    "target_url": v.nullable(v.string("(https?://.*)?")),
    "description": v.nullable(v.string("(?s).{0,255}")),
    "coverage": v.nullable(v.number),
    "pipeline_id": v.nullable(v.integer(1)),
}
DEPLOYMENT_STATES = "created|running|success|failed|canceled"


def set_status(call: Call, sha: str) -> Response:
    """`POST .../statuses/:sha`: 201; 400 for the state that it already has, 404 for no commit."""
    body = call.body({"state": v.string(STATES)}, STATUS_FIELDS)
    if sha not in call.repo.history.commits:
        raise not_found("Commit")
    name = str(body.get("name", body.get("context", "default")))
    state = str(body["state"])
    ref = str(body["ref"]) if "ref" in body else _branch_of(call, sha)
    newest = {e.context: e.state for e in call.repo.statuses if e.sha == sha and e.ref == ref}
    if newest.get(name) == state:
        raise Refusal(400, f"Cannot transition status via :{_verb(state)} from :{state}")
    description, url = body.get("description"), body.get("target_url")
    made = call.host.set_status(
        call.repo,
        sha,
        state,
        context=name,
        description=None if description is None else str(description),
        target_url=str(url) if url else None,
        ref=ref,
        by=call.user.login,
    )
    return answer_json(shapes.status(made), 201)


def _verb(state: str) -> str:
    verbs = {
        "pending": "enqueue",
        "running": "run",
        "success": "succeed",
        "failed": "drop",
        "skipped": "skip",
    }
    return verbs.get(state, "cancel")


def _branch_of(call: Call, sha: str) -> str | None:
    branches = call.repo.branches.items()
    return next((name for name, tip in branches if call.repo.history.leads_to(sha, tip)), None)


def notes(call: Call, iid: str) -> Response:
    """`GET .../merge_requests/:iid/notes`, newest first."""
    number = change_of(call, iid).number
    found = [each for each in reversed(call.repo.comments.values()) if each.change == number]
    return answer_list(call, [shapes.note(each) for each in found], f"/merge_requests/{iid}/notes")


def note(call: Call, iid: str) -> Response:
    """`POST .../merge_requests/:iid/notes`: 201."""
    number = change_of(call, iid).number
    body = call.body({"body": v.string("(?s).+")}, {"internal": v.boolean, "created_at": v.string()})
    return answer_json(
        shapes.note(call.host.comment(call.repo, number, str(body["body"]), by=call.user.login)), 201
    )


def edit_note(call: Call, iid: str, note_id: str) -> Response:
    """`PUT .../merge_requests/:iid/notes/:note_id`: its author may, and maintainers."""
    number = change_of(call, iid).number
    found: Comment | None = call.repo.comments.get(int(note_id)) if note_id.isdecimal() else None
    if found is None or found.change != number:
        raise not_found("Note")
    if found.user != call.user and not at_least(call.role, "maintain"):
        raise Refusal(403, "403 Forbidden")
    body = call.body({"body": v.string("(?s).+")}, {})
    return answer_json(
        shapes.note(call.host.edit_comment(call.repo, found.id, str(body["body"]), by=call.user.login))
    )


def deploy(call: Call) -> Response:
    """`POST .../deployments`: 201."""
    text = v.string(".+")
    required = {
        "environment": text,
        "sha": text,
        "ref": text,
        "tag": v.boolean,
        "status": v.string(DEPLOYMENT_STATES),
    }
    body = call.body(required, {})
    sha = str(body["sha"])
    if sha not in call.repo.history.commits:
        raise Refusal(400, "The commit does not exist")
    made = Deployment(
        call.host.next_id(), sha, str(body["ref"]), str(body["environment"]), call.user, call.now
    )
    call.host.deploy(call.repo, made)
    _move(call, made, str(body["status"]))
    return answer_json(shapes.deployment(made, call.repo), 201)


def move_deployment(call: Call, deployment_id: str) -> Response:
    """`PUT .../deployments/:deployment_id`; one that came to its end stays there."""
    made = call.repo.deployments.get(int(deployment_id)) if deployment_id.isdecimal() else None
    if made is None:
        raise not_found("Deployment")
    body = call.body({"status": v.string("running|success|failed|canceled")}, {})
    if made.statuses and made.statuses[-1].state in ("success", "failed", "canceled"):
        raise Refusal(400, f'Status cannot transition from "{made.statuses[-1].state}"')
    _move(call, made, str(body["status"]))
    return answer_json(shapes.deployment(made, call.repo))


def _move(call: Call, made: Deployment, state: str) -> None:
    call.host.move_deployment(
        call.repo, made, DeploymentStatus(call.host.next_id(), state, call.user, call.now)
    )


def deployment(call: Call, deployment_id: str) -> Response:
    """`GET .../deployments/:deployment_id`."""
    made = call.repo.deployments.get(int(deployment_id)) if deployment_id.isdecimal() else None
    if made is None:
        raise not_found("Deployment")
    return answer_json(shapes.deployment(made, call.repo))


def deployments(call: Call) -> Response:
    """`GET .../deployments?environment=&status=`."""
    asked = {"environment": call.asked("environment"), "status": call.asked("status")}
    shown = [(each, shapes.deployment(each, call.repo)) for each in call.repo.deployments.values()]
    fitting = [
        body
        for each, body in shown
        if asked["environment"] in ("", each.environment) and asked["status"] in ("", body["status"])
    ]
    return answer_list(call, fitting, "/deployments")


def _hook(call: Call, hook_id: str) -> Hook:
    found = call.repo.hooks.get(int(hook_id)) if hook_id.isdecimal() else None
    if found is None or found.dialect != "gitlab":
        raise Refusal(404, "404 Not found")
    return found


def hooks(call: Call) -> Response:
    """`GET .../hooks`; without secrets."""
    listed = [shapes.hook(each) for each in call.repo.hooks.values() if each.dialect == "gitlab"]
    return answer_list(call, listed, "/hooks")


def hook(call: Call, hook_id: str) -> Response:
    """`GET .../hooks/:hook_id`."""
    return answer_json(shapes.hook(_hook(call, hook_id)))


def hook_events(call: Call, hook_id: str) -> Response:
    """`GET .../hooks/:hook_id/events?status=`, newest first, for seven days.

    `status` is a code or one of successful, client_failure, server_failure.
    """
    found = call.host.post.of_hook(_hook(call, hook_id).id)
    kept = [each for each in found if each.delivered_at > call.now - KEPT_FOR]
    wanted = call.asked("status")
    fitting = [_event(each) for each in kept if not wanted or _is_asked_for(each, wanted)]
    return answer_list(call, fitting, f"/hooks/{hook_id}/events")


def _is_asked_for(delivery: Delivery, wanted: str) -> bool:
    spans = {"successful": (200, 300), "client_failure": (400, 500), "server_failure": (500, 600)}
    if wanted in spans:
        low, high = spans[wanted]
        return low <= delivery.status_code < high
    return wanted == str(delivery.status_code)


def _event(delivery: Delivery) -> Json:
    hidden = {"X-Gitlab-Token": "[REDACTED]"}
    headers = {key: hidden.get(key, value) for key, value in delivery.outgoing.headers.items()}
    status = str(delivery.status_code) if delivery.status_code else "internal error"
    body: Json = {
        "id": delivery.id,
        "url": delivery.outgoing.url,
        "trigger": f"{delivery.event}_hooks",
        "request_headers": headers,
        "request_data": _data(delivery),
        "response_headers": {},
        "response_body": "",
        "execution_duration": round(delivery.duration, 3),
        "response_status": status,
    }
    return body | {"created_at": iso(delivery.delivered_at, milliseconds=True)}


def _data(delivery: Delivery) -> object:
    parsed: object = json.loads(delivery.outgoing.body)
    return parsed


def resend(call: Call, hook_id: str, event_id: str) -> Response:
    """`POST .../hooks/:hook_id/events/:event_id/resend`: 201 with how it went; five in a minute.

    It keeps its Idempotency-Key.
    """
    hook_number = _hook(call, hook_id).id
    recent = [
        e for e in call.host.post.of_hook(hook_number) if e.redelivery and e.delivered_at > call.now - 60
    ]
    if len(recent) >= MOST_RESENDS:
        raise Refusal(429, "This endpoint has been requested too many times. Try again later.")
    try:
        found = call.host.post.find(hook_number, int(event_id) if event_id.isdecimal() else 0)
    except Unknown as error:
        raise Refusal(404, "404 Not found") from error
    call.host.post.redeliver(found)
    return answer_json({"response_status": 200}, 201)
