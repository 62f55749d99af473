"""A worker that is killed from outside is no answer: the search goes the way that it goes undisturbed."""

from dataclasses import replace

import pytest
from nasbench_toolkit.core.domain import JobCost, Status
from nasbench_toolkit.core.search.storage import read_search
from nasbench_toolkit.experiments.robustness.plugin_folder import make_plugin_folder

# Kills its own process, as from outside, the first times that it sees an architecture, which files remember.
KILLED = """
import hashlib, os, signal
from pathlib import Path
from nasbench_toolkit import Direction, Evaluator, EvaluatorInfo, Settings, hookimpl, setting
from dataclasses import dataclass

@dataclass(frozen=True)
class KilledSettings(Settings):
    folder: str = setting("", "Where files remember.")
    times: int = setting(0, "How often it is killed.")

class Killed(Evaluator):
    def _evaluate(self, context):
        number = int(hashlib.sha256(context.key.arch_id.encode()).hexdigest()[:8], 16)
        for time in range(self.settings.times if number % 2 else 0):
            try:
                Path(self.settings.folder, f"{number}-{time}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        return float(number)

@hookimpl
def nasbench_evaluators():
    yield EvaluatorInfo(
        name="killed", summary="For a test.", source="the tests", factory=Killed, settings=KilledSettings,
        direction=Direction.MAXIMIZE,
    )
"""


@pytest.fixture
def steps(tmp_path, run_nasbench):
    """Search, with workers that are killed so often for each architecture, and return the steps without times."""
    folder = make_plugin_folder(tmp_path / "plugin", "killed-workers", "killed_workers")
    (folder / "killed_workers.py").write_text(KILLED)

    def search(times):
        marks = tmp_path / f"marks-{times}"
        marks.mkdir()
        done = run_nasbench(
            "search", "-e", f"killed:times={times},folder={marks}", "-n", "12", "-o", f"{times}.h5",
            "-s", "regularized-evolution:population_size=3,tournament_size=2", "--parallel", "2",
            plugins=[folder],
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        steps = read_search(tmp_path / f"{times}.h5").steps
        return [replace(step, record=replace(step.record, cost=JobCost())) for step in steps]

    return search


def test_search_goes_on_as_if_its_workers_had_not_been_killed(steps, tmp_path) -> None:
    assert steps(1) == steps(0)
    assert len(list((tmp_path / "marks-1").iterdir())) >= 3


def test_what_is_killed_twice_is_an_answer(steps) -> None:
    records = [step.record for step in steps(2) if not step.repeated]
    crashed = [record for record in records if record.status is Status.CRASHED]
    assert crashed
    assert {record.message for record in crashed} == {
        "the worker process was killed by SIGKILL; perhaps the machine ran out of memory, twice"
    }
