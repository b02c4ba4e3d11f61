"""How often a platform that refuses the same call again and again is asked."""

from __future__ import annotations

import pytest

from sandbox.core.faults import Fault
from tests.flow.house import House
from workers.releases.model import Cause
from workers.releases.status import Status


def test_a_deletion_that_always_fails_is_asked_for_ever_more_seldom(house: House) -> None:
    house.publish()
    house.live()
    house.publish("two")
    house.live(2)
    house.publish("three")
    house.live(3)
    house.sandbox.faults.add(Fault(method="DELETE", path="/workspaces/[0-9]+", status=503, times=None))
    house.rest(600)

    asked = [call for call in house.sandbox.calls if call.method == "DELETE"]

    assert 10 < len(asked) < 120


@pytest.mark.parametrize(
    ("status", "cause"), [(500, Cause.APPLICATION), (502, Cause.TRANSIENT), (503, Cause.TRANSIENT)]
)
def test_only_the_platforms_own_word_puts_a_failed_deploy_down_to_the_pipeline_file(
    house: House, status: int, cause: Cause
) -> None:
    house.sandbox.faults.add(
        Fault(method="POST", path="/workspaces/[0-9]+/landscape/deploy", status=status, times=None)
    )
    house.publish()

    release = house.settled()

    assert release.status is Status.FAILED
    assert release.failure is not None
    assert release.failure.cause is cause
    assert ("validate ci.yml" in release.reason) is (cause is Cause.APPLICATION)
