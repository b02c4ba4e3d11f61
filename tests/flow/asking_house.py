"""A house beside a strict Git host: commits are mirrored there, its hooks are taken as the receiver does."""

from __future__ import annotations

from typing import Any

import httpx

from bot.intake import judge
from config.settings import HostSettings, Settings
from sandbox.core.faults import Fault
from sandbox.core.platform import Timing
from sandbox.githost import GitHost as Sandbox
from sandbox.githost import GitService, Outgoing
from sandbox.githost.mirroring import mirror_scripted
from sandbox.githost.transport import GitHostTransport
from tests.flow.house import House
from tests.flow.house import settings as house_settings
from workers.flow.remembering import ids_of
from workers.hosts.base import Headers
from workers.hosts.registry import host_of
from workers.releases.intake import Intake, Verdict
from workers.releases.model import Release
from workers.store.inquiries import InquiryStore, RepositoryIds
from workers.store.keyspace import key

HOST_API = "https://github.example.com/api/v3"
SECRET = "the hook's own secret"
TOKEN = "sandbox-token-0123456789"
QUICK = Timing(workspace_start=0.0, landscape=0.0, route=0.0)


def asking_settings(trigger: dict[str, Any], *, token: bool = True, **project: Any) -> Settings:
    """Return settings with one project `shop` and one trigger, and a host that can be asked."""
    made = house_settings(triggers=[trigger], **project)
    host = {"driver": "github", "secrets": [SECRET], "api_url": HOST_API, "token": TOKEN if token else ""}
    return made.model_copy(update={"hosts": {"github": HostSettings.model_validate(host)}})


class _Both(httpx.BaseTransport):
    """Sends calls to the Git host or to whatever else there is."""

    def __init__(self, host: httpx.BaseTransport, others: httpx.BaseTransport) -> None:
        self._host = host
        self._others = others

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        to_host = str(request.url).startswith(HOST_API)
        return (self._host if to_host else self._others).handle_request(request)


class AskingHouse(House):
    """A house whose host is real. `told` are the verdicts of its deliveries, in order, with their ids."""

    def __init__(self, store_url: str, config: Settings) -> None:
        super().__init__(store_url, config, QUICK)
        self.host = Sandbox(self.clock, self._receive)
        self.service = GitService(self.host)
        self.there = self.host.repository("acme/shop", roles={"bot": "admin", "wes": "write", "eve": "read"})
        self.host.token(TOKEN, "bot")
        calls = GitHostTransport(self.service, bases={HOST_API: "github"}, sleep=self._pass)
        self.transport = _Both(calls, self.transport)
        self.told: list[tuple[str, Verdict]] = []
        self.sent: list[Outgoing] = []
        self.host.add_hook(self.there, "https://bot.example.com/webhooks/github", SECRET)
        self.told.clear()
        self.sent.clear()
        self.services.close()
        self.begin()
        self.inquiries = InquiryStore(self.client, offset=self.offset)

    # What happens at the host.

    def pushed(self, message: str = "change", **more: Any) -> str:
        """Commit, and have the host tell of the push."""
        commit = self.commit(message, **more)
        self.tell()
        return commit

    def tell(self) -> None:
        """Let the host have what was committed; its hooks tell of it."""
        mirror_scripted(self.host, self.there, self.repository)

    def checks_end(self, commit: str, conclusion: str = "success", name: str = "build") -> None:
        """Let the checks of a commit begin and end."""
        suite = self.host.start_checks(self.there, commit, names=[name])
        self.host.finish_checks(self.there, suite, conclusion)

    def fails(self, status: int = 502, *, times: int | None = 1, retry_after: float | None = None) -> Fault:
        """Let the next calls of the host fail."""
        return self.service.faults.add(Fault(status=status, times=times, retry_after=retry_after))

    def _receive(self, outgoing: Outgoing) -> int:
        self.sent.append(outgoing)
        intake = self.judged(outgoing)
        self.told.append((intake.delivery, self.intake.accept(intake)))
        return 202

    def judged(self, outgoing: Outgoing) -> Intake:
        """Return what the receiver would write down."""
        receiver = host_of("github", "github", [SECRET])
        ids = ids_of(RepositoryIds(self.client).all(), self.settings.projects.values())
        headers = Headers.from_mapping(dict(outgoing.headers))
        intake = judge(receiver, headers, outgoing.body, self.settings, ids)
        assert isinstance(intake, Intake), intake
        return intake

    # What came of it.

    def delivery(self, place: int = -1) -> dict[str, Any]:
        """Return a delivery as it stands now."""
        return self.intake.delivery(self.told[place][0])

    def verdict(self, place: int = -1) -> tuple[str, str]:
        """Return verdict and reason of a delivery as they stand now."""
        found = self.delivery(place)
        return found["verdict"], found["reason"]

    def of_kind(self, kind: str) -> dict[str, Any]:
        """Return the newest delivery of a kind of event as it stands now."""
        found = [self.intake.delivery(delivery) for delivery, _ in self.told]
        return next(each for each in reversed(found) if each["kind"] == kind)

    def count(self) -> int:
        """Return how many releases there are."""
        found, _ = self.reading.page(project=None, status=None, limit=200, before=None)
        return len(found)

    def live(self, number: int = 1, name: str = "shop") -> Release:
        """Run until a release, which may have to be asked about first, is live."""
        self.run(lambda: self.count() >= number or self.inquiries.waiting() == 0)
        assert self.count() >= number, [self.verdict(place) for place in range(len(self.told))]
        return super().live(number, name)

    def asked(self) -> None:
        """Run until no inquiry stands."""
        self.run(lambda: self.inquiries.waiting() == 0)

    def until_looked_at(self) -> None:
        """Run until every inquiry was looked at once and waits for its next look."""
        self.run(lambda: not self.client.zcount(key("inquiries"), "-inf", self.clock() * 1000))

    def calls(self) -> int:
        """Return how many calls the host got."""
        return len(self.service.calls)
