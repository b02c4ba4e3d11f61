"""The house rules that no other tool checks, held over every file of the repository.

A rule takes one file and yields its faults. Each stands with a sample that breaks it, so that a rule
which notices nothing any more is noticed.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ("bot", "workers", "config", "sandbox")

LONGEST_FUNCTION = 60
LONGEST_FILE = 400
LONGEST_POLL = 0.1

ENTRY_POINTS = {
    "bot/cli/__init__.py": "the command line",
    "bot/serve.py": "the web process",
    "bot/supervisor.py": "the process tree of `up`",
    "workers/main.py": "the worker process",
    "sandbox/main.py": "the sandbox as a program",
    "sandbox/demo.py": "`make run` and `make push`",
    "sandbox/sample/app.py": "a program of its own: what a sandbox release runs",
}
EDGES = {
    "bot/receiver.py": "a server of its own: what nobody foresaw becomes a 500 with a trace id",
    "bot/tracing.py": "the last place before the server: what nobody foresaw becomes a 500 with a trace id",
    "workers/prober.py": "the thread's edge: one bad entry must not end all probing",
    "workers/pump.py": "the thread's edge: without its pump the process is useless",
    "workers/housekeeping.py": "the edge of its thread",
}
"""Where everything may be caught. Anywhere else it has to be raised again."""

KEYS_ARE_SPELLED_IN = {
    "workers/store/keyspace.py": "every key of the store",
    "workers/releases/identity.py": "the ownership mark of a workspace, which is no key",
}
STATUS_IS_SET_IN = {
    "workers/flow/moves.py": "the one door: it checks the table of moves",
    "workers/flow/admission.py": "a new release is queued",
    "workers/flow/records.py": "the status of a step, not of a release",
    "workers/releases/codec.py": "a release is read back",
}
SLEEPS_ARE_NEEDED_IN = {
    "tests/flow/test_prober.py": "a slow server, and time in which nobody looks, are what it is about",
    "tests/unit/sandbox/test_local.py": "a request that outlives a change of routes",
    "tests/unit/sandbox/visitors.py": "keeps a given rate of requests",
}
LONG_FILES = {"tests/unit/hosts/test_github.py": 500}
"""Files that still wait to be split, and how long they are at most."""

MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:work|root|Users/\w+)/")
REGISTRY = re.compile(r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs|proxy\.golang)")
KEY_PREFIX = re.compile(r"switchover:(?![\s/])")
EMOJI = re.compile("[\U0001f000-\U0001faff\u2705\u2728\u274c\u2b50\ufe0f]")
VAGUE_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|commons?|managers?|misc)(?:_|$)")


@dataclass(frozen=True)
class Source:
    """One file: its path from the top of the repository, and what it says."""

    path: str
    text: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Return every node of a Python file, each knowing its `parent`."""
        tree = ast.parse(self.text) if self.path.endswith(".py") else ast.Module([], [])
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node  # type: ignore[attr-defined]  # the tree has no way up
        return list(ast.walk(tree))

    @property
    def of_the_house(self) -> bool:
        return self.path.split("/")[0] in HOUSE


Rule = Callable[[Source], Iterator[str]]


def no_vague_names(source: Source) -> Iterator[str]:
    for part in PurePosixPath(source.path).parts:
        if VAGUE_NAMES.search(PurePosixPath(part).stem):
            yield f"{part} says nothing about what it holds"


def no_long_functions(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.lineno}: {node.name} has {lines} lines, more than {LONGEST_FUNCTION}"


def no_long_files(source: Source) -> Iterator[str]:
    lines, most = source.text.count("\n"), LONG_FILES.get(source.path, LONGEST_FILE)
    if source.path.endswith(".py") and lines > most:
        yield f"has {lines} lines, more than {most}"


def no_addresses_in_locks(source: Source) -> Iterator[str]:
    if source.path.endswith(".lock"):
        for number, line in enumerate(source.text.splitlines(), 1):
            if re.search(r"https?://|--(?:extra-)?index-url|--find-links", line):
                yield f"{number}: a lock names packages and hashes, no places"


