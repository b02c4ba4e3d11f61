"""A whole bot in one thread: the real engine, scripts and store, the real driver, the sandbox in process.

Time is the store's, jumped ahead: nothing here waits. `House.run` does what the pump, Celery and the prober
do, one wake-up after the other, and jumps to whatever is due next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
import redis

from config.settings import Settings
from sandbox.core.platform import Timing
from sandbox.core.sandbox import Sandbox
from sandbox.scripted.behaviour import Behaviour
from sandbox.scripted.world import ScriptedWorld
from sandbox.transport import SandboxTransport
from workers import wiring
from workers.flow.admission import intake_of
from workers.flow.operations import Operations
from workers.flow.triggers import decide
from workers.releases.events import Change, DeliveryFacts, Event, RefType
from workers.releases.intake import Verdict
from workers.releases.model import Release
from workers.releases.status import Status
from workers.store.connection import connect
from workers.store.intake import IntakeStore
from workers.store.keyspace import key
from workers.store.probes import Watch
from workers.store.standing import StandingStore

REPOSITORY = "https://git.sandbox/acme/shop.git"
API_URL = "http://127.0.0.1:1/api"
DOMAIN = "shop.example.com"
MOST_WAKE_UPS = 20_000


def project(**changes: Any) -> dict[str, Any]:
    """Return a project that watches production for a second, changed as given (sections are merged)."""
    made: dict[str, Any] = {
        "host": "github",
        "repository": "acme/shop",
        "git": {"url": REPOSITORY},
        "triggers": [{"push": {"branches": ["main", "release/*"]}}],
        "target": {
            "platform": "codesphere",
            "team": 35,
            "plan": 8,
            "domain": DOMAIN,
            "public_url": f"http://{DOMAIN}",
        },
        "observe": {"for": 1.0},
        "notify": ["team"],
    }
    for name, value in changes.items():
        made[name] = {**made[name], **value} if isinstance(made.get(name), dict) else value
    return made


def settings(**changes: Any) -> Settings:
    """Return settings with one project `shop`, changed as given."""
    return settings_of(shop=project(**changes))


def settings_of(**projects: dict[str, Any]) -> Settings:
    """Return settings with these projects, a host, a platform and a receiver of every notice."""
    return Settings.model_validate(
        {
            "hosts": {"github": {"driver": "github", "secrets": ["x" * 20]}},
            "platforms": {
                "codesphere": {
                    "driver": "codesphere",
                    "api_url": API_URL,
                    "token": "sandbox-token",
                    "workspace_url": "http://{dev_domain}",
                }
            },
            "notices": {"team": {"url": "json://127.0.0.1:1"}},
            "projects": projects,
        }
    )


class House:
    """The bot and the world around it, with time in the test's hand."""

    begins_at: float | None = None
    """Seconds since 1970; None: as it is."""

    def __init__(self, store_url: str, config: Settings | None = None, timing: Timing | None = None) -> None:
        self.settings = config or settings()
        self.store_url = store_url
        self._now = time.time() if self.begins_at is None else self.begins_at
        self.world = ScriptedWorld()
        self.repository = self.world.repository(REPOSITORY)
        self.sandbox = Sandbox(self.world, self.clock, timing=timing)
        self.sandbox.add_domain(DOMAIN)
        self.transport: httpx.BaseTransport = SandboxTransport(
            self.sandbox, api_url=API_URL, sleep=self._pass
        )
        self.client: redis.Redis = connect(store_url)
        self.intake = IntakeStore(self.client, offset=self.offset)
        self.standing = StandingStore(self.client, offset=self.offset)
        self._visitor = httpx.Client(transport=self.transport)
        self._deliveries = 0
        self.begin()

    def begin(self) -> None:
        """Start the bot (again): everything in memory is new."""
        self.services = wiring.build(
            self.settings,
            redis_url=self.store_url,
            offset=self.offset,
            transport=self.transport,
            clock=self.clock,
        )
        self.reading = self.services.reading
        self.operations = Operations(
            self.services.store, self.reading, lambda: self.settings.projects, lambda: {"github": "github"}
        )
        self._watches: dict[str, Watch] = {}
        self._probed: dict[str, float] = {}

    def close(self) -> None:
        """Close every connection."""
        self._visitor.close()
        self.services.close()
        self.client.close()

    # Time.

    def offset(self) -> str:
        """Return the time for one call of the store: the next whole millisecond."""
        milliseconds = int(self._now * 1000) + 1
        self._now = milliseconds / 1000
        return f"@{milliseconds}"

    def clock(self) -> float:
        """Return the time that all share, in seconds. It stands still while the machine works."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._now += max(seconds, 0.0)

    def _pass(self, seconds: float) -> None:
        """Let a slow answer take its time; the worker's renewer keeps the leases meanwhile."""
        while seconds > 0:
            self.jump(min(seconds, 1.0))
            seconds -= 1.0
            self.services.renewer.renew_all()

    # The outside.

    def commit(self, message: str = "change", behaviour: Behaviour | None = None, **more: Any) -> str:
        """Commit to the repository without telling the bot."""
        return self.repository.commit(message, behaviour=behaviour, **more)

    def push(self, commit: str, *, before: str | None = None, **more: Any) -> Verdict:
        """Tell the bot, as a verified delivery does, that main was moved to a commit."""
        change = Change(
            more.pop("ref_type", RefType.BRANCH),
            more.pop("branch", "main"),
            more.pop("action", "update"),
            before=before,
            after=commit,
            commit=commit,
            forced=more.pop("forced", False),
            pushed_at=more.pop("at", None),
        )
        self._deliveries += 1
        facts = DeliveryFacts("github", more.pop("delivery", f"delivery-{self._deliveries}"), "push")
        event = Event("push", repository="acme/shop", actor="ann", changes=(change,))
        decisions = decide(event, self.settings.projects.values())
        intake = intake_of(
            facts,
            event,
            decisions,
            self.settings.projects,
            keep_seconds=86400,
            driver=more.pop("driver", "github"),
        )
        return self.intake.accept(intake)

    def publish(self, message: str = "change", behaviour: Behaviour | None = None, **more: Any) -> str:
        """Commit to main and tell the bot, as a push on top of what was there does."""
        before = self.repository.branches.get("main")
        commit = self.commit(message, behaviour, **more)
        self.push(commit, before=before)
        return commit

    def foreign(self, commit_behaviour: Behaviour | None = None, **fields: Any) -> int:
        """Return the id of a workspace that somebody else made and that runs an application of theirs."""
        url = "https://git.sandbox/somebody/else.git"
        self.world.repository(url).commit("theirs", behaviour=commit_behaviour)
        return self.sandbox.live_workspace(url, **fields)

    def connect(self, connections: Mapping[str, list[int]]) -> None:
        """Edit the domain as somebody else, and let the gateway follow."""
        self.sandbox.connect(DOMAIN, {path: list(ids) for path, ids in connections.items()})
        self.jump(0.2)

    def visit(self, path: str = "/version") -> httpx.Response:
        """Ask production, as a visitor does."""
        return self._visitor.get(f"http://{DOMAIN}{path}")

    def served(self) -> str:
        """Return the commit that production serves, once the gateway has followed the last change."""
        self.jump(self.sandbox.platform.timing.route)
        commit: str = self.visit().json()["commit"]
        return commit

    # The bot at work.

    def run(self, until: Callable[[], bool] | None = None, seconds: float = 7200.0) -> None:
        """Wake the bot whenever something is due, until a condition holds or nothing is due in time."""
        end = self.clock() + seconds
        for _ in range(MOST_WAKE_UPS):
            if until is not None and until():
                return
            if self._wake():
                continue
            due = self._next_due()
            if due is None or due > end:
                assert until is None, f"nothing more is due; {self.describe()}"
                return
            self.jump(max(due - self.clock(), 0.001))
        raise AssertionError(f"still busy after {MOST_WAKE_UPS} wake-ups; {self.describe()}")

    def _wake(self) -> bool:
        releases, _, inquiries, _ = self.services.store.claim(50, 1000, 5.0)
        for release_id in releases:
            self.services.engine.advance(release_id)
        for inquiry in inquiries:
            self.services.inquirer.look(inquiry)
        return self.probe() or bool(releases) or bool(inquiries)

    def _next_due(self) -> float | None:
        firsts = [self.client.zrange(key(name), 0, 0, withscores=True) for name in ("due", "inquiries")]
        times = [float(first[0][1]) / 1000 for first in firsts if first]
        times += [at for release_id, at in self._probed.items() if release_id in self._watches]
        return min(times, default=None)

    def probe(self) -> bool:
        """Do what the prober does when its clock ticks; False when no probe is due."""
        while (watch := self.services.probes.take("test")) is not None:
            self._watches[watch.release] = watch
            self._probed.setdefault(watch.release, self.clock())
        busy = False
        for release_id, watch in list(self._watches.items()):
            if self._probed[release_id] > self.clock():
                continue
            busy = True
            self._probe_once(release_id, watch)
        return busy

    def _probe_once(self, release_id: str, watch: Watch) -> None:
        sent = self.clock()
        try:
            answer = self._visitor.get(watch.spec.url)
            ok, why = answer.status_code == watch.spec.status, f"answered {answer.status_code}"
        except httpx.HTTPError as error:
            ok, why = False, str(error)
        tally = watch.tally.record(sent, self.clock(), ok=ok, why=why)
        self._probed[release_id] = sent + watch.spec.every
        nudge = tally.good_in_a_row == 5 or tally.failed_in_a_row >= watch.spec.failures
        if self.services.probes.report(watch, tally, nudge=nudge):
            self._watches[release_id] = replace(watch, tally=tally)
        else:
            del self._watches[release_id]
            del self._probed[release_id]

    # What came of it.

    def release(self, number: int = 1, name: str = "shop") -> Release:
        """Return a release by its number."""
        found, _ = self.reading.page(project=name, status=None, limit=200, before=None)
        return next(release for release in found if release.number == number)

    def settled(self, number: int = 1, name: str = "shop") -> Release:
        """Run until a release has ended."""
        self.run(lambda: not self.release(number, name).unfinished)
        return self.release(number, name)

    def live(self, number: int = 1, name: str = "shop") -> Release:
        """Run until a release is live, or fail the test telling why it is not."""
        release = self.settled(number, name)
        assert release.status is Status.LIVE, self.describe()
        return release

    def until_step(self, step: str, number: int = 1) -> Release:
        """Run until a release is at a step."""
        self.run(lambda: self.release(number).step == step)
        return self.release(number)

    def rest(self, seconds: float = 600.0) -> None:
        """Let time pass with whatever is due in it, cleaning up included."""
        end = self.clock() + seconds
        self.run(seconds=seconds)
        self.jump(end - self.clock())

    def said(self, number: int = 1) -> list[str]:
        """Return the sentences of a release's history."""
        lines = self.reading.history(self.release(number).id)
        return [str(line.body["text"]) for line in lines if line.body["type"] == "note"]

    def failed_queue(self) -> list[int]:
        """Return the numbers of the releases in the failed queue, newest first."""
        return [release.number for release in self.reading.failed()]

    def notices(self, receiver: str = "team") -> list[tuple[str, int]]:
        """Take every notice that waits for a receiver: kind and release number, oldest first."""
        taken = []
        while (entry := self.services.outbox.take(receiver)) is not None:
            taken.append((str(entry.body["kind"]), int(entry.body["number"])))
            self.services.outbox.sent(entry)
        return taken

    def connections(self) -> Mapping[str, list[int]]:
        """Return what the domain has now."""
        return {path: list(ids) for path, ids in self.sandbox.platform.domains[DOMAIN].connections.items()}

    def workspaces(self) -> list[int]:
        """Return the ids of all workspaces that stand."""
        return sorted(self.sandbox.platform.workspaces)

    def describe(self) -> str:
        """Return what a failing test should show."""
        found, _ = self.reading.page(project=None, status=None, limit=5, before=None)
        lines = []
        for release in found:
            lines.append(f"#{release.number} {release.status} at {release.step}: {release.reason}")
            lines += [f"    {line.body}" for line in self.reading.history(release.id)[-12:]]
        return "\n".join(lines)
