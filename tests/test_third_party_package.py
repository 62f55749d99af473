"""A third party's package, installed with pip from examples/, is found and runs by name."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "nasbench-depth"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source") / EXAMPLE.name
    shutil.copytree(EXAMPLE, source)
    target = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
    ]
    subprocess.run([*command, str(target), str(source)], check=True, timeout=120)
    return target


@pytest.fixture
def nasbench(run_nasbench, installed: Path):
    """Run the command line with the example installed."""
    return partial(run_nasbench, plugins=[installed])


def test_installed_package_is_listed_with_its_version(nasbench) -> None:
    rows = json.loads(nasbench("evaluators", "--format", "json").stdout)
    assert {row["name"]: row["distribution"] for row in rows}["depth"] == "nasbench-depth 1.0"


def test_installed_evaluator_and_space_run_by_name(nasbench, tmp_path: Path) -> None:
    (tmp_path / "archs.txt").write_text("4-16-8\n4\n")
    done = nasbench(
        "run", "--space", "plain-convs", "-e", "depth", "-e", "params", "--architectures",
        "archs.txt", "-o", "r.h5",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    scores = json.loads(nasbench("inspect", "r.h5", "--scores", "--format", "json").stdout)
    assert [row["depth (higher is better)"] for row in scores] == [3.0, 1.0]
    # One 3x3 convolution of one channel to four with bias, its batch normalisation, and ten outputs.
    assert scores[1]["params (higher is better)"] == (9 * 4 + 4) + 2 * 4 + (4 * 10 + 10)


def test_tests_of_the_plugin_page_pass(installed: Path, tmp_path: Path) -> None:
    page = (EXAMPLE.parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page.split("## Testing a plugin")[1], re.DOTALL)
    assert len(blocks) == 2
    (tmp_path / "test_depth.py").write_text("\n".join(blocks))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_depth.py"],
        capture_output=True, text=True, timeout=300, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_environment_variable_chooses_the_installed_plugin(nasbench, monkeypatch) -> None:
    monkeypatch.setenv("NASBENCH_PLUGINS", "depth")
    done = nasbench("run", "--space", "plain-convs", "-e", "depth", "-n", "2", "-o", "r.h5")
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("NASBENCH_PLUGINS", "")
    done = nasbench("evaluators", "depth")
    assert done.returncode == 2
    assert "Unknown evaluator 'depth'" in done.stderr


def test_architecture_of_the_installed_space_is_checked(nasbench, tmp_path: Path) -> None:
    (tmp_path / "archs.txt").write_text("4-5\n")
    done = nasbench("run", "--space", "plain-convs", "-e", "depth", "--architectures", "archs.txt")
    assert done.returncode == 2
    assert "line 1: '4-5' must be one to 8 widths out of 4, 8, 16" in done.stderr
