"""How much of the long matrices a run tries: all under CI and `make matrix`, a share otherwise.

`make test` must be over in minutes on a developer's machine; what it leaves out, every CI run does.
"""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("CI") or os.environ.get("SWITCHOVER_THOROUGH"))
WHY_NOT = "takes minutes: runs in CI and by `make matrix`"


def one_in(share: int) -> int:
    """Return 1 where everything is tried, else `share`: one point in so many."""
    return 1 if THOROUGH else share
