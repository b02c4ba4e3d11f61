"""Random histories: whatever happens in whatever order, the promises hold at every step and at the end."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour, Failure
from sandbox.scripted.ci_files import flat_ci, landscape_ci
from tests.chaos.history import HistoryHouse, Told, domain_edit
from tests.flow.house import settings
from tests.thoroughness import one_in
from workers.releases.model import Release
from workers.store.connection import connect

ENOUGH_STEPS = 10_000
LONG_HISTORIES, LONG_STEPS = 260, 40
PHASES = (Phase.generate, Phase.shrink)
Figure = Callable[[str, int, int], None]

GOOD = Behaviour(step_seconds=0.0)
BEHAVIOURS = {
    "good": GOOD,
    "fails at prepare": Behaviour(step_seconds=0.0, failures=(Failure("prepare"),)),
    "fails at test": Behaviour(step_seconds=0.0, failures=(Failure("test"),)),
    "fails at run": Behaviour(step_seconds=0.0, failures=(Failure("run", after=0.1),)),
    "fails on a replica": Behaviour(step_seconds=0.0, failures=(Failure("run", replica=1, after=0.2),)),
    "is not healthy": Behaviour(step_seconds=0.0, answer=Answer(500, "down")),
    "fails in production": Behaviour(step_seconds=0.0, production=Answer(500, "down")),
    "is slow": Behaviour(step_seconds=0.0, seconds={"test": 40.0}),
}
FILES = {"flat": flat_ci(), "landscape": landscape_ci(), "replicas": landscape_ci({"web": 2})}
FAULTS: dict[str, dict[str, Any]] = {
    "503 before": {"status": 503},
    "500 after": {"status": 500, "after": True},
    "time-out before": {"broken": "timeout"},
    "time-out after": {"broken": "timeout", "after": True},
    "429": {"status": 429, "retry_after": 7.0},
    "reset before": {"broken": "reset"},
    "reset after": {"broken": "reset", "after": True},
    "slow": {"latency": 3.0, "after": True},
}
CALLS = {
    "all": ("*", ".*"),
    "create": ("POST", "/workspaces"),
    "list": ("GET", "/workspaces/team/.*"),
    "stages": ("*", "/workspaces/[0-9]+/pipeline/.*"),
    "connect": ("PUT", ".*/workspace-connections"),
    "domain": ("GET", "/domains/.*"),
    "delete": ("DELETE", "/workspaces/.*"),
}
WHICH = st.integers(0, 7)
AT = st.integers(0, 150)
"""So many crossings from now."""
BUSY_SECONDS = 6.0
"""Longer than an undisturbed release takes."""
PLACES = [
    "after store move running switch lock",
    "before PUT",
    "after PUT",
    "before DELETE",
    "before POST /workspaces",
    "before store move live",
]
"""Crossings by which there is most to break."""
MEANWHILE = ["second bot", "second bot", "cancel", "freeze", "push", "rollback", "retry"]
BRANCH = st.sampled_from(["main", "main", "release/1"])
NONE: Mapping[str, st.SearchStrategy[Any]] = {}
EVENTS: Mapping[str, tuple[int, Mapping[str, st.SearchStrategy[Any]]]] = {
    "push": (
        8,
        {
            "branch": BRANCH,
            "behaviour": st.sampled_from(["good"] * 6 + list(BEHAVIOURS)),
            "files": st.sampled_from(list(FILES)),
            "now": st.sampled_from([True, True, True, False]),
        },
    ),
    "force_back": (2, {"which": WHICH, "branch": BRANCH}),
    "deliver_late": (3, {"which": WHICH}),
    "deliver_again": (6, {"which": st.sampled_from([0, 0, 0, 1, 2, 3]), "same_id": st.booleans()}),
    "start": (2, {"which": WHICH}),
    "cancel": (3, {"which": st.integers(0, 2)}),
    "retry": (3, {"which": WHICH, "force": st.booleans()}),
    "retry_all": (1, NONE),
    "roll_back": (4, {"to": st.none() | WHICH, "pin": st.booleans(), "force": st.booleans()}),
    "freeze": (3, {"seconds": st.sampled_from([None, 60.0])}),
    "lift": (5, NONE),
    "edit_domain": (2, {"other_path": st.booleans(), "choice": st.integers(0, 5)}),
    "make_a_workspace": (1, NONE),
    "delete_a_workspace": (1, {"which": WHICH}),
    "platform_fails": (
        4,
        {
            "kind": st.sampled_from(list(FAULTS)),
            "call": st.sampled_from(list(CALLS)),
            "lasting": st.sampled_from([False, False, True]),
        },
    ),
    "platform_recovers": (3, NONE),
    "switch_comes_late": (4, {"which": WHICH}),
    "crash": (4, {"at": AT}),
    "meanwhile": (
        6,
        {
            "at": AT | st.sampled_from(PLACES),
            "what": st.sampled_from(MEANWHILE),
            "seconds": st.sampled_from([1.0, 4.0, 10.0]),
        },
    ),
    "work": (22, {"seconds": st.sampled_from([30.0, 0.5, 1.0, 2.0, 5.0, 60.0])}),
    "work_long": (2, {"seconds": st.sampled_from([600.0, 7200.0])}),
    "nobody_works": (2, {"seconds": st.sampled_from([1.0, 5.0, 200.0, 7200.0])}),
    "clock_goes_back": (1, NONE),
    "second_works": (3, {"seconds": st.sampled_from([2.0, 20.0])}),
}
"""What may happen: how often (about), and with what. One rule draws them all, so that none is left out."""

HAPPENINGS = st.sampled_from([name for name, (weight, _) in EVENTS.items() for _ in range(weight)]).flatmap(
    lambda name: st.tuples(st.just(name), st.fixed_dictionaries(dict(EVENTS[name][1])))
)


class Histories(RuleBasedStateMachine):
    """What people, hosts, platforms and machines may do to a bot."""

    store_url: ClassVar[str]
    steps: ClassVar[int] = 0
    house: HistoryHouse
    well = False
    """The last thing that happened broke no promise."""

    @initialize(
        supersede=st.sampled_from(["queued", "running"]),
        keep=st.integers(0, 2),
        keep_failed=st.sampled_from([0.0, 1800.0]),
        begun=st.sampled_from([2, 1, 0]),
    )
    def open(self, supersede: str, keep: int, keep_failed: float, begun: int) -> None:
        client = connect(self.store_url)
        client.flushall()
        client.close()
        random.seed(0)
        minute = {"timeout": 60.0}
        config = settings(
            supersede=supersede,
            observe={"for": 0.4},
            verify={"within": 5.0},
            park={"keep": keep, "for": 3600.0},
            workspace={"keep_failed": keep_failed},
            stages={"create": {"timeout": 400.0}, "prepare": minute, "test": minute, "run": minute},
        )
        self.house = HistoryHouse(self.store_url, config)
        for _ in range(begun):  # releases that went live in peace
            self.push("main", "good", "flat", now=True)
            self.house.work(60.0)

    @rule(what=HAPPENINGS)
    def happens(self, what: tuple[str, dict[str, Any]]) -> None:
        """Let one thing happen."""
        name, how = what
        self.well = False
        getattr(self, name)(**how)

    # The Git host.

    def push(self, branch: str, behaviour: str, files: str, now: bool) -> None:
        told = self.house.pushed(branch, BEHAVIOURS[behaviour], files={"ci.yml": FILES[files]})
        if now:
            self._tell(told)

    def force_back(self, which: int, branch: str) -> None:
        commits = [told.commit for told in self.house.told if told.branch == branch]
        commits = [commit for commit in commits if commit != self.house.repository.branches[branch]]
        if commits:
            self._tell(self.house.moved_back(branch, commits[which % len(commits)]))

    def deliver_late(self, which: int) -> None:
        late = [told for told in self.house.told if not told.ids]
        if late:
            self._tell(late[which % len(late)])

    def deliver_again(self, which: int, same_id: bool) -> None:
        delivered = [told for told in self.house.told if told.ids]
        if not delivered:
            return
        told = delivered[-1 - which % len(delivered)]
        if not same_id:
            self._tell(told)
            return
        again = self.house.tell(told, again=told.ids[0])
        assert again.verdict == "duplicate"
        assert again.releases == told.verdicts[told.ids[0]].releases, "P2: an id made two sets of releases"

    def _tell(self, told: Told) -> None:
        house = self.house
        first, newest = not told.ids, house.newest_told(told.branch)
        must = first and (newest is None or (told.at > newest.at and told.commit != newest.commit))
        before = house.pausing.interludes, len(house.releases())
        verdict = house.tell(told)
        told.verdicts[told.ids[-1]] = verdict
        if house.pausing.interludes == before[0] and must:
            assert len(house.releases()) == before[1] + 1, f"P1: the newest commit was not taken: {verdict}"

    # People.

    def _pick(self, which: int) -> Release | None:
        releases = self.house.releases()
        return releases[-1 - which % len(releases)] if releases else None

    def start(self, which: int) -> None:
        told = self.house.told[-1 - which % len(self.house.told)] if self.house.told else None
        if told is not None:
            commit = told.commit
            self.house.ask(lambda: self.house.operations.start("shop", actor="ann", commit=commit))

    def cancel(self, which: int) -> None:
        release = self._pick(which)
        if release is not None:
            self.house.cancel(release)

    def retry(self, which: int, force: bool) -> None:
        release = self._pick(which)
        if release is not None:
            self.house.ask(lambda: self.house.operations.retry(release.id, actor="ann", force=force))

    def retry_all(self) -> None:
        self.house.ask(lambda: self.house.operations.retry_all(actor="ann"))

    def roll_back(self, to: int | None, pin: bool, force: bool) -> None:
        house = self.house
        live = house.reading.lane(house.lane).lane.live if house.releases() else None
        if live is None:
            return
        parked = house.reading.lane(house.lane).parked
        wanted = parked[to % len(parked)] if to is not None and parked else None
        house.ask(lambda: house.operations.rollback(live, actor="ann", to=wanted, pin=pin, force=force))

    def freeze(self, seconds: float | None) -> None:
        self.house.freeze(seconds)

    def lift(self) -> None:
        self.house.lift()

    def edit_domain(self, other_path: bool, choice: int) -> None:
        self.house.edit("/docs" if other_path else "/", domain_edit(self.house, choice))

    def make_a_workspace(self) -> None:
        self.house.foreigners.add(self.house.foreign(GOOD))

    def delete_a_workspace(self, which: int) -> None:
        there = self.house.workspaces()
        if there:
            self.house.delete_by_hand(there[which % len(there)])

    # Machines.

    def platform_fails(self, kind: str, call: str, lasting: bool) -> None:
        method, path = CALLS[call]
        times = None if lasting else 1
        self.house.sandbox.faults.add(Fault(method=method, path=path, times=times, **FAULTS[kind]))

    def platform_recovers(self) -> None:
        self.house.sandbox.faults.clear()

    def switch_comes_late(self, which: int) -> None:
        if not self.house.lost:
            self._be_busy()
            method, path = CALLS["connect"]
            self.house.sandbox.faults.add(Fault(method=method, path=path, broken="timeout"))
            self.house.work(BUSY_SECONDS + 15.0)
        if self.house.lost:
            self.house.carry_out_late(which)

    def crash(self, at: int) -> None:
        self._be_busy()
        self.house.pausing.kill_at(at)
        self.house.work(BUSY_SECONDS)

    def _be_busy(self) -> None:
        """Let a release be on its way, so that there is something to disturb."""
        releases = self.house.releases()
        if not releases or not releases[-1].unfinished:
            self.push("main", "good", "flat", now=True)

    def meanwhile(self, at: int | str, what: str, seconds: float) -> None:
        acts: dict[str, Callable[[], None]] = {
            "second bot": lambda: self.house.second_works(seconds),
            "cancel": lambda: self.cancel(0),
            "freeze": lambda: self.house.freeze(None),
            "push": lambda: self.push("main", "good", "flat", now=True),
            "rollback": lambda: self.roll_back(None, pin=True, force=False),
            "retry": lambda: self.retry(0, force=False),
        }
        self._be_busy()
        self.house.pausing.pause_at(at, acts[what])
        self.house.work(BUSY_SECONDS)

    def work(self, seconds: float) -> None:
        self.house.work(seconds)

    def work_long(self, seconds: float) -> None:
        self.house.work(seconds)

    def nobody_works(self, seconds: float) -> None:
        self.house.jump(seconds)

    def clock_goes_back(self) -> None:
        self.house._now -= 2.0

    def second_works(self, seconds: float) -> None:
        self.house.through(lambda: self.house.second_works(seconds))

    @invariant()
    def the_promises_hold(self) -> None:
        type(self).steps += 1
        self.house.check()
        self.well = True

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        try:
            if self.well:  # one broken promise is told once
                self.house.come_to_rest()
                self.house.check_rest()
        except AssertionError as error:
            error.add_note(self.house.describe())
            raise
        finally:
            self.house.close()


def tell_histories(
    store_url: str, number_of: int, steps: int, chance: int, phases: Sequence[Phase] = PHASES
) -> int:
    """Run so many histories; returns how many steps they had. A failing one is shrunk and printed."""

    class Seeded(Histories):
        pass

    Seeded.store_url = store_url
    run_state_machine_as_test(
        seed(chance)(Seeded),
        settings=profile(
            max_examples=number_of,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=True,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Seeded.steps


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chance", [1, 2, 3, 4])
def test_no_history_breaks_a_promise(store_url: str, chance: int, figure: Figure) -> None:
    steps = tell_histories(store_url, 4 // one_in(2), 40, chance)

    figure("random histories, steps (seeds 1 to 4)", steps, steps)


@pytest.mark.matrix
@pytest.mark.timeout(7200)
def test_ten_thousand_random_steps_break_no_promise(
    store_url: str, figure: Figure, pytestconfig: pytest.Config
) -> None:
    given = pytestconfig.getoption("--hypothesis-seed")
    chance = int(given) if given not in (None, "random") else secrets.randbits(32)

    try:
        steps = tell_histories(store_url, LONG_HISTORIES, LONG_STEPS, chance)
    except BaseException as error:
        error.add_note(f"again: pytest -m matrix --hypothesis-seed={chance}")
        raise

    figure(f"random histories, steps (seed {chance})", steps, steps)
    assert steps >= ENOUGH_STEPS
