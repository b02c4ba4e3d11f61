"""YAML as this configuration reads it: no surprises, no duplicate keys, keys always texts.

The plain words `on`, `off`, `yes` and `no`, dates, and numbers that would not be written back
the same way (`010`, `1.10`, `22:22`) stay texts.
"""

import re
from collections.abc import Hashable, Mapping
from typing import Any

import yaml

from config.faults import Fault
from config.interpolation import join

DEEPEST = 50
LARGEST_TREE = 100_000


class _Loader(yaml.SafeLoader):
    """SafeLoader's constructors with fewer implicit types; duplicate keys go to `faults`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - pyyaml reads it from the class

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.faults: list[Fault] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - pyyaml's own signature
        """Return the mapping with every key as the text that was written."""
        self.flatten_mapping(node)
        return {_key(key): self.construct_object(value, deep=deep) for key, value in node.value}


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z", re.ASCII), list("-0123456789")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(
            None, None, "found a key that is not a plain text", node.start_mark
        )
    return str(node.value)


def parse_yaml(text: str) -> tuple[dict[str, Any], list[Fault]]:
    """Return the top-level mapping and the faults of the document; never raises for bad text.

    With a fault of syntax the mapping is empty. An empty document is an empty mapping.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return {}, []
        faults = _inspect(node)
        document = loader.construct_document(node)
    except yaml.YAMLError as error:
        return {}, [Fault("", _syntax_message(error))]
    except RecursionError:
        return {}, [Fault("", "is nested too deeply")]
    if document is None:
        return {}, faults
    if not isinstance(document, dict):
        return {}, [Fault("", "should be a mapping: key, colon, value")]
    return document, faults


def _inspect(root: yaml.Node) -> list[Fault]:
    """Find duplicate keys, and refuse anchors that would unfold without end."""
    faults: list[Fault] = []
    stack: list[tuple[yaml.Node, str, int]] = [(root, "", 0)]
    seen = 0
    while stack:
        node, path, depth = stack.pop()
        seen += 1
        if depth > DEEPEST or seen > LARGEST_TREE:
            raise yaml.constructor.ConstructorError(
                None, None, "nested too deeply or too large", node.start_mark
            )
        if isinstance(node, yaml.SequenceNode):
            stack += [(each, join(path, index), depth + 1) for index, each in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            faults += _duplicates(node, path)
            stack += [(value, join(path, _key(key)), depth + 1) for key, value in node.value]
    return list(dict.fromkeys(faults))


def _duplicates(node: yaml.MappingNode, path: str) -> list[Fault]:
    first: dict[str, int] = {}
    faults = []
    for key_node, _ in node.value:
        key = _key(key_node)
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        line = key_node.start_mark.line + 1
        if key in first:
            message = f"is there twice, on lines {first[key]} and {line}; keep one of them"
            faults.append(Fault(join(path, key), message))
        first.setdefault(key, line)
    return faults


def _syntax_message(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return "is not text that YAML allows; look for control characters"
    mark = error.problem_mark
    # Longer quotes may be pieces of a secret that was written without quotation marks.
    problem = re.sub(r"'[^']{2,}'|\"[^\"]{2,}\"", "…", error.problem or "unreadable")
    return (
        f"is not valid YAML on line {mark.line + 1}, column {mark.column + 1}: {problem}; "
        "put quotes around values with special characters"
    )


def merged(base: Any, over: Any) -> Any:
    """Lay `over` onto `base`: mappings merge key by key, lists and scalars replace."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    both = {key: merged(base[key], over[key]) for key in base if key in over}
    return {**base, **over, **both}
