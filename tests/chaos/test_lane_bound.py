"""Under a push every second something goes live within a stated bound, whatever the builds take.

The bound, with `supersede: running`: at most three releases in a row give way, each within a push of its
beginning; the fourth goes its way, however long its build takes. So from one release that goes live to the
next it is at most

    GAVE_WAY * (PUSH_SECONDS + REACTION_SECONDS) + the longest build + OVERHEAD_SECONDS
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from sandbox.core.platform import Timing
from sandbox.scripted.behaviour import Behaviour
from sandbox.scripted.ci_files import flat_ci
from tests.flow.house import House, settings
from tests.thoroughness import one_in
from workers.releases.status import Status
from workers.store.connection import connect

GAVE_WAY = 3
PUSH_SECONDS = 1.0
REACTION_SECONDS = 2.0
"""A cancel is seen within this in any step, and so is a newer release."""
OVERHEAD_SECONDS = 10.0
"""Of a release that builds nothing: stable looks, health, probes, switch, a second of observing."""
LOOK_LATE = 1.05
"""A step is looked at again after five hundredths of the time that it has been going on."""
PUSHES = 90


@profile(
    max_examples=4 // one_in(2),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(builds=st.lists(st.sampled_from([0.0, 0.5, 2.0, 5.0, 12.0]), min_size=3, max_size=12))
def test_under_a_push_every_second_something_goes_live_within_the_bound(
    store_url: str, builds: list[float]
) -> None:
    client = connect(store_url)
    client.flushall()
    client.close()
    quick = Timing(workspace_start=0.05, landscape=0.05, route=0.0)
    house = House(store_url, settings(supersede="running"), quick)
    began = house.clock()

    for number in range(PUSHES):
        behaviour = Behaviour(step_seconds=0.0, seconds={"test": builds[number % len(builds)]})
        house.publish(f"change {number}", behaviour, files={"ci.yml": flat_ci()})
        house.rest(PUSH_SECONDS)

    releases, _ = house.reading.page(project="shop", status=None, limit=200, before=None)
    house.close()
    went_live = sorted(
        release.finished_at or 0.0 for release in releases if release.status in (Status.LIVE, Status.REPLACED)
    )
    bound = GAVE_WAY * (PUSH_SECONDS + REACTION_SECONDS) + max(builds) * LOOK_LATE + OVERHEAD_SECONDS
    moments = [began, *went_live, began + PUSHES * PUSH_SECONDS]
    assert went_live
    assert max(later - former for former, later in pairwise(moments)) <= bound, (moments, bound)
