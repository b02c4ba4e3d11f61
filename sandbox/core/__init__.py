"""A Codesphere that does no I/O: requests in, answers out, time from a clock that is handed in."""

from sandbox.core.faults import Fault, Faults
from sandbox.core.http import Broken, Request, Response
from sandbox.core.platform import Platform, Quirks, Timing
from sandbox.core.sandbox import Sandbox

__all__ = [
    "Broken",
    "Fault",
    "Faults",
    "Platform",
    "Quirks",
    "Request",
    "Response",
    "Sandbox",
    "Timing",
]
