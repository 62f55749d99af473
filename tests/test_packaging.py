"""The package list of pyproject.toml names every package of the tree."""

import importlib
import tomllib
from pathlib import Path

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
