"""Imports point one way: config names monitoring, monitoring sync, sync lists, and lists Django only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("lists", "sync", "monitoring", "config")  # each may name those before it
REFERENCE = re.compile(
    rf"({'|'.join(ROOMS)})\.[\w.]*"
)  # "sync.tasks.execute_run", and the start of one: "sync." + name


def references(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of all that a module imports or names in a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, absolute(node, module)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and REFERENCE.fullmatch(node.value):
            yield node.lineno, node.value


def absolute(node: ast.ImportFrom, module: str) -> str:
    """What an import names; `from . import x` is taken from the module (of a package: with `.__init__`) that says it."""
    base = module.split(".")[: -node.level] if node.level else []
    return ".".join([*base, *filter(None, [node.module])])


def room_of(name: str) -> str | None:
    room = name.split(".")[0]
    return room if room in ROOMS else None


def late_imports(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Imports within functions, but those of AppConfig.ready, where Django wants them."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if function.name == "ready" and module.endswith(".apps"):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from references(node, module)


def wrong_ways(source: str, module: str) -> list[str]:
    tree = ast.parse(source)
    own = room_of(module)
    assert own
    allowed = ROOMS[: ROOMS.index(own) + 1]
    upwards = [
        f"{module}:{line} names {name}, and {own} may only name {' and '.join(allowed)}"
        for line, name in references(tree, module)
        if room_of(name) not in (None, *allowed)
    ]
    late = [
        f"{module}:{line} imports {name} within a function"
        for line, name in late_imports(tree, module)
        if room_of(name) not in (None, own)
    ]
    return upwards + late


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def test_every_room_has_modules():
    assert {room_of(module) for module, _ in modules()} == set(ROOMS)


def test_imports_point_one_way():
    found = [line for module, path in modules() for line in wrong_ways(path.read_text(), module)]
    assert not found, "\n".join(found)


FORBIDDEN = [
    ("lists.fold", "from sync.runs import recover"),
    ("lists.fold", "import sync.runs"),
    ("lists.fold", "import os, sync"),
    ("lists.fold", "run = models.ForeignKey('sync.Run')"),
    ("lists.fold", "async_task('sync.tasks.' + name)"),
    ("lists.exports.csv", "from ...sync import runs"),
    ("lists.__init__", "from ..sync import runs"),
    ("lists.apps", "class A(AppConfig):\n    def ready(self):\n        from sync import runs"),
    ("sync.runs", "from monitoring import metrics"),
    ("sync.runs", "from config import env"),
    ("sync.runs", "if TYPE_CHECKING:\n    from monitoring import metrics"),
    ("sync.runs", "def f():\n    from lists.models import Entry"),
    ("sync.runs", "class A:\n    async def f(self):\n        import lists.models"),
    ("sync.runs", "class A(AppConfig):\n    def ready(self):\n        from lists import models"),
    ("monitoring.apps", "class A(AppConfig):\n    def set_up(self):\n        from sync import signals"),
]

ALLOWED = [
    ("lists.fold", "from lists.models import Entry\nfrom .records import Record\nimport synchronise"),
    ("lists.fold", "'sync:run'\n'a word about sync. Then more'"),
    ("lists.fold", "def f():\n    from lists.models import Entry\n    import json"),
    ("sync.runs", "from lists.models import Entry\nfrom sync import tasks\nasync_task('sync.tasks.execute_run')"),
    ("monitoring.apps", "class A(AppConfig):\n    def ready(self):\n        from sync import signals"),
    ("config.settings", "APPS = ['monitoring.apps.A', 'sync', 'lists']"),
]


@pytest.mark.parametrize(("module", "source"), FORBIDDEN)
def test_a_wrong_way_is_seen(module, source):
    assert wrong_ways(source, module)


@pytest.mark.parametrize(("module", "source"), ALLOWED)
def test_a_right_way_is_not(module, source):
    assert wrong_ways(source, module) == []
