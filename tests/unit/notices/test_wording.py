from __future__ import annotations

import pytest

from workers.notices.wording import worded

BODY = {
    "project": "shop",
    "number": 12,
    "release": "r-12",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "ref": "refs/heads/main",
    "reason": "three probes failed in a row",
    "step": "observe",
    "url": "https://shop.example.com",
}


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("live", "shop #12 is live"),
        ("failed", "shop #12 failed"),
        ("rolled_back", "shop #12 was rolled back"),
        ("waiting", "shop #12 waits for approval"),
        ("stuck", "shop #12 needs a person"),
        ("put_right", "shop #12 was put right"),
    ],
)
def test_the_title_says_what_happened_to_which_release(kind: str, title: str) -> None:
    wording = worded(BODY | {"kind": kind})

    assert wording.title == title
    assert "Release #12 of shop (commit 0123456789, main)" in wording.text
    assert "Reason: three probes failed in a row" in wording.text


@pytest.mark.parametrize(
    ("kind", "step", "next_step"),
    [
        ("failed", "test", "switchover releases retry r-12"),
        ("waiting", "approval", "switchover releases approve r-12, or switchover releases reject r-12"),
        ("waiting", "checks", "switchover releases cancel r-12"),
        ("stuck", "switch", "switchover releases show r-12"),
        ("rolled_back", "observe", "push a fix"),
    ],
)
def test_a_notice_says_what_to_do_next(kind: str, step: str, next_step: str) -> None:
    assert next_step in worded(BODY | {"kind": kind, "step": step}).text


def test_a_failure_names_its_step() -> None:
    assert "failed at the step prepare." in worded(BODY | {"kind": "failed", "step": "prepare"}).text


def test_a_live_release_is_shown_where_it_answers() -> None:
    text = worded(BODY | {"kind": "live"}).text

    assert text.startswith(
        "Release #12 of shop (commit 0123456789, main) serves https://shop.example.com now."
    )


def test_a_bare_notice_leaves_out_what_it_does_not_know() -> None:
    wording = worded({"kind": "live", "project": "shop", "number": 3})

    assert wording.text == "Release #3 of shop serves production now."


def test_a_kind_from_the_future_still_reads_well() -> None:
    wording = worded({"kind": "taken_over", "project": "shop", "number": 3})

    assert (wording.title, wording.text) == ("shop #3: taken over", "Release #3 of shop: taken over.")


def test_an_endless_reason_is_cut() -> None:
    assert len(worded(BODY | {"kind": "failed", "reason": "x" * 100_000}).text) < 2000