def no_machine_paths(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if found := MACHINE_PATH.search(line) or REGISTRY.search(line):
            yield f"{number}: {found[0]} belongs to one machine or network"


def no_environment_within(source: Source) -> Iterator[str]:
    if source.path in ENTRY_POINTS or not source.of_the_house:
        return
    asked = {"os.environ", "os.environb", "os.getenv", "os.putenv"}
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and _dotted(node) in asked:
            yield f"{node.lineno}: {_dotted(node)} is for entry points; take what you need as a parameter"
        elif isinstance(node, ast.ImportFrom) and asked & {
            f"{node.module}.{each.name}" for each in node.names
        }:
            yield f"{node.lineno}: import os, so that its environment can be seen to be used"


def no_keys_outside_the_keyspace(source: Source) -> Iterator[str]:
    if not source.of_the_house or source.path in KEYS_ARE_SPELLED_IN:
        return
    if source.path.endswith(".lua"):
        yield from (f"spells a key: {found[0]}" for found in re.finditer(r"['\"]switchover:", source.text))
    for node in source.nodes:
        text = node.value if isinstance(node, ast.Constant) and not _is_docstring(node) else None
        if isinstance(node, ast.Constant) and isinstance(text, str) and KEY_PREFIX.search(text):
            yield f"{node.lineno}: spells a key: {text[:40]}"


def no_status_but_through_the_table(source: Source) -> Iterator[str]:
    if not source.path.startswith(("workers/", "bot/")) or source.path in STATUS_IS_SET_IN:
        return
    for node in source.nodes:
        made = isinstance(node, ast.Call) and _name_of(node.func) in {"replace", "Release"}
        if made and isinstance(node, ast.Call) and "status" in {each.arg for each in node.keywords}:
            yield f"{node.lineno}: sets a status; only {', '.join(STATUS_IS_SET_IN)} may"
        if isinstance(node, ast.Assign | ast.AugAssign) and source.path.startswith("workers/"):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Attribute) and target.attr == "status" for target in targets):
                yield f"{node.lineno}: assigns a status"


def no_catching_of_everything(source: Source) -> Iterator[str]:
    if not source.of_the_house or source.path in EDGES:
        return
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node) and not _raises_again(node):
            yield f"{node.lineno}: catches everything; name the errors, or let them go on"


def no_hoping_sleeps(source: Source) -> Iterator[str]:
    if not source.path.startswith("tests/") or source.path in SLEEPS_ARE_NEEDED_IN:
        return
    for node in source.nodes:
        if not (
            isinstance(node, ast.Call) and _dotted(node.func) in {"sleep", "time.sleep", "asyncio.sleep"}
        ):
            continue
        length = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        short = isinstance(length, int | float) and length <= LONGEST_POLL
        polls = short and any(isinstance(each, ast.While | ast.For) for each in _above(node))
        if not polls and "  # " not in source.text.splitlines()[node.lineno - 1]:
            yield f"{node.lineno}: sleeps and hopes; wait for a condition with a deadline, or say why here"


def no_unguarded_python(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.List) and any(_dotted(each) == "sys.executable" for each in node.elts):
            words = [each.value for each in node.elts if isinstance(each, ast.Constant)]
            if source.of_the_house and not {"-P", "-I"} & set(words):
                yield f"{node.lineno}: without -P the working directory comes first on the path"


def no_clients_at_import(source: Source) -> Iterator[str]:
    made = {"Client", "AsyncClient", "Redis", "from_url", "Celery", "connect", "connect_async", "make_celery"}
    read = {"read_settings", "load_settings", "configure_logging"}
    for node in source.nodes if source.of_the_house else ():
        later = any(
            isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for each in _above(node)
        )
        if isinstance(node, ast.Call) and not later and _name_of(node.func) in made | read:
            yield f"{node.lineno}: {_name_of(node.func)} is called when the module is imported"


def no_silencing_without_a_reason(source: Source) -> Iterator[str]:
    if not source.path.endswith(".py"):
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if re.search(r"#\s*noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S)", line):
            yield f"{number}: noqa needs a code and a reason: X123 - why"
        if re.search(r"#\s*type:\s*ignore(?!\[[\w, -]+\] {1,2}# \S)", line):
            yield f"{number}: what is ignored needs a code and a reason: [code]  # why"


def no_emojis(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if found := EMOJI.search(line):
            yield f"{number}: U+{ord(found[0]):X}"


def _is_docstring(node: ast.Constant) -> bool:
    return isinstance(getattr(node, "parent", None), ast.Expr)


def _above(node: ast.AST) -> Iterator[ast.AST]:
    while (node := getattr(node, "parent", None)) is not None:  # type: ignore[assignment]  # ends with None
        yield node


def _name_of(function: ast.expr) -> str:
    return _dotted(function).rpartition(".")[2]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or _dotted(each) in {"Exception", "BaseException"} for each in caught)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.body[-1], ast.Raise)


