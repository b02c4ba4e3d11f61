"""`make bench`: every figure of the README from one run on this machine."""

from __future__ import annotations

import sys

from tests.bench import intake, many, overhead

PARTS = {"intake": intake.run, "overhead": overhead.run, "many": many.run}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
