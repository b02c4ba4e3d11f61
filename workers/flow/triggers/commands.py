"""Commands in comments: a line that is nothing but the command, outside of quotes and code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_LINE_END = re.compile(r"\r\n|\r|\n")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_QUOTE = re.compile(r" {0,3}>")
_CODE = re.compile(r" {0,3}\t| {4}")


def command_in(body: str, commands: Sequence[str]) -> str | None:
    """Return the first command that stands alone on a line of a comment, or None; case does not count.

    Not heard are quotes (with the lines that Markdown counts to them), code blocks, and what is hidden
    in an HTML comment. Source: CommonMark 0.31, "Block quotes" and "Code blocks".
    """
    known = {command.casefold(): command for command in commands}
    for line in _spoken(body):
        command = known.get(line.strip().casefold())
        if command is not None:
            return command
    return None


def _spoken(body: str) -> Iterator[str]:
    """Yield the lines of a comment that are neither quoted nor code nor hidden."""
    fence: str | None = None
    quoted = hidden = False
    for line in _LINE_END.split(body):
        if fence is not None:
            fence = None if _closes(line, fence) else fence
        elif hidden:
            hidden = "-->" not in line
        elif (opened := _FENCE.fullmatch(line)) and not (opened[1][0] == "`" and "`" in opened[2]):
            fence, quoted = opened[1], False
        elif _QUOTE.match(line):
            quoted = True
        elif "<!--" in line:
            hidden = "-->" not in line.rpartition("<!--")[2]
        elif not line.strip():
            quoted = False
        # A line straight below a quote is shown as a part of it.
        elif not quoted and not _CODE.match(line):
            yield line


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    indent = len(line) - len(line.lstrip(" "))
    return indent < 4 and len(bare) >= len(fence) and bare == fence[0] * len(bare)
