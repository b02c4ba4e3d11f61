"""The host's accounts, repositories and hooks, and how what happens is told to the hooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from sandbox.githost import github_events, gitlab_events
from sandbox.githost.delivering import Outgoing, Post, Send
from sandbox.githost.happenings import Happening, Message, Moved, Pinged
from sandbox.githost.model import Dialect, Hook, Repository, Role, Token, User

GITLAB_EVENTS = {
    "push": "push",
    "tag_push": "push",
    "merge_request": "pull_request",
    "note": "issue_comment",
    "pipeline": "check_suite",
    "release": "release",
    "deployment": "deployment_status",
}
"""The name in `Hook.events` that a GitLab event goes by."""


def no_receiver(_: Outgoing) -> int:
    """Nobody listens."""
    return 0


class World:
    """Accounts and repositories. Safe to call from several threads; deliveries go out after each call.

    `clock` gives epoch seconds. With `send_at_once` False, `post.deliver()` sends what waits.
    """

    def __init__(
        self, clock: Callable[[], float], send: Send = no_receiver, *, send_at_once: bool = True
    ) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.post = Post(send, clock)
        self.send_at_once = send_at_once
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[int, Repository] = {}
        self.former_names: dict[str, int] = {}
        self.organisation_hooks: dict[int, Hook] = {}
        self._last_id = 1000
        self._depth = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One thing at a time. What it told is sent when the outermost turn of the thread is over.

        Nothing is sent within, because a receiver may call the API before it answers.
        """
        with self.lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                outermost = self._depth == 0
        if outermost and self.send_at_once:
            self.post.deliver()

    def next_id(self) -> int:
        """A number that nothing else has."""
        self._last_id += 1
        return self._last_id

    def user(self, login: str, *, bot: bool = False) -> User:
        """The account of that name, made where it is new."""
        with self.turn():
            key = login.lower()
            if key not in self.users:
                self.users[key] = User(self.next_id(), login, bot)
            return self.users[key]

    def token(
        self,
        secret: str,
        login: str,
        *,
        read_only: bool = False,
        repositories: Iterable[Repository] | None = None,
    ) -> Token:
        """A token that speaks for an account."""
        limited = None if repositories is None else frozenset(each.id for each in repositories)
        made = Token(secret, self.user(login), read_only, limited)
        self.tokens[secret] = made
        return made

    def repository(
        self,
        full_name: str,
        *,
        private: bool = True,
        default_branch: str = "main",
        roles: Mapping[str, Role] | None = None,
    ) -> Repository:
        """A new, empty repository; `roles` by login. It takes over a name that another gave up."""
        owner, _, name = full_name.rpartition("/")
        with self.turn():
            made = Repository(self.next_id(), owner, name, private, default_branch, at=self.clock())
            self._enter(made)
            for login, role in (roles or {}).items():
                self.grant(made, login, role)
        return made

    def grant(self, repo: Repository, login: str, role: Role) -> None:
        """Give an account that role, or take all with `none`."""
        repo.roles[self.user(login).login.lower()] = role

    def find(self, full_name: str) -> Repository | None:
        """The repository that has the name now."""
        wanted = full_name.lower()
        return next((r for r in self.repositories.values() if r.full_name.lower() == wanted), None)

    def fork(self, parent: Repository, owner: str) -> Repository:
        """A copy under another owner, who administers it; shares the objects of the parent."""
        with self.turn():
            made = Repository(
                self.next_id(), owner, parent.name, parent.private, parent.default_branch, parent.id
            )
            made.history, made.branches, made.at = parent.history, dict(parent.branches), self.clock()
            self._enter(made)
            self.grant(made, owner, "admin")
        return made

    def delete_repository(self, repo: Repository) -> None:
        """Gone; changes that came from it lose their source."""
        with self.turn():
            del self.repositories[repo.id]
            for other in self.repositories.values():
                for change in other.changes.values():
                    change.source = None if change.source == repo.id else change.source

    def rename(self, repo: Repository, full_name: str, *, by: str = "owner") -> None:
        """Rename or transfer; the old name leads here until another repository takes it."""
        owner, _, name = full_name.rpartition("/")
        with self.turn():
            former_owner, former_name = repo.owner, repo.name
            self.former_names[repo.full_name.lower()] = repo.id
            repo.owner, repo.name = owner, name
            self.former_names.pop(full_name.lower(), None)
            self.tell(Moved(repo, self.user(by), former_owner, former_name))

    def add_hook(
        self,
        repo: Repository,
        url: str,
        secret: str,
        *,
        events: Iterable[str] = ("*",),
        dialect: Dialect = "github",
        signing_token: str = "",
        form: bool = False,
    ) -> Hook:
        """A webhook; GitHub pings it at once. `events` are GitHub's names for either dialect."""
        with self.turn():
            made = Hook(self.next_id(), repo.id, url, secret, frozenset(events), dialect=dialect)
            made.signing_token, made.form = signing_token, form
            repo.hooks[made.id] = made
            self.ping(made)
        return made

    def add_organisation_hook(
        self,
        owner: str,
        url: str,
        secret: str,
        *,
        events: Iterable[str] = ("*",),
        dialect: Dialect = "github",
    ) -> Hook:
        """A webhook for all repositories of an owner, also those that come later."""
        with self.turn():
            made = Hook(self.next_id(), 0, url, secret, frozenset(events), dialect=dialect, owner=owner)
            self.organisation_hooks[made.id] = made
            self.ping(made)
        return made

    def ping(self, hook: Hook) -> None:
        """Try a hook out; GitLab has no ping."""
        with self.turn():
            pinged = Pinged(self.repositories.get(hook.repository), self.user("owner"), hook)
            for message in self._messages(hook, pinged):
                self.post.put(hook, hook.repository, message)

    def tell(self, happening: Happening, dialect: Dialect | None = None) -> None:
        """Make the deliveries of a happening, for hooks of one dialect or all; nothing is sent yet."""
        repo = happening.repository
        if repo is None:
            raise ValueError("only a ping is without a repository; use ping() for it")
        above = [each for each in self.organisation_hooks.values() if each.owner == repo.owner]
        for hook in [*repo.hooks.values(), *above]:
            if not hook.active or dialect not in (None, hook.dialect):
                continue
            for message in self._messages(hook, happening):
                if _wants(hook, message.event):
                    self.post.put(hook, repo.id, message)

    def _messages(self, hook: Hook, happening: Happening) -> list[Message]:
        if hook.dialect == "gitlab":
            return gitlab_events.messages(happening)
        found = github_events.messages(happening, self.repositories.get)
        return [github_events.of_organisation(each, hook.owner) if hook.owner else each for each in found]

    def _enter(self, repo: Repository) -> None:
        if self.find(repo.full_name):
            raise ValueError(f"{repo.full_name} exists already")
        self.former_names.pop(repo.full_name.lower(), None)
        self.repositories[repo.id] = repo


def _wants(hook: Hook, event: str) -> bool:
    asked = GITLAB_EVENTS[event] if hook.dialect == "gitlab" else event
    return "*" in hook.events or asked in hook.events
