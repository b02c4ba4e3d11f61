"""The ways a release can go, each played again and again in one house, from rest to rest.

A path begins where it leaves the ways that other paths cover already: what is before that is not disturbed.
"""

from __future__ import annotations

from typing import ClassVar

from config.settings import Settings
from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour, Failure
from tests.chaos.killable import KillableHouse
from tests.chaos.promises import check_release, check_rest
from tests.flow.house import DOMAIN, settings
from workers.errors import NotAllowed
from workers.releases.model import Cause, Release
from workers.releases.status import Status

REST_SECONDS = 400.0
"""Longer than an open create has to be waited for, and than what goes needs to go."""


class Path:
    """One way. `ready` comes before the crash, `play` meets it, `check` and `restore` come after it."""

    fresh: ClassVar = False
    """Every trial needs a house where nothing was released yet."""
    behaviour: ClassVar[Behaviour] = Behaviour()
    config: ClassVar[dict[str, object]] = {}

    def settings(self) -> Settings:
        """Return the project's settings: quick ones, with what this path needs."""
        quick: dict[str, object] = {"observe": {"for": 0.4}, "verify": {"within": 15.0}}
        return settings(**quick | self.config)

    def begin(self, house: KillableHouse) -> None:
        """Bring a new house to where the first trial starts: something is live."""
        if not self.fresh:
            push(house)
            house.run_on(seconds=REST_SECONDS)
        self.former = house.reading.lane(house.lane).lane.live

    def ready(self, house: KillableHouse) -> None:
        """Bring the house to the point where trouble may begin."""

    def play(self, house: KillableHouse) -> None:
        """Go the way to its end, through every crash."""
        push(house, self.behaviour)

    def check(self, house: KillableHouse) -> None:
        """Hold what came of it to the promises: by default, the new release is live, the former parked."""
        release = house.newest()
        assert release.status is Status.LIVE, release.reason
        check_release(house, release)
        former = house.reading.release(self.former) if self.former else None
        assert former is None or former.status is Status.REPLACED
        check_rest(house, release, [each for each in (release, former) if each is not None])
        self.former = release.id

    def restore(self, house: KillableHouse) -> None:
        """Make the house ready for the next trial."""


class First(Path):
    """The first release of all."""

    fresh = True


class Replace(Path):
    """A release takes over; the former one is parked, and the one parked before it is retired."""


class MovedOn(Path):
    """The branch has moved on when the workspace is cloned: the commit is checked out."""

    def play(self, house: KillableHouse) -> None:
        """Push; only what differs from an ordinary release meets the crash."""
        push(house, moves_on=True)
        house.run_on(lambda: house.newest().step == "prepare")
        house.crossings.stop()


class FailsAt(Path):
    """The application fails at a step; the former release stays live."""

    def __init__(self, step: str, behaviour: Behaviour, true_reason: str) -> None:
        self.step = step
        self.broken = behaviour
        self.true_reason = true_reason

    def ready(self, house: KillableHouse) -> None:
        """Come to the step that fails."""
        push(house, self.broken)
        house.run_on(lambda: house.newest().step == self.step)

    def play(self, house: KillableHouse) -> None:
        """Fail."""
        house.run_on(lambda: not house.newest().unfinished)

    def check(self, house: KillableHouse) -> None:
        """It failed with its true cause, left nothing, and what was live is live."""
        release = house.newest()
        assert release.status is Status.FAILED, release
        assert release.failure is not None
        assert (release.failure.cause, release.failure.step) == (Cause.APPLICATION, self.step)
        assert self.true_reason in release.failure.message, release.failure
        check_release(house, release)
        assert [each.id for each in house.reading.failed()] == [release.id]
        self._check_former(house)
        house.reading.discard(release.id)

    def _check_former(self, house: KillableHouse) -> None:
        live = house.reading.release(self.former or "")
        check_rest(house, live, [live])


class FailsVerify(FailsAt):
    """The new version never answers its health check well."""

    config: ClassVar[dict[str, object]] = {"verify": {"within": 1.0}}

    def __init__(self) -> None:
        super().__init__("verify", Behaviour(answer=Answer(500, "down")), "answered 500, not 200")


class Returned(FailsAt):
    """The new version fails in production: the former connections are put back."""

    def __init__(self) -> None:
        super().__init__("switch", Behaviour(production=Answer(500, "down")), "answered 500")

    def check(self, house: KillableHouse) -> None:
        """It was taken back, and what was live is live."""
        release = house.newest()
        assert release.status is Status.ROLLED_BACK, release
        assert "probes of production failed in a row after the switch (answered 500)" in release.reason
        check_release(house, release)
        self._check_former(house)
        house.reading.discard(release.id)


class Cancelled(Path):
    """A person cancels while the tests run."""

    def ready(self, house: KillableHouse) -> None:
        """Come to a test that takes long."""
        push(house, Behaviour(seconds={"test": 60.0}))
        house.run_on(lambda: house.newest().step == "test")

    def play(self, house: KillableHouse) -> None:
        """Cancel until it is heard."""
        release = house.newest()
        house.through(lambda: self._cancel(house, release))
        house.run_on(lambda: not house.newest().unfinished)

    def _cancel(self, house: KillableHouse, release: Release) -> None:
        try:
            house.operations.cancel(release.id, actor="ann")
        except NotAllowed as error:
            assert "it is cancelled already" in str(error)  # noqa: PT017 - asked again after a crash

    def check(self, house: KillableHouse) -> None:
        """It is cancelled within two seconds beyond the crashes, and left nothing."""
        release = house.newest()
        assert (release.status, release.reason) == (Status.CANCELLED, "cancelled by ann")
        check_release(house, release)
        live = house.reading.release(self.former or "")
        check_rest(house, live, [live])


