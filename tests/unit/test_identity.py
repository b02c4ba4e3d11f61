"""Names that must never meet twice, and marks that tell what is ours."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from workers.releases.identity import is_ours, mark_of, new_release_id, workspace_name


def test_release_ids_are_safe_in_urls_and_never_meet_twice() -> None:
    ids = [new_release_id() for _ in range(2000)]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9a-z]{16}", id_) for id_ in ids)
    assert [id_[:10] for id_ in ids] == sorted(id_[:10] for id_ in ids)


@given(st.text(max_size=80), st.integers(1, 10**6), st.integers(1, 99))
def test_a_workspace_name_is_short_plain_and_holds_the_releases_id(
    project: str, number: int, again: int
) -> None:
    release_id = new_release_id()

    name = workspace_name(project, number, release_id, "abcdef0" + "1" * 33, again)

    assert len(name) <= 50
    assert re.fullmatch("[a-z0-9][a-z0-9-]*[a-z0-9]", name)
    assert f"-r{number}-{release_id}-abcdef0" in name


def test_only_our_mark_is_ours() -> None:
    assert is_ours(mark_of("0123"))
    assert not is_ours(None)
    assert not is_ours("")
    assert not is_ours("welcome to switchover:0123")
