"""The Git host beside the rest of the sandbox: same commits, same shas."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.githost import ZEROS
from sandbox.githost.mirroring import mirror_git, mirror_scripted
from sandbox.repositories import commit_change, git, make_sample_repository
from sandbox.scripted import ScriptedWorld
from tests.unit.sandbox.conftest import Clock
from tests.unit.sandbox.githost_shop import HOOK_URL, SECRET, Shop


@pytest.fixture
def shop(clock: Clock) -> Shop:
    return Shop(clock)


def test_a_scripted_repository_is_told_of_commit_by_commit(shop: Shop) -> None:
    source = ScriptedWorld().repository("https://git.example.com/acme/store.git")
    repo = shop.host.repository("acme/store", roles={"ada": "admin"})
    shop.host.add_hook(repo, HOOK_URL, SECRET)
    first = source.commit()
    mirror_scripted(shop.host, repo, source)
    second = source.commit(files={"app.py": "2\n"})
    mirror_scripted(shop.host, repo, source)
    mirror_scripted(shop.host, repo, source)

    pushes = [(body["before"], body["after"]) for body in shop.receiver.bodies("push")]
    assert pushes == [(ZEROS, first), (first, second)]
    assert [each.path for each in repo.history.changed(first, second)] == ["app.py"]


def test_a_repository_on_disk_is_told_of_with_its_tags_and_deletions(shop: Shop, tmp_path: Path) -> None:
    sample = make_sample_repository(tmp_path)
    repo = shop.host.repository("acme/store", roles={"ada": "admin"})
    repo.clone_url = sample.url
    shop.host.add_hook(repo, HOOK_URL, SECRET)
    mirror_git(shop.host, repo, sample.bare)
    second = commit_change(sample, {"docs/größe.md": "new\n"}, "Say more\n\nMuch more.")
    git(sample.working, "tag", "--annotate", "v1", "--message", "The first")
    git(sample.working, "push", "--quiet", "origin", "v1")
    mirror_git(shop.host, repo, sample.bare)
    git(sample.bare, "update-ref", "-d", "refs/tags/v1")
    mirror_git(shop.host, repo, sample.bare)

    made, moved, tagged, gone = shop.receiver.bodies("push")
    assert (made["after"], moved["before"], moved["after"]) == (sample.commit, sample.commit, second)
    assert moved["commits"][0]["added"] == ["docs/größe.md"]
    assert moved["head_commit"]["message"] == "Say more\n\nMuch more."
    assert moved["repository"]["clone_url"] == sample.url
    assert (tagged["ref"], tagged["head_commit"]["id"]) == ("refs/tags/v1", second)
    assert tagged["after"] not in (second, ZEROS)
    assert (gone["ref"], gone["deleted"]) == ("refs/tags/v1", True)