class Superseded(Path):
    """A newer commit comes while the tests run, and the running release gives way."""

    config: ClassVar[dict[str, object]] = {"supersede": "running"}

    def ready(self, house: KillableHouse) -> None:
        """Come to a test that takes long."""
        push(house, Behaviour(seconds={"test": 60.0}))
        house.run_on(lambda: house.newest().step == "test")
        self.older = house.newest().id

    def play(self, house: KillableHouse) -> None:
        """Push on until the older one has given way; how the newer one goes on is another path."""
        push(house)
        house.run_on(lambda: house.reading.release(self.older).cleanup == "gone")
        house.crossings.stop()

    def check(self, house: KillableHouse) -> None:
        """The older one is superseded, the newer one live."""
        older = house.reading.release(self.older)
        assert older.status is Status.SUPERSEDED
        check_release(house, older)
        super().check(house)


class TakenBack(Path):
    """A person rolls the live release back."""

    def ready(self, house: KillableHouse) -> None:
        """Let a second release go live."""
        push(house)
        house.run_on(seconds=REST_SECONDS)

    def play(self, house: KillableHouse) -> None:
        """Ask for the rollback until it is heard, and let it be done."""
        release = house.newest()
        house.through(lambda: self._roll_back(house, release))
        house.run_on(lambda: house.newest().status is not Status.LIVE)

    def _roll_back(self, house: KillableHouse, release: Release) -> None:
        try:
            house.operations.rollback(release.id, actor="ann", reason="wrong colour")
        except NotAllowed as error:
            assert "under way already" in str(error)  # noqa: PT017 - asked again after a crash

    def check(self, house: KillableHouse) -> None:
        """It is rolled back, the lane pinned, and the release before it live again."""
        release, former = house.newest(), house.reading.release(self.former or "")
        assert (release.status, release.reason) == (Status.ROLLED_BACK, "rolled back by ann: wrong colour")
        assert f"shop #{release.number} was rolled back" in house.sent
        pin = house.reading.lane(house.lane).lane.pin
        assert pin is not None
        assert pin["author"] == "ann"
        check_rest(house, former, [former])
        house.reading.discard(release.id)

    def restore(self, house: KillableHouse) -> None:
        """Take the pin off."""
        house.standing.unpin("shop")


class Retired(Path):
    """The parked release's time is over: its workspace goes."""

    config: ClassVar[dict[str, object]] = {"park": {"for": 3600.0}}

    def ready(self, house: KillableHouse) -> None:
        """Let a second release go live; the former one is parked."""
        push(house)
        house.run_on(seconds=REST_SECONDS)

    def play(self, house: KillableHouse) -> None:
        """Wait until it has been parked for long enough."""
        house.run_on(seconds=4000.0)

    def check(self, house: KillableHouse) -> None:
        """Only the live one stands."""
        release, former = house.newest(), house.reading.release(self.former or "")
        assert former.cleanup == "gone"
        check_rest(house, release, [release])
        self.former = release.id


class PutRight(Path):
    """A switch call that was never answered takes effect at rest, long after another release went live."""

    def ready(self, house: KillableHouse) -> None:
        """Lose a switch call, let two releases go live all the same, and let it be carried out then."""
        path = f"{house.sandbox.domain_path(DOMAIN)}/workspace-connections"
        house.sandbox.faults.add(Fault(method="PUT", path=path, broken="timeout"))
        push(house)
        house.run_on(seconds=REST_SECONDS)
        self.former = house.newest().id
        push(house)
        house.run_on(seconds=REST_SECONDS)
        lost = next(
            call for call in reversed(house.sandbox.calls) if call.method == "PUT" and not call.status
        )
        house.sandbox._direct("PUT", path, lost.body)
        house.sandbox.calls.clear()  # what was asked before the late call is asked again, and rightly

    def play(self, house: KillableHouse) -> None:
        """Look as a worker process does every few seconds, and let it be put right."""
        house.through(lambda: house.services.sentry.look())  # noqa: PLW0108 - another bot after each crash
        house.run_on(lambda: house.connections() == {"/": [house.newest().workspace_id]})

    def check(self, house: KillableHouse) -> None:
        """Production is right, the history says so once, people were told, and all stands as before."""
        number = house.newest().number
        assert sum("was put right" in line for line in house.said(number)) == 1, house.said(number)
        assert f"shop #{number} was put right" in house.sent  # a receiver may be told again after a crash
        super().check(house)


def push(house: KillableHouse, behaviour: Behaviour | None = None, *, moves_on: bool = False) -> None:
    """Commit and push; the Git host sends the delivery until it is answered.

    With `moves_on` the branch has a newer commit by then, of which nobody told the bot.
    """
    number = len(house.repository.commits) + 1
    before = house.repository.branches.get("main")
    commit = house.commit(f"change {number}", behaviour or Behaviour())
    if moves_on:
        house.commit(f"newer than change {number}")
    house.through(lambda: house.push(commit, before=before, delivery=f"push-{number}"))


PATHS = {
    "first": First(),
    "replace": Replace(),
    "moved on": MovedOn(),
    "fails at prepare": FailsAt("prepare", Behaviour(failures=(Failure("prepare"),)), "prepare"),
    "fails at test": FailsAt("test", Behaviour(failures=(Failure("test"),)), "test"),
    "fails at run": FailsAt("run", Behaviour(failures=(Failure("run", after=0.1),)), "run"),
    "fails at verify": FailsVerify(),
    "returned": Returned(),
    "cancelled": Cancelled(),
    "superseded": Superseded(),
    "taken back": TakenBack(),
    "retired": Retired(),
    "put right": PutRight(),
}
