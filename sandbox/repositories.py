"""A sample repository made on the spot: a bare one to push to, and a working clone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import unquote, urlsplit

BRANCH = "main"
AUTHOR = ("-c", "user.name=Switchover sample", "-c", "user.email=sample@localhost")


class GitFailed(RuntimeError):
    """Git refused; the message is its own."""


@dataclass(frozen=True)
class SampleRepository:
    """`url` is what a workspace clones; `bare` is pushed to, `working` is committed in."""

    url: str
    branch: str
    commit: str
    bare: Path
    working: Path


def make_sample_repository(
    directory: Path, name: str = "shop", *, base_url: str | None = None
) -> SampleRepository:
    """The sample application as a repository below `directory`; one that is there is kept.

    The bare repository is `directory/{name}.git`. Its URL is a `file://` one, or below `base_url`
    where the sandbox serves it (`LocalSandbox.git_url`, with `directory` its `repositories`).
    """
    bare, working = directory.resolve() / f"{name}.git", directory.resolve() / f"{name}-work"
    if not (working / ".git").exists():
        _make(bare, working)
    url = f"{base_url.rstrip('/')}/{name}.git" if base_url else bare.as_uri()
    return SampleRepository(url, BRANCH, git(working, "rev-parse", "HEAD"), bare, working)


def commit_change(
    repository: SampleRepository, files: Mapping[str, str], message: str = "Change the sample"
) -> str:
    """Write the files, commit, push, and give the new commit."""
    for name, text in files.items():
        path = repository.working / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return _commit_and_push(repository.working, message)


def move_branch(url: str, branch: str, commit: str) -> None:
    """Point a branch of a `file://` repository at a commit it has; raises GitFailed."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise GitFailed(f"{url} is no file:// URL; only local repositories can be moved.")
    git(Path(unquote(parts.path)), "update-ref", f"refs/heads/{branch}", commit)
    git(Path(unquote(parts.path)), "update-server-info")


def git(directory: Path, *words: str) -> str:
    """Run git there and give what it printed, stripped; raises GitFailed."""
    program = Path(shutil.which("git") or "/usr/bin/git")
    env = {"PATH": f"{program.parent}{os.pathsep}{os.defpath}", "HOME": str(directory), "LANG": "C.UTF-8"}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    command = [str(program), *AUTHOR, *words]
    done = subprocess.run(
        command, cwd=directory, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise GitFailed(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def _make(bare: Path, working: Path) -> None:
    bare.mkdir(parents=True, exist_ok=True)
    working.mkdir(parents=True, exist_ok=True)
    git(bare, "init", "--quiet", "--bare", f"--initial-branch={BRANCH}")
    hook = bare / "hooks" / "post-update"
    hook.parent.mkdir(exist_ok=True)
    # Plain HTTP serves files only: clients find the branches in what this writes.
    hook.write_text("#!/bin/sh\nexec git update-server-info\n", encoding="utf-8")
    hook.chmod(0o755)
    git(working, "init", "--quiet", f"--initial-branch={BRANCH}")
    git(working, "remote", "add", "origin", str(bare))
    for file in resources.files("sandbox.sample").iterdir():
        if file.is_file() and file.name != "__init__.py":
            (working / file.name).write_bytes(file.read_bytes())
    (working / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    _commit_and_push(working, "Open the shop")


def _commit_and_push(working: Path, message: str) -> str:
    git(working, "add", "--all")
    git(working, "commit", "--quiet", "--message", message)
    git(working, "push", "--quiet", "--set-upstream", "origin", BRANCH)
    return git(working, "rev-parse", "HEAD")
