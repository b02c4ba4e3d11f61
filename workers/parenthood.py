"""Processes that end with their parent, and a small family of them that is kept alive."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

from workers.errors import SwitchoverError

PR_SET_PDEATHSIG = 1  # linux/prctl.h

FIRST_BACK_OFF = 0.2
LONGEST_BACK_OFF = 5.0
SETTLED_SECONDS = 30.0
"""A child that lived so long is started again with the first pause."""
BEGINNING_SECONDS = 10.0
WATCH_SECONDS = 0.1

log = logging.getLogger(__name__)


def ending_with_parent(with_signal: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that makes the child get a signal when the thread that started it ends.

    Start children from the main thread, therefore. None where the system has no such thing (macOS).
    """
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: between fork and exec only the plainest of calls are safe.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:  # it ended before we could ask
            os._exit(1)

    return tie


@dataclass(frozen=True, slots=True)
class Member:
    """A process to keep alive: what to run, and how long (seconds) it may take to end when asked to."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    patience: float


class CannotStart(SwitchoverError):
    """A child said by its exit status that it cannot begin; starting it again would not help."""


class Child:
    """One process that is started again when it dies. Use from the main thread only."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._starts = 0
        self._start_again_at = 0.0
        self._back_off = FIRST_BACK_OFF

    @property
    def pid(self) -> int | None:
        """Return the id of the living process, if there is one."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if alive and self._process is not None else None

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only its parent."""
        self._started_at = time.monotonic()
        self._starts += 1
        self._process = subprocess.Popen(
            list(self.member.command),
            env=dict(self.member.environ),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=ending_with_parent(signal.SIGKILL),  # noqa: PLW1509 - PDEATHSIG has no other place
        )

    def keep_alive(self) -> None:
        """Start the process again when it has died, with a growing pause between two starts.

        Raises `CannotStart` when the very first start ended soon, with an exit status other than 0.
        """
        if self.pid is not None:
            return
        now = time.monotonic()
        if self._process is not None:
            lived = now - self._started_at
            if self._process.returncode > 0 and self._starts == 1 and lived < BEGINNING_SECONDS:
                ending = how_it_ended(self._process.returncode)
                raise CannotStart(f"{self.member.name} cannot start ({ending}); what it wrote above says why")
            if lived > SETTLED_SECONDS:
                self._back_off = FIRST_BACK_OFF
            log.warning(
                "%s ended (%s); starting it again in %.1f s",
                self.member.name,
                how_it_ended(self._process.returncode),
                self._back_off,
            )
            self._process = None
            self._start_again_at = now + self._back_off
            self._back_off = min(LONGEST_BACK_OFF, self._back_off * 2)
        elif now >= self._start_again_at:
            self.start()

    def send(self, number: signal.Signals) -> None:
        """Send a signal if the process lives."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def end_all(children: Sequence[Child], *, hurry: Callable[[], bool] = lambda: False) -> None:
    """Ask children to end, all at once; kill those that take longer than their patience."""
    asked_at = time.monotonic()
    for child in children:
        child.send(signal.SIGTERM)
    while any(child.pid is not None for child in children):
        for child in children:
            if child.pid is not None and (hurry() or time.monotonic() - asked_at > child.member.patience):
                log.warning("%s did not end in time and is killed", child.member.name)
                child.send(signal.SIGKILL)
        time.sleep(0.02)


class Ending:
    """What the signals of this process asked for so far. Make it in the main thread, before any child."""

    def __init__(self) -> None:
        self._asked = 0
        self._reload = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGHUP, self._ask_reload)

    @property
    def asked(self) -> bool:
        """Tell whether this process shall end."""
        return self._asked > 0

    def in_a_hurry(self) -> bool:
        """Tell whether somebody asked a second time."""
        return self._asked > 1

    def take_reload(self) -> bool:
        """Tell whether the configuration shall be read again; forgets it."""
        asked, self._reload = self._reload, False
        return asked

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked += 1

    def _ask_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True


def watch_over(children: Sequence[Child], ending: Ending, *, also: Callable[[], None] | None = None) -> None:
    """Keep children alive until this process shall end; SIGHUP is passed on to each.

    `also` is called ten times a second. Raises `CannotStart`.
    """
    while not ending.asked:
        if also is not None:
            also()
        reload = ending.take_reload()
        for child in children:
            child.keep_alive()
            if reload:
                child.send(signal.SIGHUP)
        time.sleep(WATCH_SECONDS)


def how_it_ended(returncode: int | None) -> str:
    """Say how a process ended."""
    if returncode is None:
        return "not at all"
    if returncode < 0:
        return f"killed by signal {-returncode}"
    return f"exit status {returncode}"
