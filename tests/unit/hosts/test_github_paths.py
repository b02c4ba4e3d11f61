"""GitHub: which files a push changed, and when that is not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workers.hosts.base import Headers
from workers.hosts.github import GitHub
from workers.releases.events import BadDelivery, Change

BODY = json.loads((Path(__file__).parents[2] / "samples" / "github" / "push_branch.json").read_text())


def listed(number: int = 1, **files: list[str] | None) -> dict[str, Any]:
    return {"id": f"{number:040x}", "added": [], "removed": [], "modified": [], **files}


def change(**pushed: Any) -> Change:
    body = json.dumps(BODY | {"commits": [listed(modified=["a"])]} | pushed).encode()
    sent = Headers([("Content-Type", "application/json"), ("X-GitHub-Event", "push")])
    return GitHub("github", []).read(sent, body).changes[0]


def test_the_files_of_all_commits_are_there_once_each() -> None:
    commits = [listed(1, added=["a", "b"]), listed(2, modified=["b"], removed=["c\0"])]

    assert change(commits=commits).paths == ("a", "b", "c")


@pytest.mark.parametrize(
    "pushed",
    [
        {"forced": True},
        {"forced": None},
        {"before": "0" * 40},
        {"after": "0" * 40, "deleted": True},
        {"commits": []},
        {"size": 2},
        {"distinct_size": 0},
        {"commits": [{"id": "1" * 40}]},
        {"commits": [listed(added=None)]},
        {"commits": [listed(number) for number in range(2048)]},
        {"commits": [listed(added=[str(number) for number in range(10_001)])]},
    ],
)
def test_where_the_list_may_be_cut_the_files_are_not_known(pushed: dict[str, Any]) -> None:
    assert change(**pushed).paths is None


def test_the_longest_lists_that_are_whole_are_known() -> None:
    assert change(commits=[listed(number, added=["x"]) for number in range(2047)]).paths == ("x",)
    assert len(change(commits=[listed(added=list(map(str, range(10_000))))]).paths or ()) == 10_000
    assert change(size=1, distinct_size=1).paths == ("a",)


def test_files_of_the_wrong_type_are_named() -> None:
    with pytest.raises(BadDelivery, match=r"at commits\.0\.added"):
        change(commits=[listed() | {"added": [7]}])
