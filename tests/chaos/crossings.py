"""Every boundary that the bot's side crosses, numbered, and a crash at any of them.

A crossing is one command to the store, one request to the platform or the web, one hand-over to the engine,
or one notice that is sent. Each has two points: just before it, and just after it, when its effect is
done and its answer is lost. Nobody keeps a list: a new call crosses here by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import httpx
import redis

from workers.store.scripts import digest, source

T = TypeVar("T")

SCRIPTS = (
    "accept",
    "claim",
    "drift",
    "free",
    "move",
    "operate",
    "outbox_done",
    "outbox_take",
    "probe_report",
    "probe_take",
    "renew",
    "repair",
    "start",
    "stop",
    "take",
)


class Killed(BaseException):
    """The process died here. Nothing in it may catch this."""


class Crossings:
    """Counts points, and kills at those that are planned."""

    def __init__(self) -> None:
        self._plan: frozenset[int] = frozenset()
        self._dead = False
        self._counting = False
        self.seen: list[str] = []
        """What each point was, in order."""
        self.met: list[str] = []
        """Where it was killed."""

    def start(self, plan: Sequence[int] = ()) -> None:
        """Count from 0 anew; kill at these numbers."""
        self._plan, self._dead, self._counting = frozenset(plan), False, True
        self.seen, self.met = [], []

    def stop(self) -> None:
        """Count no more and kill no more."""
        self._counting = False

    def revive(self) -> None:
        """A new process begins."""
        self._dead = False

    def cross(self, what: str, act: Callable[[], T]) -> T:
        """Carry out a crossing, or die just before or just after it."""
        self._point(f"before {what}")
        try:
            return act()
        finally:
            self._point(f"after {what}")

    def _point(self, what: str) -> None:
        if self._dead:
            raise Killed(f"dead already, {what}")
        if not self._counting:
            return
        number = len(self.seen)
        self.seen.append(what)
        if number in self._plan:
            self._dead = True
            self.met.append(what)
            raise Killed(what)


class KillableTransport(httpx.BaseTransport):
    """Requests of the bot's side: one crossing each."""

    def __init__(self, transport: httpx.BaseTransport, crossings: Crossings, api_host: str) -> None:
        self._transport = transport
        self._crossings = crossings
        self._api_host = api_host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or die before or after it."""
        what = f"{request.method} {template_of(request.url.path)}"
        if request.url.host != self._api_host:
            what = f"ask {'production' if '-3000' not in request.url.host else 'the workspace'}"
        return self._crossings.cross(what, lambda: self._transport.handle_request(request))


def template_of(path: str) -> str:
    """Return a path of the API with `{}` for what differs from call to call."""
    return re.sub(r"/(?:\d+|[\w-]+(?:\.[\w-]+)+)(?=/|$)", "/{}", path.removeprefix("/api"))


def make_killable(client: redis.Redis, crossings: Crossings) -> None:
    """Let every command of a client be a crossing."""
    send: Callable[..., Any] = client.execute_command

    def execute_command(*arguments: Any, **options: Any) -> Any:
        return crossings.cross(_name_of(arguments), lambda: send(*arguments, **options))

    client.execute_command = execute_command  # type: ignore[method-assign]  # the one door of a client


def load_scripts(client: redis.Redis) -> None:
    """Let the store know every script, so that loading them is no crossing of some runs only."""
    for name in SCRIPTS:
        client.script_load(source(name))


def _name_of(arguments: Sequence[Any]) -> str:
    if arguments[0] != "EVALSHA":
        return f"store {arguments[0]}"
    name = next(name for name in SCRIPTS if digest(name) == arguments[1])
    if name != "move":
        return f"store {name}"
    fields, effects = json.loads(arguments[10]), json.loads(arguments[13])
    return " ".join(["store move", fields["status"], fields["step"], *sorted(effects)])
