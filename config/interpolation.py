"""What `${NAME}`, `${NAME:-default}` and `file:/path` in a value stand for."""

import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.faults import Fault

LARGEST_FILE = 1024 * 1024

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.ASCII | re.DOTALL)


def join(path: str, key: object) -> str:
    """Return the path of a key below another path."""
    return f"{path}.{key}" if path else str(key)


StandIn = Callable[[str], str | None]
"""Returns what may stand at a place of the configuration whose value is not there, or None: it must be."""


@dataclass
class Resolver:
    """Replaces references in values after parsing, so that no value can change the structure.

    What cannot be replaced becomes a fault, and the value an empty text. A replaced value is
    not looked at again: a `${X}` inside a variable's value stays as it is.
    """

    environ: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)
    stand_in: StandIn | None = None
    """What stands where a value cannot be replaced; None, or where it returns None: a fault."""

    def resolve(self, value: Any, path: str = "") -> Any:
        """Return the same structure of mappings, lists and scalars with all texts resolved."""
        if isinstance(value, dict):
            return {key: self.resolve(each, join(path, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolve(each, join(path, index)) for index, each in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, text: str, path: str) -> str:
        before = len(self.faults)
        result = self._resolved(text, path)
        if len(self.faults) == before:
            return result
        stand_in = None if self.stand_in is None else self.stand_in(path)
        if stand_in is None:
            return ""
        del self.faults[before:]
        return stand_in

    def _resolved(self, text: str, path: str) -> str:
        before = len(self.faults)
        result = _REFERENCE.sub(lambda match: self._replaced(match, path), text)
        if len(self.faults) > before:
            return ""
        # file:// is a Git address; only file:/path names a secret to be read.
        if not text.startswith("file:/") or text.startswith("file://"):
            return result
        return self._read(Path(result.removeprefix("file:")), path)

    def _replaced(self, match: re.Match[str], path: str) -> str:
        if match[0] == "$${":
            return "${"
        reference = _NAME.fullmatch(match[1] or "")
        if reference is None:
            return self._fault(
                path,
                'has "${" that no variable name and "}" follow; '
                'write ${NAME} or ${NAME:-default}, or "$${" for the two characters themselves',
            )
        name, default = reference[1], reference[2]
        value = self.environ.get(name)
        if value is None and default is None:
            return self._fault(
                path,
                f"the variable {name} is not set; set it in the environment, "
                f"or give a default: ${{{name}:-default}}",
            )
        return value or default or ""

    def _read(self, file: Path, path: str) -> str:
        try:
            return read_text(file, LARGEST_FILE).removesuffix("\n").removesuffix("\r")
        except OSError as error:
            return self._fault(path, f"cannot read the file {file}: {reason_of(error)}")
        except ValueError as error:
            return self._fault(path, f"cannot use the file {file}: {error}")

    def _fault(self, path: str, message: str) -> str:
        self.faults.append(Fault(path, message))
        return ""


def reason_of(error: OSError) -> str:
    """Return the system's own words for an error, without the path that they are put after."""
    return error.strerror or type(error).__name__


def read_text(file: Path, most: int) -> str:
    """Return the text of a regular file; OSError when unreadable, ValueError when unfit."""
    # A pipe or device could block for ever or never end.
    if not stat.S_ISREG(file.stat().st_mode):
        raise ValueError("it is not a regular file")
    with file.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
