"""Every Redis key that Switchover uses, spelled once. Lua gets the same names from here.

Keys are built inside the scripts from values that only the script knows (the other releases of a lane),
so Redis Cluster is not supported; one primary with replicas (and Sentinel) is.
"""

from __future__ import annotations

PREFIX = "switchover:"

PATTERNS: dict[str, str] = {
    # releases
    "release": "release:{}",  # hash: facts, state, status, reason, lease, stop request
    "events": "events:{}",  # list: "<ms>|<json>", the history of a release, oldest first
    "due": "due",  # sorted set: release by the time (ms) of its next look
    "lateness": "lateness",  # hash: upper bound (ms, or "inf") to looks that were so late
    "releases": "releases",  # sorted set: release by sequence
    "project_releases": "releases:project:{}",  # the same for one project
    "status_releases": "releases:status:{}",  # the same for one status
    "sequence": "sequence",  # counter behind the three
    "numbers": "numbers",  # hash: project to its last release number
    "usual": "usual:{}:{}",  # list: how long (ms) a step of a project took the last times, newest first
    "configs": "configs",  # hash: digest to the settings of a project, as JSON
    "schema": "schema",  # version of what is stored
    # lanes and targets
    "lanes": "lanes",  # set of lanes
    "lane": "lane:{}",  # hash: running, live, orders, target, connections, drift, pin, hold
    "queued": "lane:{}:queued",  # sorted set: queued release by order
    "parked": "lane:{}:parked",  # sorted set: replaced release by the time (ms) it was replaced
    "barred": "lane:{}:barred",  # set: commits that an automatic return took back
    "lane_failed": "lane:{}:failed",  # sorted set: failed release by order
    "failed": "failed",  # sorted set: failed release by the time (ms) it failed
    "target": "target:{}",  # hash: release that holds the target's lock, since (ms)
    "sent": "sent:{}",  # sorted set: unanswered switch call to a target (JSON) by the time (ms) it was sent
    "freeze": "freeze:{}",  # JSON: a project's freeze
    # what a ref was last moved to
    "ref": "ref:{}:{}",  # hash: commit, time, back, arrived (ms)
    "ref_commit": "ref:{}:{}:commit:{}",  # hash: release, before, time
    "ref_child": "ref:{}:{}:child:{}",  # the commit that was pushed on top of this one
    # what was looked for at the Git hosts
    "heard": "heard:{}",  # hash: ref of a project to the commit that its rules last kept from being released
    "looked": "looked:{}",  # hash: repository and push patterns with which a project was last looked after
    "sweeps": "sweeps",  # sorted set: kind of look, host and repository by the time (ms) of the next look
    "sweep": "sweep:{}",  # hash: what one of them found last and waits to see again; how far the log was read
    "redelivered": "redelivered:{}",  # sorted set: delivery of a host by the time (ms) we had it sent again
    "schedules": "schedules",  # hash: project and schedule to the time (s) that was last dealt with
    # deliveries
    "delivery": "delivery:{}",  # hash: facts, verdict, reason, releases, event
    "deliveries": "deliveries",  # sorted set: delivery by the time (us) it came
    "verdicts": "verdicts",  # hash: verdict to how many
    "last_deliveries": "deliveries:last",  # hash: host to the delivery that it sent last
    "secret_uses": "secrets:{}",  # hash: fingerprint of a host's secret to the time (ms) it last verified one
    # what has to be found out before a project's decision is made; an inquiry is named delivery/project
    "inquiry": "inquiry:{}",  # hash: document (the event), delivery, project, asked_at (ms), errors
    "inquiries": "inquiries",  # sorted set: inquiry by the time (ms) of its next look
    "waiting": "waiting:{}:{}",  # set: inquiries of a project that wait for CI of a commit
    "tip": "tip:{}:{}",  # hash: newest commit of a ref on which CI is awaited, before, time, arrived
    "named": "named:{}:{}",  # hash: ref to "<ms>|<JSON of the push>", by project and commit
    "green": "green:{}:{}",  # set: checks that events told to be green, for a project and a commit
    "repository_ids": "repository-ids",  # hash: project, host and repository to its id
    # notices
    "outbox": "outbox:{}",  # list: notices for one receiver, oldest first
    "outbox_state": "outbox:{}:state",  # hash: tries, busy_until
    "outbox_due": "outbox-due",  # sorted set: receiver by the time (ms) of its next try
    "report": "report:{}",  # hash: what a release's Git host was told: status, deployment, stands, creating
    # probing production
    "probe": "probe:{}",  # hash: specification, holder and tally of one release's probes
    "probes": "probes",  # sorted set: release by the time (ms) its prober's lease ends
    # processes and people
    "workers": "workers",  # sorted set: worker process by the time (ms) it was last seen
    "chore": "chore:{}",  # whose turn a chore was, until it is due again
    "ledger": "ledger",  # hash: workspace that we made, to what we know of it (JSON)
    "review": "review",  # JSON: what the last reconciliation of the ledger with the platforms found
    "generation": "generation",  # counts how often the configuration was asked to be read again
    "session": "session:{}",  # a temporary token, by its digest
    "idempotency": "idempotency:{}",  # what an Idempotency-Key made
}

QUEUE = "advance"
"""Name of the Celery queue; its list in Redis is `PREFIX + "celery:" + QUEUE`."""
BROKER_PREFIX = PREFIX + "celery:"


def key(name: str, *parts: str) -> str:
    """Return the full key of the pattern `name`, filled with `parts`."""
    return PREFIX + PATTERNS[name].format(*parts)


def lua_functions() -> str:
    """Return Lua source that defines `key_<name>(...)` for every pattern."""
    return "\n".join(_lua_function(name, pattern) for name, pattern in PATTERNS.items()) + (
        f'\nlocal function key_queue() return "{BROKER_PREFIX}{QUEUE}" end\n'
    )


def _lua_function(name: str, pattern: str) -> str:
    pieces = (PREFIX + pattern).split("{}")
    parameters = [f"a{index}" for index in range(len(pieces) - 1)]
    expression = f'"{pieces[0]}"'
    for parameter, piece in zip(parameters, pieces[1:], strict=True):
        expression += f" .. {parameter}" + (f' .. "{piece}"' if piece else "")
    return f"local function key_{name}({', '.join(parameters)}) return {expression} end"
