"""A house whose bot can be killed at every crossing, and that is then started again from nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import httpx

from config.settings import Settings
from sandbox.core.platform import Timing
from tests.chaos.crossings import Crossings, KillableTransport, Killed, load_scripts, make_killable
from tests.flow.house import API_URL, DOMAIN, House
from workers.notices.drain import Drain
from workers.notices.wording import Wording
from workers.releases.model import Release
from workers.store.intake import IntakeStore
from workers.store.keyspace import key
from workers.store.reading import Reading

T = TypeVar("T")

QUICK = Timing(workspace_start=0.05, landscape=0.05, route=0.0)
MOST_DEATHS = 20
QUEUES = ("due", "outbox_due", "probes", "inquiries")


class KillableHouse(House):
    """`run_on` and `through` go on after every crash with a bot that remembers nothing."""

    def __init__(self, store_url: str, config: Settings, timing: Timing = QUICK) -> None:
        self.crossings = Crossings()
        self.sent: list[str] = []
        """The titles of all notices that reached their receiver, in order."""
        super().__init__(store_url, config, timing)
        load_scripts(self.client)

    def begin(self) -> None:
        """Start the bot (again): what the dead one held in memory is gone, and its connections are closed."""
        if "services" in vars(self):
            self.services.close()
            self._visitor.close()
        else:
            self._outside = self.transport
            self._tester = self._visitor
        self.crossings.revive()
        api_host = httpx.URL(API_URL).host
        self.transport = KillableTransport(self._outside, self.crossings, api_host)
        self._visitor = httpx.Client(transport=self.transport)
        super().begin()
        self.reading = Reading(self.client)  # the test looks through it, not the bot
        self.intake = IntakeStore(self.services.store._client, offset=self.offset)
        make_killable(self.services.store._client, self.crossings)
        self._drain = Drain(self.services.outbox, lambda _: self)

    def close(self) -> None:
        """Close every connection."""
        self._tester.close()
        super().close()

    @property
    def lane(self) -> str:
        """Return the lane of the project."""
        return f"shop@{DOMAIN}"

    def newest(self) -> Release:
        """Return the release that was made last."""
        return self.reading.release(str(self.client.zrevrange(key("releases"), 0, 0)[0]))

    def remember(self) -> None:
        """Begin to look at what happens from now on."""
        self.sandbox.calls.clear()
        self.sent.clear()
        self._made = self.sandbox.platform.last_id
        self._asked = self.client.zcard(key("releases"))

    def twins(self) -> int:
        """Return how many more workspaces were made than releases since `remember`."""
        made = self.sandbox.platform.last_id - self._made
        return made - (int(self.client.zcard(key("releases"))) - self._asked)

    def visit(self, path: str = "/version") -> httpx.Response:
        """Ask production as a visitor, who crosses no boundary of the bot's."""
        return self._tester.get(f"http://{DOMAIN}{path}")

    def send(self, wording: Wording) -> None:
        """Take a notice, as a chat does."""
        self.crossings.cross("notice", lambda: self.sent.append(wording.title))

    def run_on(self, until: Callable[[], bool] | None = None, seconds: float = 7200.0) -> None:
        """Run until a condition holds, or until all that is due in time is done, through every crash."""
        self.through(lambda: self.run(until, seconds))

    def through(self, act: Callable[[], T]) -> T:
        """Do something until it is answered, as people and hosts do; the bot begins anew after a crash."""
        for _ in range(MOST_DEATHS):
            try:
                return act()
            except Killed:
                self.begin()
        raise AssertionError("the crossings kill without end")

    def probe(self) -> bool:
        """Do what the prober does when its clock ticks, but do not ask for work that is not there."""
        free = self.client.zrangebyscore(key("probes"), "-inf", self.clock() * 1000)
        return super().probe() if free or self._watches else False

    def _wake(self) -> bool:
        due = self._next_due()
        if due is not None and due > self.clock():
            return False  # a claim of nothing changes nothing: it is no point worth a crash
        releases, receivers, inquiries, _ = self.services.store.claim(50, 1000, 5.0)
        for release_id in releases:
            self.crossings.cross("hand-over", partial(self.services.engine.advance, release_id))
        for inquiry in inquiries:
            self.crossings.cross("hand-over", partial(self.services.inquirer.look, inquiry))
        for receiver in receivers:
            self._drain.drain(receiver)
        return self.probe() or bool(releases) or bool(receivers) or bool(inquiries)

    def _next_due(self) -> float | None:
        firsts = [self.client.zrange(key(name), 0, 0, withscores=True) for name in QUEUES]
        times = [float(first[0][1]) / 1000 for first in firsts if first]
        times += [at for release_id, at in self._probed.items() if release_id in self._watches]
        return min(times, default=None)
