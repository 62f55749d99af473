"""The README's plugin runs as it is written there."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def code_block(heading: str, language: str) -> str:
    section = README.split(f"## {heading}")[1]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]


def test_readme_plugin_installs_and_runs(run_nasbench, tmp_path: Path) -> None:
    source = code_block("A plugin in twenty lines", "python")
    assert len(source.strip().splitlines()) <= 20
    package = tmp_path / "package"
    package.mkdir()
    (package / "nasbench_kernels.py").write_text(source)
    (package / "pyproject.toml").write_text(code_block("A plugin in twenty lines", "toml"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*pip, str(tmp_path / "site"), str(package)], check=True, timeout=120)
    done = run_nasbench("run", "-e", "kernels", "-n", "5", "-o", "r.h5", plugins=[tmp_path / "site"])
    assert done.returncode == 0, done.stderr
    assert re.search(r"^kernels +-?\d\.\d\d\d", done.stdout, re.MULTILINE)


def test_readme_names_every_command() -> None:
    from nasbench_toolkit.core.cli.commands import COMMANDS

    for command in COMMANDS:
        assert re.search(rf"`(nasbench )?{command}\b", README), command
