"""Patterns for branches, tags and paths: `*` stays within a segment, `**` crosses, `!` takes away."""

import functools
import re
from collections.abc import Sequence


def matches(patterns: Sequence[str], name: str) -> bool:
    """Tell whether `name` is taken: the last pattern that fits decides, and none means no.

    A pattern with a leading `!` takes away what earlier ones let in. The match is of the whole
    name and heeds case; `?` stands for one character of a segment. `release/**` fits all names
    below `release/`, at any depth, and `**/x` also fits `x` itself.
    """
    taken = False
    for pattern in patterns:
        away = pattern.startswith("!")
        if taken == away and _compiled(pattern.removeprefix("!")).fullmatch(name):
            taken = not away
    return taken


def fault_of(pattern: str) -> str | None:
    """Say what is wrong with a pattern, or None when it is sound."""
    body = pattern.removeprefix("!")
    if not body:
        return "is an empty pattern"
    if body.startswith("!"):
        return 'begins with "!!"; one "!" takes away'
    if "***" in body:
        return 'has "***"; use "*" within a segment and "**" across segments'
    if any(character.isspace() for character in body):
        return "contains white space, which no Git name has"
    if any(character in "[]{}\\" for character in body):
        return 'has one of [ ] { } \\, which have no meaning here; use "*", "**", "?" and "!"'
    return None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(_MEANING.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL)


_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
