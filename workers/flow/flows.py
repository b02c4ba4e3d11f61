"""The flows, each a page: the steps in their order."""

from __future__ import annotations

from collections.abc import Mapping

from workers.errors import NotFound
from workers.flow.steps.base import Step
from workers.flow.steps.build import Build
from workers.flow.steps.create import Create
from workers.flow.steps.gates import Gate
from workers.flow.steps.observe import Observe
from workers.flow.steps.run import Run
from workers.flow.steps.switch import Switch
from workers.flow.steps.verify import Verify
from workers.releases.model import Release
from workers.releases.places import Stage

ZERO_DOWNTIME: tuple[Step, ...] = (
    Create(),
    Build(Stage.PREPARE),
    Build(Stage.TEST),
    Run(),
    Verify(),
    Gate("checks", "outside checks"),
    Gate("approval", "approval"),
    Switch(),
    Observe(),
)
STEPS: Mapping[str, Mapping[str, Step]] = {"zero-downtime": {step.name: step for step in ZERO_DOWNTIME}}


def step_of(release: Release) -> Step:
    """Return the step that a release is at."""
    step = STEPS.get(release.flow, {}).get(release.step or "")
    if step is None:
        raise NotFound(f"release {release.id}: flow {release.flow} has no step {release.step}")
    return step
