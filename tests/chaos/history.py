"""A house for random histories: time stands still unless somebody lets it pass, and two bots share the work.

What happens to it is told by `test_histories.py`; here is what it can do, and what must hold at any moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise

from config.settings import Settings
from sandbox.scripted.behaviour import Behaviour
from tests.chaos.killable import KillableHouse
from tests.chaos.pausing import PausingCrossings, Told
from tests.chaos.witness import PATH, Witness, is_connected
from tests.flow.house import DOMAIN
from workers import wiring
from workers.errors import NotAllowed, NotFound
from workers.flow.operations import Operations
from workers.notices.drain import Drain
from workers.releases.identity import is_ours
from workers.releases.intake import Verdict
from workers.releases.model import Release
from workers.releases.status import ALLOWED, Status
from workers.store.keyspace import key
from workers.store.probes import Watch

AT_REST = ("gone", "in use", "nothing was made", "left:", "taken over by")
"""What clean-up says once it has nothing more to do."""


class HistoryHouse(KillableHouse):
    """A killable house whose clock moves only when it is told to, with a second bot at hand."""

    begins_at = 1_900_000_000.0

    def __init__(self, store_url: str, config: Settings) -> None:
        self._began = False
        self.pausing: PausingCrossings
        self._second: wiring.Services
        self.witness: Witness
        self.told: list[Told] = []
        self.foreigners: set[int] = set()
        """Workspaces that somebody else made."""
        self.deleted_by_hand: set[int] = set()
        self.ever: list[list[int] | None] = [None]
        """Everything that production's path ever led to."""
        self.put: list[list[int] | None] = [None]
        """What of it we put there."""
        self.lost: list[dict[str, list[int]]] = []
        """Switches that nobody answered and that had no effect so far."""
        self.late = False
        """The last change of production's path was such a switch, carried out late."""
        self.cancelled: set[str] = set()
        """Releases whose cancel was taken."""
        self.may_not_switch: set[str] = set()
        self.standing_why = ""
        self._lines: dict[str, list[str]] = {}
        self._fences: dict[str, int] = {}
        super().__init__(store_url, config)

    # The bots.

    def begin(self) -> None:
        """Start both bots (again)."""
        if not self._began:
            self._began = True
            self.crossings = self.pausing = PausingCrossings()
            self.witness = Witness(self.transport, self)
            self.transport = self.witness
        else:
            self._second.close()
        super().begin()
        self.operations = Operations(
            self.services.store, self.services.reading, lambda: self.settings.projects, dict
        )
        self._second = wiring.build(
            self.settings,
            redis_url=self.store_url,
            offset=self.offset,
            transport=self.transport,
            clock=self.clock,
        )
        self._second_drain = Drain(self._second.outbox, lambda _: self)
        self._second_watches: dict[str, Watch] = {}
        self._second_probed: dict[str, float] = {}

    def close(self) -> None:
        """Close every connection."""
        self._second.close()
        super().close()

    def second_works(self, seconds: float) -> None:
        """The bot at work is stopped where it is; time passes, and the other one goes on alone."""
        with self._as_the_other():
            self.rest(seconds)

    @contextmanager
    def _as_the_other(self) -> Iterator[None]:
        """Let the other bot do what the one at work would."""
        self._change_places()
        try:
            yield
        finally:
            self._change_places()

    def _change_places(self) -> None:
        resting = self._second, self._second_drain, self._second_watches, self._second_probed
        self._second, self._second_drain = self.services, self._drain
        self._second_watches, self._second_probed = self._watches, self._probed
        self.services, self._drain, self._watches, self._probed = resting

    def work(self, seconds: float) -> None:
        """Let time pass with the bot at work, through every crash."""
        end = self.clock() + seconds
        self.through(lambda: self.run(seconds=max(end - self.clock(), 0.0)))
        self.jump(end - self.clock())

    # The Git host.

    def tell(self, told: Told, *, again: str | None = None) -> Verdict:
        """Deliver an event until it is answered, under a new id or under the id of a former delivery."""
        delivery = again or f"event-{self.told.index(told)}-{len(told.ids)}"
        if again is None:
            told.ids.append(delivery)
        return self.through(
            lambda: self.push(
                told.commit,
                before=told.before,
                branch=told.branch,
                forced=told.forced,
                at=told.at,
                delivery=delivery,
            )
        )

    def pushed(self, branch: str, behaviour: Behaviour, **more: object) -> Told:
        """Push a new commit, and do not tell the bot yet."""
        before = self.repository.branches.get(branch)
        number = len(self.repository.commits) + 1
        parent = before or next(iter(self.repository.branches.values()), None)
        commit = self.commit(f"change {number}", behaviour, branch=branch, parent=parent, **more)
        return self._told(Told(commit, before, branch, self._host_time()))

    def moved_back(self, branch: str, commit: str) -> Told:
        """Force a branch back to a commit, and do not tell the bot yet."""
        before = self.repository.branches.get(branch)
        self.repository.move(branch, commit)
        return self._told(Told(commit, before, branch, self._host_time(), forced=True))

    def _host_time(self) -> float:
        """Return the host's time: its own clock never goes back, and no two pushes happen in one second."""
        self.jump(1.0)
        last = self.told[-1].at if self.told else 0.0
        return max(float(int(self.clock())), last + 1.0)

    def _told(self, told: Told) -> Told:
        self.told.append(told)
        return told

    # People.

    def ask(self, act: Callable[[], object]) -> bool:
        """Let a person ask for something until it is answered; False when it was refused."""
        try:
            self.through(act)
        except (NotAllowed, NotFound):
            return False
        return True

    def cancel(self, release: Release) -> None:
        """Cancel a release; if that is taken, it must never switch."""
        if self.ask(lambda: self.operations.cancel(release.id, actor="ann")):
            self.cancelled.add(release.id)

    def freeze(self, seconds: float | None) -> None:
        """Freeze the project; only a switch that has begun may go on."""
        until = None if seconds is None else self.clock() + seconds
        self.standing.freeze("shop", author="ann", reason="a freeze", until=until)
        if until is None:
            begun = {release.id for release in self.releases() if release.past_switch}
            self.may_not_switch = {release.id for release in self.releases()} - begun
            self.standing_why = "the project was frozen"

    def lift(self) -> None:
        """Take away whatever stands in the way of releases."""
        self.standing.unfreeze("shop")
        self.standing.unpin("shop")
        self.standing.release_hold("shop")
        self.may_not_switch = set()

    def edit(self, path: str, ids: Sequence[int]) -> None:
        """Somebody edits the domain."""
        connections = {other: there for other, there in self.connections().items() if other != path}
        if ids:
            connections[path] = list(ids)
        self.connect(connections)
        if path == PATH:
            self.late = False
            self.ever.append(list(ids) or None)

    def carry_out_late(self, which: int) -> None:
        """The platform carries out a switch that went unanswered; a worker's sentry looks a little later."""
        wanted = self.lost.pop(which % len(self.lost))
        with suppress(ValueError):  # it names a workspace that is gone: the platform refuses it
            path = f"{self.sandbox.domain_path(DOMAIN)}/workspace-connections"
            self.sandbox._direct("PUT", path, wanted)
            self.late = True
            self.ever.append(wanted.get(PATH))
            self.put.append(wanted.get(PATH))
        self.look_at_rest()

    def look_at_rest(self) -> None:
        """Do what a worker process does every few seconds while nothing runs."""
        self.through(lambda: self.services.sentry.look())  # noqa: PLW0108 - another bot after each crash

    def delete_by_hand(self, workspace_id: int) -> None:
        """Somebody deletes a workspace that no domain names."""
        if not is_connected(self, workspace_id):
            self.sandbox._direct("DELETE", f"/workspaces/{workspace_id}")
            self.deleted_by_hand.add(workspace_id)
            self.foreigners.discard(workspace_id)

    # What there is.

    def releases(self) -> list[Release]:
        """Return all releases, oldest first."""
        return self.reading.releases([str(each) for each in self.client.zrange(key("releases"), 0, -1)])

    def ours(self) -> list[int]:
        """Return the workspaces that stand and carry our mark."""
        rows = self.sandbox.platform.workspaces.items()
        return [id_ for id_, row in rows if is_ours(str(row.fields.get("welcomeMessage")))]

    # What must hold at any moment.

    def check(self) -> None:
        """Hold the house to the promises that can be seen from outside at any moment."""
        assert not self.witness.broken, self.witness.broken
        releases = self.releases()
        raw = self._raw(releases)
        self._histories_only_grow(releases)
        for release, (fence, due) in zip(releases, raw, strict=True):
            assert int(fence or 0) >= self._fences.get(release.id, 0), f"the fence of #{release.number} fell"
            self._fences[release.id] = int(fence or 0)
            busy = release.unfinished or release.operation is not None
            cleaning = not release.unfinished and not (release.cleanup or "nothing").startswith(AT_REST)
            if busy or (cleaning and release.started_at is not None):
                assert due is not None, f"#{release.number} is never looked at again: {release}"
            if release.id in self.cancelled:
                assert release.status not in (Status.LIVE, Status.REPLACED), release
        self._one_in_the_lane(releases)
        self._pushes_make_releases_in_order(releases)

    def _raw(self, releases: Sequence[Release]) -> list[tuple[str | None, float | None]]:
        with self.client.pipeline(transaction=False) as pipeline:
            for release in releases:
                pipeline.hget(key("release", release.id), "fence")
                pipeline.zscore(key("due"), release.id)
            found = pipeline.execute()
        return list(zip(found[::2], found[1::2], strict=True))

    def _histories_only_grow(self, releases: Sequence[Release]) -> None:
        with self.client.pipeline(transaction=False) as pipeline:
            for release in releases:
                pipeline.lrange(key("events", release.id), 0, -1)
            found = pipeline.execute()
        for release, lines in zip(releases, found, strict=True):
            known = self._lines.get(release.id, [])
            assert lines[: len(known)] == known, f"the history of #{release.number} was rewritten"
            if len(lines) == len(known):
                continue
            self._lines[release.id] = lines
            bodies = [json.loads(line.partition("|")[2]) for line in lines]
            statuses = [Status(body["status"]) for body in bodies if body["type"] == "status"]
            assert statuses[0] is Status.QUEUED
            assert all(to in ALLOWED[former] for former, to in pairwise(statuses)), statuses
            assert statuses[-1] is release.status

    def _one_in_the_lane(self, releases: Sequence[Release]) -> None:
        running = [release for release in releases if release.status is Status.RUNNING]
        live = [release for release in releases if release.status is Status.LIVE]
        assert len(running) <= 1, [release.number for release in running]
        assert len(live) <= 1, [release.number for release in live]
        lane = self.reading.lane(self.lane) if releases else None
        if lane is not None:
            assert lane.lane.running == (running[0].id if running else None)
            assert lane.lane.live == (live[0].id if live else None)
        for lock in self.client.keys(key("target", "*")):
            holder = self.reading.release(str(self.client.hget(lock, "release")))
            assert holder.unfinished or holder.operation is not None, f"{holder} holds the target for ever"

    def _pushes_make_releases_in_order(self, releases: Sequence[Release]) -> None:
        made: dict[str, list[float]] = {}
        events = {delivery: told for told in self.told for delivery in told.ids}
        seen: set[int] = set()
        for release in sorted(releases, key=lambda release: release.order):
            if release.trigger.kind != "push":
                continue
            told = events[release.trigger.delivery or ""]
            assert id(told) not in seen, f"P2: an event made a second release, #{release.number}"
            seen.add(id(told))
            made.setdefault(told.branch, []).append(told.at)
        for branch, times in made.items():
            assert times == sorted(times), f"P5: {branch} was released in the order {times}"

    def newest_told(self, branch: str) -> Told | None:
        """Return the newest event of a branch that was delivered, by the host's time."""
        delivered = [told for told in self.told if told.branch == branch and told.ids]
        return max(delivered, key=lambda told: told.at, default=None)

    # What must hold once everything is at rest.

    def come_to_rest(self) -> None:
        """Lift all that stands in the way, and let time pass until nothing more happens."""
        self.crossings.stop()
        self.sandbox.faults.clear()
        for told in self.told:
            if not told.ids:
                self.tell(told)
        for _ in range(6):
            self.lift()
            self.work(2000.0)
            for release in self.releases():
                if release.status is Status.QUEUED and "taken back" in (release.blocked_by or ""):
                    self.cancel(release)
        self.look_at_rest()
        self.work(8 * 3600.0)

    def check_rest(self) -> None:
        """Hold the house to the promises about how everything ends."""
        self.check()
        releases = self.releases()
        for release in releases:
            assert not release.unfinished, f"P8: it never ends: {release}"
            assert release.operation is None, f"P8: its rollback never ends: {release}"
        assert not self.client.keys(key("target", "*")), "a lock was left"
        assert not self.client.zcard(key("probes")), "somebody still probes"
        if self.late and releases:
            lane = self.reading.lane(self.lane).lane
            right = {path: list(ids) for path, ids in (lane.standing or {}).items()}
            there = self.connections().get(PATH)
            assert lane.standing is None or there == right.get(PATH), f"P4: a late switch stands: {there}"
        live = next((release for release in releases if release.status is Status.LIVE), None)
        standing = {id_ for id_ in self.ours() if not is_connected(self, id_)}
        expected = {live.workspace_id} if live else set()
        assert standing <= expected, f"P7: left behind {standing - expected}"
        named = {str(workspace) for workspace in self.ours()}
        assert set(self.reading.ledger()) - {str(each) for each in self.deleted_by_hand} <= named
        assert self._still_waiting(releases) == set()
        top = max(releases, key=lambda release: release.order, default=None)
        if top is not None:
            assert top.status not in (Status.SUPERSEDED, Status.REPLACED), f"P5: the newest is {top}"

    def _still_waiting(self, releases: Sequence[Release]) -> set[str]:
        """Return what is due although nothing is left to do; a workspace that a domain names is looked at."""
        names = {release.id: release for release in releases}
        due = {str(each) for each in self.client.zrange(key("due"), 0, -1)}
        return {
            each for each in due if each not in names or not is_connected(self, names[each].workspace_id or 0)
        }


def domain_edit(house: HistoryHouse, choice: int) -> tuple[int, ...]:
    """Return what somebody might lead a path to: nothing, a workspace of theirs or of ours, or two."""
    there = sorted(house.sandbox.platform.workspaces)
    if choice == 0 or not there:
        return ()
    if choice == 1:
        return (there[-1], there[0]) if len(there) > 1 else (there[0],)
    return (there[choice % len(there)],)


__all__ = ["DOMAIN", "HistoryHouse", "Told", "domain_edit"]
