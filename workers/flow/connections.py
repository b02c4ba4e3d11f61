"""A domain's connections: which are ours, what they become, and whether somebody else changed them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Routes = Mapping[str, Sequence[int]]
"""Path to workspace ids, as a platform or our own notes have it."""


def on_paths(connections: Routes, paths: Iterable[str]) -> dict[str, list[int]]:
    """Return only what stands on `paths`; a path without any workspace is left out."""
    return {path: list(connections[path]) for path in paths if connections.get(path)}


def with_ours(connections: Routes, paths: Iterable[str], ours: Routes) -> dict[str, list[int]]:
    """Return the whole map with our paths as in `ours`, everything else carried over as it is.

    The order of paths and ids is kept. A path of ours that `ours` does not name is taken out.
    """
    wanted = {path: list(ids) for path, ids in ours.items() if ids}
    taken_out = set(paths) - set(wanted)
    merged = {path: list(ids) for path, ids in connections.items() if path not in taken_out}
    return merged | wanted


def same(one: Routes | None, other: Routes | None) -> bool:
    """Tell whether two maps are equal as JSON values: same paths, same ids in the same order."""
    if one is None or other is None:
        return one is other
    return {path: list(ids) for path, ids in one.items()} == {path: list(ids) for path, ids in other.items()}


def named_in(workspace_id: int, domains: Iterable[tuple[str, Routes]]) -> str | None:
    """Return the first `domain/path` that names a workspace, or None."""
    for domain, connections in domains:
        for path, ids in connections.items():
            if workspace_id in ids:
                return domain + path
    return None


def in_words(connections: Routes) -> str:
    """Return the map as a person would say it."""
    if not connections:
        return "nothing"
    return ", ".join(
        f"{path} to {' and '.join(map(str, ids)) or 'nothing'}" for path, ids in connections.items()
    )
