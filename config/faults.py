"""What is wrong with a configuration, and where in the file."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: `path` in the file (`projects.shop.target.domain`) and what to do about it.

    The path is empty when the fault concerns the file as a whole. Neither part ever contains
    the value of a secret.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigurationError(Exception):
    """A configuration that cannot be used, with every fault found in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(*self.faults)

    def __str__(self) -> str:
        count = len(self.faults)
        head = f"The configuration has {count} fault{'' if count == 1 else 's'}:"
        return "\n".join([head, *(f"  {fault}" for fault in self.faults)])


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the known word most like this one, or an empty text."""
    match = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return f'; did you mean "{match[0]}"?' if match else ""
