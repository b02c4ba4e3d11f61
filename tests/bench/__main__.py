"""`make bench`: every figure of the README from one run on this machine."""

from __future__ import annotations

from tests.bench import intake

if __name__ == "__main__":
    intake.run()
