"""The explicit package list of pyproject.toml names every package of the tree."""

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

NOT_PART_OF_THE_PACKAGE = {"tests", "docs", "experiments", "examples", "build", "dist"}


def packages_of_the_tree() -> list[str]:
    found = ["nasbench_toolkit"]
    for init in ROOT.rglob("__init__.py"):
        parts = init.relative_to(ROOT).parts[:-1]
        if parts and parts[0] not in NOT_PART_OF_THE_PACKAGE and not parts[0].startswith("."):
            found.append(".".join(("nasbench_toolkit", *parts)))
    return sorted(found)


def test_package_list_is_complete() -> None:
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == packages_of_the_tree()


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {
        path.parent for top in ("core", "plugins", "benchmarks_data", "reports") for path in (ROOT / top).rglob("*.py")
    }
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_public_face_exports_what_it_lists() -> None:
    package = importlib.import_module("nasbench_toolkit")
    assert package.__version__ == PROJECT["project"]["version"]
    for name in package.__all__:
        assert hasattr(package, name)


def imports_of(path: Path) -> set[str]:
    """Return the imported modules of our own, as paths from the root such as ``core.plan``."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            found.add(".".join([*base, *(node.module or "").split(".")]).rstrip("."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nasbench_toolkit"):
            found.add((node.module or "").removeprefix("nasbench_toolkit").lstrip("."))
    return found


# Folder, and the folders that its modules must not import from.
FORBIDDEN = [
    ("core", ("plugins", "benchmarks_data", "reports")),
    ("benchmarks_data", ("plugins", "reports")),
    ("reports", ("plugins", "benchmarks_data", "core.executor", "core.evaluation", "core.interfaces")),
    (
        "plugins/evaluators",
        ("plugins.search_spaces", "plugins.strategies", "plugins.datasets", "benchmarks_data", "reports"),
    ),
    ("plugins/search_spaces", ("plugins.evaluators", "plugins.strategies", "reports")),
    ("plugins/strategies", ("plugins.evaluators", "plugins.search_spaces", "benchmarks_data", "reports")),
    ("plugins/datasets", ("plugins.evaluators", "plugins.search_spaces", "plugins.strategies", "reports")),
]  # fmt: skip


@pytest.mark.parametrize(("folder", "forbidden"), FORBIDDEN, ids=[folder for folder, _ in FORBIDDEN])
def test_imports_go_in_allowed_directions_only(folder: str, forbidden: tuple[str, ...]) -> None:
    wrong = []
    for path in (ROOT / folder).rglob("*.py"):
        if path.is_relative_to(ROOT / "core" / "cli"):
            continue
        for module in imports_of(path):
            if any(module == top or module.startswith(f"{top}.") for top in forbidden):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []
