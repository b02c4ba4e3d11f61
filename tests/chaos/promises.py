"""What must hold once everything is at rest again, whatever died on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tests.chaos.killable import KillableHouse
from tests.flow.house import DOMAIN
from workers.releases.model import Release
from workers.releases.status import ALLOWED, Status
from workers.store.keyspace import key

NOTICES = {
    Status.LIVE: "is live",
    Status.REPLACED: "is live",
    Status.FAILED: "failed",
    Status.ROLLED_BACK: "was rolled back",
}


def check_release(house: KillableHouse, release: Release) -> None:
    """Hold one ended release to the promises about its history, its workspaces and its notices."""
    _history_is_readable(house, release)
    ending = NOTICES.get(release.status)
    if ending is not None:
        assert any(title == f"shop #{release.number} {ending}" for title in house.sent), house.sent
    assert house.client.hget(key("release", release.id), "owner") is None, "the lease was not let go"
    if release.status in (Status.LIVE, Status.REPLACED):
        assert release.downtime is not None
        # Where nothing stood before, there is nothing that could answer until the switch.
        assert release.previous is None or release.downtime.failed == 0, release.downtime
        statuses = {name: str(release.record(name).status) for name in ("create", "verify", "switch")}
        assert set(statuses.values()) == {"done"}, statuses


def check_rest(house: KillableHouse, live: Release | None, standing: Sequence[Release]) -> None:
    """Hold the whole house to the promises: what is live, what stands, that nobody holds or waits."""
    assert house.twins() <= 0, "a release made a second workspace"
    workspaces = sorted(release.workspace_id or 0 for release in standing)
    assert house.workspaces() == workspaces, (house.workspaces(), workspaces)
    assert sorted(int(workspace) for workspace in house.reading.ledger()) == workspaces
    if live is not None:
        assert live.status is Status.LIVE, live
        assert house.connections() == {"/": [live.workspace_id]}
        home = house.sandbox.platform.workspaces[live.workspace_id or 0].home
        assert home.head() == live.commit
        assert house.served() == live.commit
    lane = house.reading.lane("shop@" + DOMAIN)
    assert lane.lane.running is None
    assert lane.lane.live == (live.id if live else None)
    assert lane.lane.hold is None, lane.lane.hold
    assert lane.queued == ()
    assert not house.client.keys(key("target", "*")), "the target's lock was left"
    assert not house.client.zcard(key("probes")), "somebody still probes"
    parked = {release.id for release in standing if release.status is Status.REPLACED}
    assert set(lane.parked) == parked
    assert set(house.client.zrange(key("due"), 0, -1)) == parked


def check_nothing_was_done_twice(house: KillableHouse) -> None:
    """Hold a bot that only crashed to it: what the platform has carried out is not asked for again."""
    changing = [call for call in house.sandbox.calls if call.method != "GET" and "execute" not in call.path]
    done = Counter((call.method, call.path, str(call.body)) for call in changing)
    twice = [what for what, times in done.items() if times > 1]
    assert not twice, f"asked twice: {twice}"


def _history_is_readable(house: KillableHouse, release: Release) -> None:
    lines = house.reading.history(release.id)
    times = [line.at for line in lines]
    assert times == sorted(times), "the history goes back in time"
    statuses = [Status(line.body["status"]) for line in lines if line.body["type"] == "status"]
    assert statuses[0] is Status.QUEUED
    assert all(to in ALLOWED[former] for former, to in pairwise(statuses)), statuses
    assert statuses[-1] is release.status
    steps = [(line.body["step"], line.body["status"]) for line in lines if line.body["type"] == "step"]
    assert len(steps) == len(set(steps)), f"a step was told twice: {steps}"
    names = [name for name, status in steps if status == "running"]
    assert names == [record.name for record in release.steps if record.started_at is not None], names
