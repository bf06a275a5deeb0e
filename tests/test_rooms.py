"""The import graph, drawn from the code: rooms in floors, no cycle, no arrow upwards, nothing private taken.

A room is a folder; in alignment/, which has tables and helpers of its own besides its rooms, each of those
modules is one. A face (`__init__`) re-exports: what is imported from it comes from the module behind it.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
TOP = ("data", "alignment", "probes", "training", "analysis", "cli", "models")

# Each floor imports from floors below it only.
FLOORS = (
    {"data"},
    {"alignment/lazy_property", "alignment/drawing", "alignment/protocols", "alignment/runs",
     "alignment/statistics", "probes/classifiers"},
    {"data/tasks", "alignment/neighbours", "alignment/options", "alignment/similarity"},
    {"data/corpora", "training/tasks", "alignment/checkpoints", "alignment/retrieval"},
    {"alignment/encoding", "alignment/maps", "alignment/measure"},
    {"alignment/measures", "alignment/representations"},
    {"alignment/extraction", "alignment/lookup", "alignment/grids", "alignment/mining", "alignment/scoring", "probes", "training"},
    {"analysis/figures", "analysis/retention"},
    {"analysis"},
    {"analysis/tables"},
    {"analysis/study", "analysis/transfer", "analysis/efficiency", "analysis/report"},
    {"cli"},
    {"cli/commands", "models"},
)  # fmt: skip


class Import(NamedTuple):
    module: str
    target: str
    name: str


@cache
def modules() -> dict[str, Path]:
    named = {}
    for folder in TOP:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text("utf-8"))


def is_face(module: str) -> bool:
    return modules()[module].name == "__init__.py"


def room(module: str) -> str:
    parts = modules()[module].relative_to(ROOT).with_suffix("").parts
    alone = parts[0] == "alignment" and len(parts) == 2
    return "/".join(parts if alone else parts[:-1])


@cache
def imports(module: str) -> tuple[Import, ...]:
    """Return every import of a module from the package: at its top, in functions, for types."""
    return tuple(_imports(module))


def _imports(module: str) -> Iterator[Import]:
    folder = modules()[module].relative_to(ROOT).parts[:-1]
    for node in ast.walk(tree(module)):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        inside = folder[: len(folder) - node.level + 1]
        base = ".".join([*inside, *((node.module or "").split(".") if node.module else ())])
        for alias in node.names:
            target = f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules() else base
            if target not in modules():
                continue  # the version, at the root
            if is_face(target) and not is_face(module):
                target = next((one.target for one in imports(target) if one.name == alias.name), target)
            yield Import(module, target, alias.name)


def arrows() -> dict[tuple[str, str], list[Import]]:
    drawn: dict[tuple[str, str], list[Import]] = defaultdict(list)
    for module in modules():
        if not is_face(module):
            for one in imports(module):
                if room(module) != room(one.target):
                    drawn[room(module), room(one.target)].append(one)
    return drawn


def test_every_room_is_on_one_floor():
    rooms = {room(module) for module in modules() if not is_face(module)} | {"cli"}
    placed = [name for floor in FLOORS for name in floor]
    assert sorted(placed) == sorted(rooms)


def test_no_arrow_points_upwards_or_sideways():
    floor = {name: height for height, names in enumerate(FLOORS) for name in names}
    drawn = arrows()
    assert len(drawn) > 50, "the graph is drawn"
    wrong = {pair: found for pair, found in drawn.items() if floor[pair[0]] <= floor[pair[1]]}
    assert not wrong


@pytest.mark.parametrize("scope", ["rooms", "modules"])
def test_no_cycle(scope):
    graph: dict[str, set[str]] = defaultdict(set)
    if scope == "rooms":
        for one, other in arrows():
            graph[one].add(other)
    else:
        for module in modules():
            if not is_face(module):
                graph[module] = {one.target for one in imports(module)} - {module}
    left = set(graph)
    while free := {name for name in left if not graph[name] & left}:
        left -= free
    assert not left


def test_nothing_private_is_imported():
    taken = [
        one
        for module in modules()
        for one in imports(module)
        if one.name.startswith("_") and not one.name.startswith("__")
    ]
    assert not taken


@pytest.mark.parametrize("folder", sorted({path.parent for path in modules().values()}))
def test_a_folder_has_at_most_twenty_rooms(folder):
    inside = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    inside |= {path.parent.name for path in folder.glob("*/__init__.py")}
    assert len(inside) <= 20, folder


def test_every_room_says_what_is_in_it():
    for module in modules():
        if is_face(module):
            said = ast.get_docstring(tree(module))
            assert said and len(said.splitlines()[0]) > 20, module


def test_no_module_hides_a_function_of_its_name():
    """`from .score import score` and then `import score` give two things; a user wants the function."""
    for module in modules():
        name = module.rpartition(".")[2]
        defined = {
            node.name for node in tree(module).body if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        if not module.startswith("cli.commands"):
            assert name not in defined, module


def test_no_public_class_name_twice():
    where: dict[str, list[str]] = defaultdict(list)
    for module in modules():
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(module)
    assert not {name: places for name, places in where.items() if len(places) > 1}


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for module in modules():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef):
                yield module, node


def test_functions_are_short_and_take_few_parameters():
    """At most 80 lines, and 8 parameters besides the object; more settings are an options class."""
    for module, node in functions():
        where = f"{module}.{node.name}"
        assert (node.end_lineno or 0) - node.lineno < 80, where
        known = node.args
        count = len(known.posonlyargs + known.args + known.kwonlyargs)
        count -= bool(known.args) and known.args[0].arg in ("self", "cls")
        if where != "alignment.options.option":  # it takes what is known of a setting
            assert count <= 8 or _command(node), where


def _command(node: ast.FunctionDef) -> bool:
    """Whether the parameters are a command's own flags."""
    return any("command" in ast.unparse(one) for one in node.decorator_list)
