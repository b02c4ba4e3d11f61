"""What follows for each workspace, decided without any platform or store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.flow.connections import named_in
from workers.flow.reconcile import Finding, Kind, Known, Review, judge, review_from
from workers.releases.identity import is_ours, mark_of
from workers.releases.model import Intent, Release, Trigger
from workers.releases.places import Workspace
from workers.releases.status import UNFINISHED, Status

NOWHERE: list[tuple[str, dict[str, list[int]]]] = [("shop.example.com", {})]


def release(name: str, status: Status, workspace_id: int | None = None, **more: object) -> Release:
    """Return a release as the store would have it."""
    made = Release(
        id=name,
        number=1,
        project="shop",
        lane="shop@shop.example.com",
        flow="zero-downtime",
        commit="1" * 40,
        ref=None,
        git_url="https://git.example.com/shop.git",
        status=status,
        reason="as the test says",
        step=None,
        trigger=Trigger("push"),
        config="digest",
        order=1,
        created_at=1.0,
        workspace_id=workspace_id,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields of Release


def workspace(number: int, mark: str | None) -> Workspace:
    """Return a workspace as a platform lists it."""
    return Workspace(number, f"w{number}", mark, team_id=35, replicas=1, address=None)


def known(*releases: Release, due: tuple[str, ...] = ()) -> Known:
    """Return what the store knows."""
    return Known({each.id: each for each in releases}, due)


def judged(store: Known, *, named: bool = False, mark: str = mark_of("r1")) -> Finding:
    """Return what follows for workspace 7, which carries the mark of release r1."""
    domains = [("shop.example.com", {"/": [7]})] if named else NOWHERE
    (finding,) = judge([workspace(7, mark)], domains, {}, store)
    return finding


@pytest.mark.parametrize(
    ("store", "kind"),
    [
        (known(release("r1", Status.LIVE, 7)), Kind.NEEDED),
        (known(release("r1", Status.REPLACED, 7), due=("r1",)), Kind.NEEDED),
        (known(release("r1", Status.RUNNING, 7)), Kind.NEEDED),
        (known(release("r1", Status.RUNNING)), Kind.ADOPT),
        (known(release("r1", Status.RUNNING, 8)), Kind.REPORT),
        (known(release("r1", Status.LIVE, 8)), Kind.RETIRE),
        (known(release("r1", Status.REPLACED, 8), due=("r1",)), Kind.RETIRE),
        (known(release("r1", Status.FAILED, 7, cleanup="gone")), Kind.RETIRE),
        (known(release("r1", Status.CANCELLED)), Kind.RETIRE),
        (known(release("r1", Status.FAILED, 7, cleanup="left: it was refused")), Kind.REPORT),
        (known(), Kind.REPORT),
    ],
    ids=[
        "live", "parked", "running", "not known to its release yet", "second of a running one",
        "twin of a live one", "twin of a parked one", "said to be gone", "cancelled", "given up", "unknown",
    ],
)  # fmt: skip
def test_what_follows_for_a_workspace_with_our_mark(store: Known, kind: Kind) -> None:
    assert judged(store).kind is kind


def test_what_a_domain_names_is_only_ever_reported() -> None:
    finding = judged(known(release("r1", Status.FAILED, 7, cleanup="gone")), named=True)

    assert (finding.kind, finding.named) == (Kind.REPORT, "shop.example.com/")
    assert "shop.example.com/ names it" in finding.why


def test_what_an_unsettled_switch_names_is_not_retired() -> None:
    intent = Intent("connect", 1.0, 9.0, {"from": {"/": [7]}, "to": {"/": [8]}})
    switching = release("r2", Status.RUNNING, 8, intent=intent)

    finding = judged(known(release("r1", Status.FAILED, 7, cleanup="gone"), switching))

    assert finding.kind is Kind.REPORT
    assert "not settled" in finding.why


def test_a_workspace_that_was_taken_over_belongs_to_the_last_that_took_it() -> None:
    chain = known(
        release("r1", Status.FAILED, 7, handed_over="r2"),
        release("r2", Status.FAILED, 7, handed_over="r3"),
        release("r3", Status.LIVE, 7),
    )

    assert (judged(chain).kind, judged(chain).release) == (Kind.NEEDED, "r3")


def test_a_retry_that_took_a_workspace_over_and_ended_without_cleaning_up_is_made_to() -> None:
    chain = known(release("r1", Status.FAILED, 7, handed_over="r2"), release("r2", Status.SUPERSEDED, 7))

    assert (judged(chain).kind, judged(chain).release) == (Kind.RETIRE, "r2")


@pytest.mark.parametrize(
    ("store", "kind", "waits"),
    [
        (known(release("r1", Status.LIVE, 7)), Kind.REPORT, "r1"),
        (known(release("r1", Status.RUNNING, 7)), Kind.REPORT, "r1"),
        (known(release("r1", Status.REPLACED, 7), due=("r1",)), Kind.DROP, "r1"),
        (known(release("r1", Status.FAILED, 7, cleanup="left: refused")), Kind.DROP, None),
        (known(), Kind.DROP, None),
    ],
    ids=["live", "running", "parked", "given up", "unknown"],
)
def test_what_follows_for_an_entry_of_the_ledger_that_the_platform_does_not_list(
    store: Known, kind: Kind, waits: str | None
) -> None:
    (finding,) = judge([], NOWHERE, {7: "r1"}, store)

    assert (finding.kind, finding.release, finding.entry) == (kind, waits, "r1")


def test_a_review_survives_the_store() -> None:
    review = Review(5.0, (Finding(Kind.RETIRE, 7, "why", "w7", "r1", "shop.example.com/"),), ("away",))

    assert review_from(review.as_json()) == review


names = st.sampled_from(["r1", "r2", "r3"])
releases = st.builds(
    release,
    names,
    st.sampled_from(Status),
    st.none() | st.integers(1, 6),
    cleanup=st.sampled_from([None, "gone", "in use", "parked for rollback", "left: refused"]),
    handed_over=st.none() | names,
    intent=st.none()
    | st.integers(1, 6).map(lambda number: Intent("connect", 1.0, 2.0, {"from": {}, "to": {"/": [number]}})),
)
marks = st.none() | names.map(mark_of) | st.sampled_from(["", "switchover", "mine", mark_of("elsewhere")])
platforms = st.dictionaries(st.integers(1, 6), marks).map(
    lambda marked: [workspace(number, mark) for number, mark in marked.items()]
)
routes = st.dictionaries(st.sampled_from(["/", "/api"]), st.lists(st.integers(1, 6), max_size=2))


@given(platforms, routes, st.dictionaries(st.integers(1, 9), names), st.lists(releases), st.sets(names))
def test_nothing_that_is_foreign_named_or_needed_is_ever_retired(
    standing: list[Workspace],
    connections: dict[str, list[int]],
    ledger: dict[int, str],
    stored: list[Release],
    due: set[str],
) -> None:
    domains = [("shop.example.com", connections)]
    store = Known({each.id: each for each in stored}, due)

    found = judge(standing, domains, ledger, store)

    by_id = {each.id: each for each in standing}
    assert len({finding.workspace for finding in found}) == len(found)
    for finding in found:
        assert finding.workspace in ledger or is_ours(by_id[finding.workspace].mark)
        if finding.kind is Kind.DROP:
            assert finding.workspace not in by_id
        if finding.kind is Kind.RETIRE:
            owner = store.releases[finding.release or ""]
            assert named_in(finding.workspace, domains) is None
            assert owner.status not in UNFINISHED
            assert not (owner.status is Status.LIVE and owner.workspace_id == finding.workspace)
            assert all(
                {"/": [finding.workspace]} != each.intent.data["to"]
                for each in store.releases.values()
                if each.intent is not None
            )
