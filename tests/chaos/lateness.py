"""A house in which switch calls go unanswered and take effect later, whenever a test lets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.core.faults import Fault
from sandbox.scripted.behaviour import Answer, Behaviour
from tests.flow.house import DOMAIN, House

ONE_LOOK = 6.0
"""The sentry's turn, the pump, and the engine's few moves."""
FAILS_IN_PRODUCTION = Behaviour(production=Answer(500, "down"))


@dataclass
class LateCall:
    """A switch call whose caller gave it up; `arrive` lets the platform carry it out."""

    house: House
    body: Mapping[str, list[int]]

    def arrive(self) -> None:
        path = f"{self.house.sandbox.domain_path(DOMAIN)}/workspace-connections"
        self.house.sandbox._direct("PUT", path, self.body)


class LateHouse(House):
    """A house whose sentry looks every few seconds, as in a worker process."""

    def lose_a_switch(self) -> Fault:
        """Let the next switch call go unanswered, without an effect so far."""
        path = f"{self.sandbox.domain_path(DOMAIN)}/workspace-connections"
        return self.sandbox.faults.add(Fault(method="PUT", path=path, broken="timeout"))

    def lost(self, fault: Fault) -> LateCall:
        """Run until the call was lost, and return it."""
        self.run(lambda: bool(fault.met))
        call = next(call for call in reversed(self.sandbox.calls) if call.method == "PUT" and not call.status)
        body: Any = call.body
        return LateCall(self, body)

    def watch(self, seconds: float) -> None:
        """Let time pass with the sentry looking every four seconds."""
        end = self.clock() + seconds
        while self.clock() < end:
            self.services.sentry.look()
            self.rest(min(4.0, end - self.clock()))

    def two_live_and_a_late_call_of_the_first(self) -> LateCall:
        """Return a call of release 1 that was sent again, settled, and may still arrive; 2 is live."""
        fault = self.lose_a_switch()
        self.publish("one")
        late = self.lost(fault)
        self.live(1)
        self.publish("two")
        self.live(2)
        return late


def led_to(house: House, number: int) -> dict[str, list[int]]:
    """Return the map that leads to a release's workspace."""
    workspace_id = house.release(number).workspace_id
    assert workspace_id is not None
    return {"/": [workspace_id]}
