"""Five releases in a row while visitors come without a pause."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.tree import running
from tests.e2e.visitors import Visitors

RATE = 220.0
RELEASES = 5


@pytest.mark.load
@pytest.mark.timeout(240)
def test_five_releases_under_load_fail_and_misroute_not_one_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path) as tree:
        commits = [tree.sample.commit]
        tree.wait_until_live(tree.push(commits[0]))
        port = urlsplit(tree.shop).port or 0
        with Visitors(port, rate=RATE) as visitors:
            for number in range(RELEASES):
                commits.append(tree.commit(f"change {number}"))
                release = tree.wait_until_live(tree.push(commits[-1], commits[-2]))
                assert release["downtime"]["failed"] == 0
        served_last = httpx.get(f"{tree.shop}/version").json()["commit"]

    order = [commits.index(visit.commit) for visit in visitors.visits if visit.commit in commits]
    with capsys.disabled():
        print(
            f"\n{len(visitors.visits)} requests at {visitors.rate:.0f}/s over {RELEASES} releases: "
            f"{len(visitors.failed)} failed"
        )
    assert visitors.failed == []
    assert visitors.rate >= 200
    assert len(order) == len(visitors.visits)
    assert order == sorted(order), "an older version answered after a newer one"
    assert served_last == commits[-1]
