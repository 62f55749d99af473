"""Install plugins that misbehave, and check that this is said and changes nothing else.

One that misbehaves when it is loaded must be one warning that names plugin, distribution and remedy, or none where it
only changes what can be put back; evaluators of others must have the scores that they have without it, and what a
command prints must stay JSON. A part that misbehaves when it is used must be an error, or the failure of that part
alone, that names plugin and distribution; nothing may end with exit code 0 and nothing said.

Usage: python experiments/robustness/misbehaving_plugins.py [--only TEXT]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.experiments.robustness import faulty_parts
from nasbench_toolkit.experiments.robustness.faulty_parts import ENDING_MODULE, LABELLED, LABELLED_TEXT, PARTS, Part
from nasbench_toolkit.experiments.robustness.plugin_folder import make_plugin_folder
from nasbench_toolkit.experiments.robustness.ways_to_load import EVALUATOR, LOADINGS, PLUGIN, Loading

NEIGHBOURS = ("synflow", "snip", "l2_norm", "gennas-single:iterations=2,batch_size=4")
SECONDS_A_COMMAND = 300

Done = subprocess.CompletedProcess[str]


def main() -> None:
    """Try every way and print what survived; exit code 1 if something did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only ways whose names contain this")
    only = parser.parse_args().only
    survived: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        for way, find_problem in _ways(Path(directory)):
            if only in way:
                problem = _tried(find_problem)
                tried[way.partition("-")[0]] += 1
                survived[way.partition("-")[0]] += not problem
                print(f"{way}: {problem or 'survived'}", flush=True)
    for kind, count in tried.items():
        print(f"{kind}: {survived[kind]}/{count} survived")
    print(f"{survived.total()}/{tried.total()} survived")
    sys.exit(survived != tried)


def _tried(find_problem: Callable[[], str]) -> str:
    try:
        return find_problem()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _ways(directory: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield for every way its name, and what tries it and returns what is wrong, an empty text if nothing is."""
    alone = Alone(directory)
    for way, loading in LOADINGS.items():
        yield way, lambda way=way, loading=loading: alone.problem_of(way, loading)  # type: ignore[misc]
    plugin = make_parts_folder(directory / "parts")
    for way, part in PARTS.items():
        yield way, lambda way=way, part=part: _problem_of_part(directory / way, plugin, part)  # type: ignore[misc]


class Alone:
    """What commands print and compute without any plugin, to compare with.

    Args:
        directory: Where plugins and results are made.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "none").mkdir()
        self._evaluators = listed_evaluators(nasbench(directory, directory / "none", "evaluators", "-f", "json"))
        self._scores = self._run(directory / "none")[1]

    def problem_of(self, way: str, loading: Loading) -> str:
        """Install a plugin, list evaluators and run some; return what is wrong."""
        plugin = make_loading_folder(self._directory / way, loading)
        listing = nasbench(self._directory, plugin, "evaluators", "-f", "json")
        expected = self._evaluators | ({EVALUATOR} if loading.has_evaluator else set())
        problem = problem_of_listing(listing, loading, expected)
        if problem:
            return problem
        done, scores = self._run(plugin)
        if scores != self._scores:
            return f"other scores: {scores}, alone {self._scores}"
        return problem_of_warnings(done.stderr, loading) or (
            f"printed {done.stdout!r}" if loading.source in done.stdout else ""
        )

    def _run(self, plugin: Path) -> tuple[Done, list[list[float]]]:
        """Run the neighbours with a plugin installed, and return their scores."""
        evaluators = [arg for name in NEIGHBOURS for arg in ("-e", name)]
        path = plugin / "out.h5"
        done = nasbench(self._directory, plugin, "run", *evaluators, "-n", "2", "-j", "1", "-o", str(path))
        if done.returncode:
            return done, []
        return done, [part.records.scores.tolist() for part in read_results(path).evaluators]


