"""The configured Git hosts: where their webhooks go, and which of their secrets are in use."""

from __future__ import annotations

from bot.api.endpoint import Call, Endpoint, Reply
from bot.api.models import HostList, HostView, LastDelivery, SecretView, moment, moment_or_none
from bot.receiver import WEBHOOKS
from config.settings import HostSettings
from workers.errors import NotFound
from workers.wiring import WebServices, offers_of, reads_of

PATH = "/api/v1/hosts"


def list_hosts(call: Call) -> Reply:
    """Give every configured host, by name."""
    hosts = call.services.settings.current.hosts
    return Reply(HostList(hosts=[_view(name, hosts[name], call.services) for name in sorted(hosts)]))


def _view(name: str, host: HostSettings, services: WebServices) -> HostView:
    public = services.settings.current.server.public_url
    used = services.reading.secret_uses(name)
    return HostView(
        name=name,
        driver=host.driver,
        webhook=None if public is None else f"{public}{WEBHOOKS}{name}",
        secrets=[
            SecretView(
                place=f"hosts.{name}.secrets[{index}]",
                fingerprint=fingerprint,
                last_used=moment_or_none(used.get(fingerprint)),
            )
            for index, fingerprint in enumerate(host.fingerprints)
        ],
        last_delivery=_last(name, services),
        senders=[str(network) for network in host.senders],
        has_token=host.token is not None,
        reads=list(reads_of(host.driver)),
        offers=sorted(offer.value for offer in offers_of(host.driver)),
    )


def _last(name: str, services: WebServices) -> LastDelivery | None:
    last = services.reading.last_delivery(name)
    try:
        found = None if last is None else services.intake_sync.delivery(last)
    except NotFound:
        return None
    if found is None:
        return None
    return LastDelivery(id=found["id"], received_at=moment(found["received_at"]), verdict=found["verdict"])


ENDPOINTS = (
    Endpoint(
        "GET", PATH, "Git hosts, their webhooks, and the last use of their secrets", "hosts", "viewer",
        list_hosts, answer=HostList, refusals=(401, 402, 403),
    ),
)  # fmt: skip