BROKEN: list[tuple[Rule, str, str]] = [
    (no_vague_names, "workers/store/redis_utils.py", ""),
    (no_vague_names, "bot/helpers/tokens.py", ""),
    (no_long_functions, "bot/x.py", "async def f():\n" + "    pass\n" * LONGEST_FUNCTION),
    (no_long_files, "tests/x.py", "\n" * (LONGEST_FILE + 1)),
    (no_addresses_in_locks, "requirements.lock", "--index-url https://packages.example.com/simple\n"),
    (no_machine_paths, "README.md", "see /" + "work/main\n"),
    (no_machine_paths, "Dockerfile", "RUN cp x '/" + "root/.cache'\n"),
    (no_machine_paths, "uv.lock", "files.python" + "hosted.org"),
    (no_environment_within, "workers/queue.py", "import os\nx = os.environ['A']"),
    (no_environment_within, "config/values.py", "from os import getenv"),
    (no_keys_outside_the_keyspace, "workers/pump.py", 'key = f"switchover:{name}"'),
    (no_keys_outside_the_keyspace, "workers/store/lua/x.lua", 'redis.call("get", "switchover:due")'),
    (no_status_but_through_the_table, "workers/flow/x.py", "replace(release, status=Status.LIVE)"),
    (no_status_but_through_the_table, "bot/api/x.py", "dataclasses.replace(release, status=to)"),
    (no_status_but_through_the_table, "workers/tasks.py", "release.status = Status.LIVE"),
    (no_catching_of_everything, "workers/x.py", "try: pass\nexcept Exception: log()"),
    (no_catching_of_everything, "bot/x.py", "try: pass\nexcept: pass"),
    (no_catching_of_everything, "bot/x.py", "try: pass\nexcept (OSError, BaseException): pass"),
    (no_hoping_sleeps, "tests/x.py", "import time\ntime.sleep(0.01)"),
    (no_hoping_sleeps, "tests/x.py", "while not ready():\n    time.sleep(3)"),
    (no_hoping_sleeps, "tests/x.py", "async def f():\n    for _ in r:\n        await asyncio.sleep(pause)"),
    (no_unguarded_python, "bot/x.py", "[sys.executable, '-m', 'bot.serve']"),
    (no_clients_at_import, "workers/x.py", "client = redis.Redis.from_url(url)"),
    (no_clients_at_import, "bot/x.py", "class A:\n    settings = read_settings(path, {})"),
    (no_silencing_without_a_reason, "bot/x.py", "import a  # no" + "qa: F401"),
    (no_silencing_without_a_reason, "bot/x.py", "a = b  # type" + ": ignore[misc]"),
    (no_emojis, "README.md", "It works \N{ROCKET}"),
]
RULES = list(dict.fromkeys(rule for rule, _, _ in BROKEN))
SOUND = Source(
    "workers/x.py",
    '"""The prefix is switchover:due."""\n'
    "def f(environ):\n"
    "    try: Client(url)\n"
    "    except BaseException:\n"
    "        raise\n"
    "    return replace(record, name='switchover: nothing'), [sys.executable, '-P', '-m', 'bot']\n",
)


@cache
def sources() -> tuple[Source, ...]:
    """Return every file that is or would be tracked; what is no text is left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("which files are ours is only known in a git checkout")
    found = []
    for path in filter(None, listed.stdout.split("\0")):
        try:
            found.append(Source(path, (ROOT / path).read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return tuple(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    faults = [f"{source.path}: {fault}" for source in sources() for fault in rule(source)]

    assert faults == []


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN, ids=lambda part: getattr(part, "__name__", ""))
def test_the_rule_notices_what_breaks_it(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text))) != []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_lets_sound_code_pass(rule: Rule) -> None:
    assert list(rule(SOUND)) == []


@pytest.mark.parametrize(
    ("exceptions", "rule"),
    [
        (ENTRY_POINTS, no_environment_within),
        (EDGES, no_catching_of_everything),
        (KEYS_ARE_SPELLED_IN, no_keys_outside_the_keyspace),
        (STATUS_IS_SET_IN, no_status_but_through_the_table),
        (SLEEPS_ARE_NEEDED_IN, no_hoping_sleeps),
        (LONG_FILES, no_long_files),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_no_exception_is_kept_that_nobody_needs(
    exceptions: dict[str, object], rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {source.path: source for source in sources() if source.path in exceptions}
    assert listed.keys() == exceptions.keys()
    for path in listed:
        monkeypatch.delitem(exceptions, path)

    assert [path for path, source in listed.items() if not list(rule(source))] == []


def test_there_is_enough_to_look_at() -> None:
    paths = {source.path for source in sources()}

    assert {"workers/store/keyspace.py", "requirements.lock", "tests/unit/test_hygiene.py"} <= paths
    assert any(path.endswith(".lua") for path in paths)
