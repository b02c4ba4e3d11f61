"""What the dashboard shows, gathered from the store."""

from __future__ import annotations

from dataclasses import dataclass

from bot.api.health import what_is_missing
from bot.api.models import ReleaseView, TargetView
from bot.api.targets import targets_of
from bot.api.views import release_view
from bot.auth import Identity
from workers.wiring import WebServices

RELEASES_SHOWN = 20
FAILED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class State:
    """One look at everything. `missing` says what keeps releases from moving, None when nothing does."""

    identity: Identity
    now: float
    targets: list[TargetView]
    releases: list[ReleaseView]
    failed: list[ReleaseView]
    missing: str | None


def state_of(services: WebServices, identity: Identity) -> State:
    """Look at the store; `StoreAway` when it does not answer."""
    releases, _ = services.reading.page(project=None, status=None, limit=RELEASES_SHOWN, before=None)
    return State(
        identity=identity,
        now=services.store.now(),
        targets=targets_of(services),
        releases=[release_view(release) for release in releases],
        failed=[release_view(release) for release in services.reading.failed()[:FAILED_SHOWN]],
        missing=what_is_missing(services),
    )
