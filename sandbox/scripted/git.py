"""A working clone in memory, and the little of a shell that `execute` needs for it."""

from __future__ import annotations

import re
import shlex

from sandbox.core.ports import GitFault, Seed, TooSlow
from sandbox.scripted.behaviour import Behaviour
from sandbox.scripted.repository import Commit, Repository


class Clone:
    """What a workspace has checked out. `branch` is None on a detached head."""

    def __init__(self, repository: Repository | None, seed: Seed) -> None:
        self.fault = ""
        self.repository = repository or Repository("")
        self.objects: set[str] = set()
        self.branch = seed.branch or "main"
        self.detached = False
        self.sha = self.repository.branches.get(self.branch, "")
        if repository is None or not self.sha:
            self.fault = "fatal: could not read from the remote repository"
            return
        depth = seed.clone_depth
        self.objects = self.repository.history(self.sha, depth)
        if depth is None:
            self.objects |= self.repository.reachable()
        if seed.git_ref in self.objects:
            self.checkout(str(seed.git_ref))

    @property
    def commit(self) -> Commit:
        """The commit that is checked out; raises GitFault."""
        if self.fault:
            raise GitFault(self.fault)
        return self.repository.commits[self.sha]

    def checkout(self, sha: str) -> None:
        """Detach at the commit; raises GitFault where the clone does not have it."""
        if sha not in self.objects:
            raise GitFault(f"fatal: reference is not a tree: {sha}")
        self.sha = sha
        self.detached = True

    def pull(self, branch: str | None) -> None:
        """Fetch, then fast-forward or merge; raises GitFault."""
        here = self.commit
        if self.detached and branch is None:
            raise GitFault("You are not currently on a branch.")
        tip = self.repository.branches.get(branch or self.branch)
        if tip is None:
            raise GitFault(f"fatal: couldn't find remote ref {branch or self.branch}")
        self.objects |= self.repository.reachable()
        if tip in self.repository.history(here.sha):
            return
        if here.sha in self.repository.history(tip):
            self.sha = tip
            return
        theirs = self.repository.commits[tip]
        merge = self.repository.add(
            "Merge", (here.sha, tip), {**here.files, **theirs.files}, theirs.behaviour
        )
        self.objects.add(merge.sha)
        self.sha = merge.sha

    @property
    def behaviour(self) -> Behaviour:
        """How what is checked out behaves."""
        return self.commit.behaviour if not self.fault else Behaviour()


class Shell:
    """Runs `a && b; c` lines of a few known commands on a clone."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone
        self.output = ""
        self.error = ""
        self.code = 0

    def run(self, line: str) -> None:
        """Run the line; what it printed stands in `output` and `error`."""
        skipping = ""
        for part in re.split(r"(&&|\|\||;|\n)", line):
            word = part.strip()
            if word in ("&&", "||", ";"):
                skipping = word
            elif word and not self._is_skipped(skipping):
                self.code = self._command(shlex.split(word.replace("$?", str(self.code))))

    def _is_skipped(self, operator: str) -> bool:
        return (operator == "&&" and self.code != 0) or (operator == "||" and self.code == 0)

    def _command(self, words: list[str]) -> int:
        words = [w for w in words if not re.fullmatch(r"\d?>(&\d|/dev/null)", w)]
        match words:
            case ["cd", *_] | ["true"] | [":"]:
                return 0
            case ["false"]:
                return 1
            case ["sleep", seconds] if float(seconds) >= 5:
                raise TooSlow
            case ["echo", *rest]:
                return self._print(" ".join(rest))
            case ["cat", path]:
                return self._cat(path)
            case ["test", "-f" | "-e", path] | ["[", "-f" | "-e", path, "]"]:
                return 0 if self._file(path) is not None else 1
            case ["git", *rest]:
                return self._git(_without_options(rest))
            case _:
                return self._complain(f"bash: line 1: {words[0]}: command not found", 127)

    def _git(self, words: list[str]) -> int:
        try:
            match words:
                case ["rev-parse", "HEAD"]:
                    return self._print(self.clone.commit.sha)
                case ["rev-parse", "--abbrev-ref", "HEAD"]:
                    return self._print("HEAD" if self.clone.detached else self.clone.branch)
                case ["cat-file", "-e", name]:
                    return 0 if _bare(name) in self.clone.objects else 1
                case ["checkout" | "switch", *options, sha] if "--detach" in options:
                    self.clone.checkout(_bare(sha))
                    return 0
                case ["checkout", *_, branch] if branch == self.clone.branch:
                    self.clone.detached = False
                    return 0
                case ["reset", "--hard", *_]:
                    return self._reset(words[2:])
                case ["show", name] if ":" in name:
                    return self._show(*name.split(":", 1))
                case _:
                    return self._complain(f"git: unknown to the sandbox: {' '.join(words)}", 1)
        except GitFault as fault:
            return self._complain(str(fault), 128)

    def _reset(self, names: list[str]) -> int:
        name = names[0] if names else "HEAD"
        sha = self.clone.repository.branches.get(name.removeprefix("origin/"), _bare(name))
        if name != "HEAD" and sha not in self.clone.objects:
            raise GitFault(f"fatal: ambiguous argument '{name}': unknown revision")
        self.clone.sha = self.clone.sha if name == "HEAD" else sha
        return 0

    def _show(self, name: str, path: str) -> int:
        sha = self.clone.sha if name == "HEAD" else _bare(name)
        commit = self.clone.repository.commits.get(sha)
        if commit is None or sha not in self.clone.objects or path not in commit.files:
            raise GitFault(f"fatal: path '{path}' does not exist in '{name}'")
        self.output += commit.files[path]
        return 0

    def _cat(self, path: str) -> int:
        text = self._file(path)
        if text is None:
            return self._complain(f"cat: {path}: No such file or directory", 1)
        self.output += text
        return 0

    def _file(self, path: str) -> str | None:
        name = path.removeprefix("/home/user/app/").removeprefix("./")
        return None if self.clone.fault else self.clone.commit.files.get(name)

    def _complain(self, text: str, code: int) -> int:
        self.error += f"{text}\n"
        return code

    def _print(self, text: str) -> int:
        self.output += f"{text}\n"
        return 0


def _bare(name: str) -> str:
    return name.removesuffix("^{commit}").removesuffix("^0")


def _without_options(words: list[str]) -> list[str]:
    rest = list(words)
    while rest[:1] in (["-c"], ["-C"]):
        rest = rest[2:]
    return [word for word in rest if word not in ("-q", "--quiet", "--force", "-f")]
