"""Which part of the tree may import which, for every form of import.

A room is a module at the top of ``core``, a folder of ``core``, or a folder elsewhere. Imports inside functions count
like others; those for annotations only (``if TYPE_CHECKING``) may follow the same directions, and a few more that are
listed apart.
"""

import ast
import functools
import graphlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "nasbench_toolkit"

# Room of core, and the other rooms that it may import.
CORE_ROOMS = {
    "errors": "",
    "plain_text": "",
    "number_text": "",
    "fingerprint": "",
    "memory": "",
    "plain_tensors": "",
    "global_state": "",
    "input_files": "errors",
    "regular_files": "",
    "hdf5": "regular_files",
    "domain": "",
    "checked_evaluation": "domain errors plain_text",
    "seeding": "errors",
    "statistics": "",
    "settings": "errors number_text",
    "supernets": "",
    "capabilities": "errors",
    "layers": "",
    "loading": "errors global_state plain_text settings",
    "descriptions": "capabilities domain errors loading settings",
    "hookspecs": "descriptions",
    "lazy_layers": "descriptions errors",
    "interfaces": "capabilities checked_evaluation descriptions domain errors lazy_layers loading settings",
    "weight_sharing": "batches descriptions errors interfaces loading seeding settings supernets",
    "plugin_manager": "descriptions errors global_state hookspecs loading",
    "plan": "descriptions domain settings",
    "batches": "descriptions errors interfaces",
    "shared_passes": "domain fingerprint",
    "context": "batches descriptions domain fingerprint interfaces memory seeding shared_passes",
    "documents": "plain_text",
    "data": "descriptions errors input_files interfaces regular_files",
    "results": "checked_evaluation domain errors hdf5 plan regular_files",
    "planning": "capabilities data descriptions domain errors input_files interfaces number_text plain_text plan "
    "plugin_manager results seeding settings",
    "jobs": "checked_evaluation context descriptions domain errors global_state hdf5 interfaces loading memory "
    "plain_text plan planning plugin_manager results seeding settings shared_passes",
    "asktell": "descriptions errors global_state interfaces jobs loading planning plugin_manager settings",
    "pictures": "errors interfaces plain_text results",
    "export": "capabilities descriptions domain errors interfaces results seeding",
    "search": "asktell batches capabilities descriptions domain errors global_state hdf5 interfaces jobs loading "
    "plain_tensors plan planning plugin_manager results seeding weight_sharing",
    "reproduction": "domain errors plan planning plugin_manager results search settings",
    "task_search": "asktell descriptions domain errors input_files interfaces jobs plan planning plugin_manager "
    "results seeding settings statistics",
    "testing": "capabilities context data descriptions domain errors global_state interfaces jobs pictures "
    "plugin_manager results seeding settings supernets",
    "cli": "asktell capabilities data descriptions documents domain errors export input_files interfaces jobs "
    "number_text pictures plain_text plan planning plugin_manager reproduction results search seeding settings "
    "task_search",
}

# What they name in annotations besides: two things that describe each other.
CORE_ANNOTATIONS = {"descriptions": "interfaces weight_sharing", "interfaces": "context pictures supernets"}

# Folder elsewhere, the folders that it may import beside its own, and the rooms of core.
DESCRIBING = "capabilities descriptions domain errors hookspecs interfaces seeding settings"
FOLDERS = {
    "core/cli": ("benchmarks_data reports", "*"),
    "core": ("", "*"),
    "benchmarks_data": (
        "",
        "descriptions domain errors hdf5 input_files interfaces number_text plain_text regular_files statistics",
    ),
    "reports": (
        "",
        "documents domain errors interfaces pictures plain_text plan planning plugin_manager reproduction results "
        "statistics",
    ),
    "plugins/datasets": ("benchmarks_data plugins/references", f"{DESCRIBING} data"),
    "plugins/search_spaces": ("benchmarks_data plugins/references", f"{DESCRIBING} data layers pictures supernets"),
    "plugins/recipes": ("plugins/references", DESCRIBING),
    "plugins/executors": ("", f"{DESCRIBING} jobs plan"),
    "plugins/strategies": ("plugins/references", DESCRIBING),
    "plugins/weight_sharing": (
        "plugins/references",
        f"{DESCRIBING} context data plain_tensors supernets weight_sharing",
    ),
    "plugins/evaluators/aggregates": ("plugins/references", DESCRIBING),
    "plugins/evaluators/gennas": (
        "plugins/evaluators plugins/references",
        f"{DESCRIBING} batches context input_files layers",
    ),
    "plugins/evaluators/trained": ("plugins/evaluators plugins/references", f"{DESCRIBING} batches context planning"),
    "plugins/evaluators/zero_cost": ("plugins/evaluators plugins/references", f"{DESCRIBING} batches context"),
    "plugins/evaluators": (
        " ".join(f"plugins/evaluators/{family}" for family in ("aggregates", "gennas", "trained", "zero_cost")),
        f"{DESCRIBING} batches context layers",
    ),
    "plugins/references": ("", ""),
}


@dataclass(frozen=True)
class Import:
    """A module or package of ours that a file names, as parts of its path from the root."""

    file: Path
    line: int
    target: tuple[str, ...]
    for_annotations: bool = False

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {'.'.join(self.target)}"


