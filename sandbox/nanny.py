"""Kills process groups when the sandbox is gone, however it went.

Runs as a script of its own. Reads lines `+PGID` and `-PGID` from standard input; when that ends,
because the sandbox closed it or died, every group still named is killed. Unlike the parent-death
signal of Linux this also reaches grandchildren, and does not depend on which thread started whom.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def watch() -> None:
    """Keep the list until the input ends, then kill what is on it."""
    groups: set[int] = set()
    for line in sys.stdin:
        change, group = line[0], int(line[1:])
        groups = groups | {group} if change == "+" else groups - {group}
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch()
