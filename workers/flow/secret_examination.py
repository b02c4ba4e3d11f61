"""What `doctor` says of the secrets of webhooks: when each was last used, and which can be dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from config.settings import HostSettings, Settings
from workers.flow.diagnosis import Line, Verdict

Uses = Callable[[str], Mapping[str, float]]
"""Tells for a host when each secret, by fingerprint, last verified a delivery (seconds since 1970)."""

QUIET_SECONDS = 7 * 86400.0
"""A secret that was not used for so long, while another one was, is probably an old one."""


def examine_secrets(settings: Settings, uses: Uses, now: float) -> Iterator[Line]:
    """Yield a line for each secret of each host. Secrets are told apart by place and fingerprint only."""
    for name, host in settings.hosts.items():
        yield from _of_host(name, host, uses(name), now)


def _of_host(name: str, host: HostSettings, used: Mapping[str, float], now: float) -> Iterator[Line]:
    newest = max((used.get(each, 0.0) for each in host.fingerprints), default=0.0)
    for index, fingerprint in enumerate(host.fingerprints):
        last = used.get(fingerprint)
        when = "verified no delivery yet" if last is None else f"last verified a delivery at {_moment(last)}"
        text = f"hosts.{name}.secrets[{index}] ({fingerprint}) {when}"
        old = newest > (last or 0.0) and now - (last or 0.0) > QUIET_SECONDS
        advice = (
            "others are in use: if it is an old one that no webhook has any more, take it out"
            if old
            else None
        )
        yield Line(Verdict.OK, f"host {name}", text, advice)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