class Finder(ast.NodeVisitor):
    """Finds the imports of our own modules in a file, whatever their form."""

    def __init__(self, file: Path, own: tuple[str, ...]) -> None:
        self.file, self.own = file, own
        self.found: list[Import] = []
        self._for_annotations = False

    def visit_If(self, node: ast.If) -> None:
        checking = ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        before, self._for_annotations = self._for_annotations, self._for_annotations or checking
        for child in node.body:
            self.visit(child)
        self._for_annotations = before
        for child in node.orelse:
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add_absolute(node.lineno, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "__version__":  # all that the root has of its own
                continue
            name = f"{node.module}.{alias.name}" if node.module else alias.name
            if node.level:
                base = self.own[: len(self.own) - node.level + 1]
                self._add(node.lineno, (*base, *name.split(".")))
            else:
                self._add_absolute(node.lineno, name)

    def visit_Constant(self, node: ast.Constant) -> None:
        # A path for importlib, or a factory's.
        if isinstance(node.value, str) and " " not in node.value and "\n" not in node.value:
            target = node.value.replace(":", ".")
            if target != PACKAGE:
                self._add_absolute(node.lineno, target)

    def visit_Call(self, node: ast.Call) -> None:
        text = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if "import" in ast.unparse(node.func) and isinstance(text, str) and text.startswith("."):
            level = len(text) - len(text.lstrip("."))
            self._add(node.lineno, (*self.own[: len(self.own) - level + 1], *text.lstrip(".").split(".")))
        self.generic_visit(node)

    def _add_absolute(self, line: int, name: str) -> None:
        package, *rest = name.split(".")
        if package == PACKAGE:
            self._add(line, tuple(rest))

    def _add(self, line: int, target: tuple[str, ...]) -> None:
        """Note the longest part of the target that is a module or package; the rest is a name in it."""
        while target and not ((ROOT.joinpath(*target)).is_dir() or ROOT.joinpath(*target).with_suffix(".py").exists()):
            target = target[:-1]
        self.found.append(Import(self.file, line, target, self._for_annotations))


@functools.cache
def find_imports(file: Path, source: str | None = None) -> list[Import]:
    finder = Finder(file, file.relative_to(ROOT).parts[:-1])
    finder.visit(ast.parse(file.read_text(encoding="utf-8") if source is None else source))
    return finder.found


def imports_below(folder: str) -> Iterator[Import]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        yield from find_imports(file)


def core_room(parts: tuple[str, ...]) -> str | None:
    """Return the room of core that a module is in, None for core itself and what is elsewhere."""
    return parts[1].removesuffix(".py") if parts[:1] == ("core",) and len(parts) > 1 else None


def folder_of(parts: tuple[str, ...]) -> str | None:
    """Return the longest folder of the table that a module is in."""
    names = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in FOLDERS), None)


def test_the_table_has_every_room_of_core() -> None:
    modules = {path.stem for path in (ROOT / "core").glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in (ROOT / "core").glob("*/__init__.py")}
    assert set(CORE_ROOMS) == modules | folders


@pytest.mark.parametrize("room", CORE_ROOMS)
def test_rooms_of_core_import_what_the_table_allows(room: str) -> None:
    allowed = {room, *CORE_ROOMS[room].split()}
    in_annotations = allowed | set(CORE_ANNOTATIONS.get(room, "").split())
    wrong = [
        str(found)
        for found in imports_below("core")
        if core_room(found.file.relative_to(ROOT).parts) == room and (target := core_room(found.target)) is not None
        if target not in (in_annotations if found.for_annotations else allowed)
    ]
    assert wrong == []


def test_rooms_of_core_make_no_circle() -> None:
    # Raises CycleError, with the circle, if there is one.
    order = graphlib.TopologicalSorter({room: allowed.split() for room, allowed in CORE_ROOMS.items()}).static_order()
    assert set(order) >= set(CORE_ROOMS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_import_what_the_table_allows(folder: str) -> None:
    folders, rooms = FOLDERS[folder]
    wrong = []
    for found in imports_below(folder):
        if folder_of(found.file.relative_to(ROOT).parts) != folder:
            continue
        room = core_room(found.target)
        if room is not None:
            right = rooms == "*" or room in rooms.split()
        else:
            right = folder_of(found.target) in (folder, *folders.split())
        if not right:
            wrong.append(str(found))
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("from ..plugins.strategies import settings", ("plugins", "strategies", "settings")),
        ("from .. import plugins", ("plugins",)),
        ("from . import plan", ("core", "plan")),
        ("from .plan import Plan", ("core", "plan")),
        ("import nasbench_toolkit.plugins.datasets as sets", ("plugins", "datasets")),
        ("from nasbench_toolkit.core import errors", ("core", "errors")),
        ("from nasbench_toolkit import core", ("core",)),
        ("def f():\n    from ..reports import correlation", ("reports", "correlation")),
        ("import importlib\nimportlib.import_module('nasbench_toolkit.reports.select')", ("reports", "select")),
        ("import importlib\nimportlib.import_module('..reports', __package__)", ("reports",)),
        ("factory = 'nasbench_toolkit.core.context:EvaluationContext'", ("core", "context")),
    ],
)
def test_every_form_of_import_is_found(source: str, target: tuple[str, ...]) -> None:
    assert [found.target for found in find_imports(ROOT / "core" / "made_up.py", source)] == [target]


def test_imports_for_annotations_are_told_apart() -> None:
    source = "if TYPE_CHECKING:\n    from . import plan\nelse:\n    from . import errors"
    found = find_imports(ROOT / "core" / "made_up.py", source)
    assert [(each.target[-1], each.for_annotations) for each in found] == [("plan", True), ("errors", False)]
