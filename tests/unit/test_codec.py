"""Releases as text: what is written down comes back the same."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from workers.releases.codec import dumps, facts_of, release_from, state_of
from workers.releases.model import (
    FLOWS,
    Cause,
    Downtime,
    Failure,
    Intent,
    Release,
    StepRecord,
    StopRequest,
    Trigger,
)
from workers.releases.status import Status, StepStatus

TEXT = st.text(max_size=30)
STEPS = tuple(StepRecord(name) for name in FLOWS["zero-downtime"])
PLAIN = Release(
    id="0123456789abcdef",
    number=7,
    project="shop",
    lane="shop@shop.example.com",
    flow="zero-downtime",
    commit="a" * 40,
    ref="refs/heads/main",
    git_url="https://git.example/shop.git",
    status=Status.RUNNING,
    reason="push",
    step="test",
    trigger=Trigger("push", "github", "push", "d-1", "ann"),
    config="digest",
    order=3,
    created_at=1000.5,
    steps=STEPS,
)


def stored(release: Release) -> dict[str, str]:
    """Return the fields of a release's hash, as the scripts write them."""
    fields = {
        "facts": facts_of(release),
        "state": state_of(release),
        "number": str(release.number),
        "order": str(release.order),
        "status": release.status.value,
        "reason": release.reason,
        "step": release.step or "",
        "created_at": str(int(release.created_at * 1000)),
    }
    if release.stop is not None:
        stop = {"to": release.stop.to.value, "by": release.stop.by, "reason": release.stop.reason}
        fields["stop"] = dumps(stop)
    if release.past_switch:
        fields["past_switch"] = "1"
    return fields


@given(
    st.sampled_from(Status),
    TEXT,
    st.none() | st.builds(Failure, st.sampled_from(Cause), st.none() | TEXT, TEXT, st.tuples(TEXT, TEXT)),
    st.none() | st.builds(Intent, TEXT, st.floats(0, 2e9), st.floats(0, 2e9), st.dictionaries(TEXT, TEXT)),
    st.none() | st.builds(Downtime, *[st.integers(0, 10**6)] * 5),
    st.dictionaries(TEXT, st.integers() | TEXT | st.lists(st.integers())),
)
def test_a_release_comes_back_as_it_was_written(
    status: Status,
    reason: str,
    failure: Failure | None,
    intent: Intent | None,
    downtime: Downtime | None,
    memory: dict[str, object],
) -> None:
    steps = (StepRecord("create", StepStatus.DONE, 1.0, 2.0, 1, "made"), *STEPS[1:])
    release = replace(
        PLAIN,
        status=status,
        reason=reason,
        failure=failure,
        intent=intent,
        downtime=downtime,
        memory=memory,
        steps=steps,
        workspace_id=64001,
        stop=StopRequest(Status.CANCELLED, "ann", reason),
        past_switch=True,
    )

    assert release_from(stored(release)) == release


def test_text_of_any_script_is_kept_as_it_is() -> None:
    assert dumps({"reason": "größer \U0001f680 \u2028"}) == '{"reason":"größer \U0001f680 \u2028"}'