def make_loading_folder(folder: Path, loading: Loading) -> Path:
    """Write a plugin that misbehaves when it is loaded, and return its folder."""
    make_plugin_folder(folder, f"{PLUGIN}-plugin", PLUGIN)
    info = next(folder.glob("*.dist-info"))
    for name, content in (("METADATA", loading.metadata), ("entry_points.txt", loading.entry_points)):
        (info / name).unlink()
        if content is not None:
            (info / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / f"{PLUGIN}.py").write_text(loading.source)
    return folder


def make_parts_folder(folder: Path) -> Path:
    """Write the plugin whose parts misbehave, and return its folder."""
    make_plugin_folder(folder, faulty_parts.PLUGIN, faulty_parts.__name__)
    (folder / f"{ENDING_MODULE}.py").write_text("raise SystemExit(0)\n")
    return folder


def listed_evaluators(done: Done) -> set[str]:
    """Return the names of evaluators that a command listed."""
    return {row["name"] for row in json.loads(done.stdout)}


def problem_of_listing(done: Done, loading: Loading, expected: set[str]) -> str:
    """Return what is wrong with how evaluators were listed while a plugin was installed."""
    if done.returncode:
        return f"listing ended with {done.returncode}: {done.stderr}"
    try:
        names = listed_evaluators(done)
    except ValueError:
        return f"listing printed {done.stdout[:80]!r}"
    if names != expected:
        return f"listing has other evaluators: {names ^ expected}"
    return problem_of_warnings(done.stderr, loading)


def problem_of_warnings(errors: str, loading: Loading) -> str:
    """Return what is wrong with the warnings about a plugin."""
    warnings = [line for line in errors.splitlines() if line.startswith("Warning:")]
    if not loading.says:
        return f"warned: {warnings}" if warnings else ""
    if len(warnings) != 1:
        return f"{len(warnings)} warnings: {errors[-600:]}"
    named = f"Plugin '{loading.own_name}' of {loading.distribution}"
    missing = [text for text in (named, loading.says) if text not in warnings[0]]
    return f"does not say {missing}: {warnings[0]}" if missing else ""


def _problem_of_part(folder: Path, plugin: Path, part: Part) -> str:
    """Use a part that misbehaves; return what is wrong."""
    folder.mkdir()
    (folder / LABELLED).write_text(LABELLED_TEXT)
    done = nasbench(folder, plugin, *part_command(part))
    return problem_of_part(done.returncode, done.stdout, done.stderr, folder / "out.h5", part)


def part_command(part: Part) -> list[str]:
    """Return the command that uses a part; its results are in ``out.h5``."""
    writes = part.command[0] in ("run", "search", "task-search")
    return [*part.command, *(["-o", "out.h5"] if writes else [])]


def problem_of_part(code: int | str | None, output: str, errors: str, results: Path, part: Part) -> str:
    """Return what is wrong with how a command ended that uses a part that misbehaves."""
    if code != part.exit_code:
        return f"ended with {code}: {errors[-400:]}"
    said = errors
    if part.command[0] == "run" and results.exists():
        parts = read_results(results).evaluators
        said += "".join(record.message for each in parts for record in each.records)
        if part.others_score and not any(each.records.ok.all() for each in parts):
            return f"no other evaluator has all its scores: {said}"
    plugin = f"plugin '{faulty_parts.PLUGIN}' of {faulty_parts.DISTRIBUTION}"
    named = plugin in said or f"of {faulty_parts.DISTRIBUTION}" in said
    if not named or part.says not in said:
        return f"does not say {part.says!r} and {plugin!r}: {said[-500:]}"
    return "" if "a fault of nasbench or" not in said else f"blames nasbench: {said}"


def nasbench(folder: Path, plugin: Path, *args: str) -> Done:
    """Run a command in a folder, with one plugin installed."""
    data = folder / "data"
    return subprocess.run(
        [sys.executable, "-m", "nasbench_toolkit", *args],
        env=os.environ | {"PYTHONPATH": str(plugin), "NASBENCH_DATA": str(data)},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_A_COMMAND,
    )


if __name__ == "__main__":
    main()
