"""From the text of a file to one tree: variables resolved, projects included, defaults laid under."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from glob import has_magic, iglob
from itertools import islice
from pathlib import Path
from typing import Any

from config.documents import merged, parse_yaml
from config.faults import Fault
from config.interpolation import Resolver, StandIn, join, read_text, reason_of
from config.reporting import Found, Place

LARGEST_CONFIGURATION = 4 * 1024 * 1024
MOST_INCLUDED = 1000


@dataclass
class Document:
    """A configuration before it is validated.

    `tree` is shaped like Settings; `defaults` and `own` are what was written, to tell where a
    value comes from; `files` names the included file of a project.
    """

    tree: dict[str, Any]
    defaults: Any
    own: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, found: Found) -> Fault:
        """Return a fault at the place where its value was written."""
        place, message = found
        if len(place) > 2 and place[0] == "projects":
            rest = place[2:]
            if not _reaches(self.own.get(str(place[1])), rest) and _reaches(self.defaults, rest):
                return Fault(path_of(("defaults", *rest)), message)
        if len(place) > 1 and place[0] == "projects" and place[1] in self.files:
            message = f"{message} (in {self.files[str(place[1])]})"
        return Fault(path_of(place), message)


def path_of(place: Place) -> str:
    """Return a place as it is shown: `projects.shop.notify.0`."""
    return ".".join(str(key) for key in place)


def gather(
    text: str, environ: Mapping[str, str], directory: Path, stand_in: StandIn | None = None
) -> Document:
    """Read everything there is to read; what goes wrong is in the document's `faults`."""
    written, faults = parse_yaml(text)
    resolver = Resolver(environ, faults, stand_in)
    tree = {key: resolver.resolve(value, key) for key, value in _stated(written)}
    patterns, defaults = tree.pop("include", None), tree.pop("defaults", None)
    projects = tree.get("projects")
    document = Document(tree, defaults, dict(projects) if isinstance(projects, dict) else {})
    if patterns is not None:
        _include(document, patterns, directory, resolver)
    if isinstance(projects, dict) or document.own:
        tree["projects"] = {
            name: merged(defaults, project) if isinstance(project, dict) else project
            for name, project in document.own.items()
        }
    if defaults is not None and not isinstance(defaults, dict):
        faults.append(Fault("defaults", "should be a mapping: key, colon, value"))
    document.faults = faults
    return document


def _stated(written: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in written.items() if not key.startswith("x-"))


def _include(document: Document, patterns: Any, directory: Path, resolver: Resolver) -> None:
    if not isinstance(patterns, list) or not all(isinstance(each, str) for each in patterns):
        resolver.faults.append(Fault("include", 'should be a list of texts: ["projects/*.yaml"]'))
        return
    seen: set[str] = set()
    for index, pattern in enumerate(patterns):
        place = join("include", index)
        fitting = iglob(pattern, root_dir=directory, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
        names = sorted(islice(fitting, MOST_INCLUDED + 1))
        if len(names) > MOST_INCLUDED:
            resolver.faults.append(Fault(place, f"fits more than {MOST_INCLUDED} files"))
            continue
        if not names and pattern and not has_magic(pattern):
            resolver.faults.append(Fault(place, f"there is no file {pattern}"))
        for name in names:
            if name not in seen and not (directory / name).is_dir():
                _include_file(document, name, directory, place, resolver)
            seen.add(name)


def _include_file(document: Document, name: str, directory: Path, place: str, resolver: Resolver) -> None:
    try:
        text = read_text(directory / name, LARGEST_CONFIGURATION)
    except OSError as error:
        resolver.faults.append(Fault(place, f"cannot read {name}: {reason_of(error)}"))
        return
    except ValueError as error:
        resolver.faults.append(Fault(place, f"cannot use {name}: {error}"))
        return
    written, faults = parse_yaml(text)
    resolver.faults += [
        Fault(fault.path, f"{fault.message} (in {name})")
        if fault.path
        else Fault(place, f"{name} {fault.message}")
        for fault in faults
    ]
    stated = dict(_stated(written))
    if stated and all(isinstance(each, dict) and "repository" in each for each in stated.values()):
        stated = {"projects": stated}
    for key in sorted(stated.keys() - {"projects"}):
        resolver.faults.append(
            Fault(key, f"does not belong into an included file, which has only projects (in {name})")
        )
    _add_projects(document, stated.get("projects"), name, resolver)


def _add_projects(document: Document, projects: Any, name: str, resolver: Resolver) -> None:
    if projects is None:
        return
    if not isinstance(projects, dict):
        message = f"should be a mapping: key, colon, value (in {name})"
        resolver.faults.append(Fault("projects", message))
        return
    for project, written in projects.items():
        path = join("projects", project)
        if project in document.own:
            first = document.files.get(project, "the main file")
            resolver.faults.append(Fault(path, f"is defined twice, in {first} and in {name}"))
            continue
        inner = Resolver(resolver.environ, stand_in=resolver.stand_in)
        document.own[project] = inner.resolve(written, path)
        resolver.faults += [Fault(each.path, f"{each.message} (in {name})") for each in inner.faults]
        document.files[project] = name


def _reaches(value: Any, place: Place) -> bool:
    for key in place:
        if isinstance(value, Mapping) and key in value:
            value = value[str(key)]
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return False
    return True
