"""A score depends on its key and on nothing else: not on workers, order, shards, locale, hashes or plugins."""

import os
import subprocess
import sys

import numpy as np
import pytest
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.experiments.robustness.misbehaving_plugins import make_loading_folder
from nasbench_toolkit.experiments.robustness.ways_to_load import CHANGES, EVALUATOR, Loading

EVALUATORS = ("snip:batch_size=8", "l2_norm", "random", "gennas-single:iterations=2,batch_size=4", "cls@ep1")

# What one can change for everybody, without what an evaluator that goes on would stumble over itself.
CHANGED = (
    "default-dtype", "threads", "gradients", "device", "deterministic", "denormals", "relu", "tensor-method", "seeds",
    "numpy-errors", "directory", "environment", "umask", "locale", "warning-filters", "warning-functions", "signals",
    "excepthook", "decimals", "garbage", "logging",
)  # fmt: skip

CHANGES_EVERYTHING = """
import os, sys
from nasbench_toolkit import Direction, Evaluator, EvaluatorInfo, hookimpl

def change():
{changes}

change()

class Changing(Evaluator):
    def _evaluate(self, context):
        for batch in (context.batch(4), context.batch(8), context.training_part()):
            batch.labels.zero_()
            batch.inputs.zero_()
        change()
        return 1.0

@hookimpl
def nasbench_evaluators():
    change()
    yield EvaluatorInfo(
        name="{name}", summary="For a test.", source="the tests", factory=Changing, direction=Direction.MAXIMIZE
    )
"""


@pytest.fixture
def changing_plugin(tmp_path):
    changes = "\n".join(f"    {CHANGES[name]}" for name in CHANGED)
    source = CHANGES_EVERYTHING.format(changes=changes, name=EVALUATOR)
    return make_loading_folder(tmp_path / "changing", Loading(source))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Write sixty small images, on which a training takes a moment."""
    path = tmp_path_factory.mktemp("images") / "small.npz"
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(60) % 3)
    return path


def arguments(images, evaluators=EVALUATORS):
    named = [arg for name in evaluators for arg in ("-e", name)]
    return ["run", "--space", "nasbench201", "--images", str(images), "-n", "3", *named]


def run_alone(images, folder, **environment):
    subprocess.run(
        [sys.executable, "-m", "nasbench_toolkit", *arguments(images), "-j", "1", "-o", "out.h5"],
        env=os.environ | environment,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return scores_in(folder / "out.h5")


def scores_in(path):
    """Return architectures and scores; all jobs must have one."""
    results = read_results(path)
    assert all(part.records.ok.all() for part in results.evaluators)
    parts = [part for part in results.evaluators if part.header.label != EVALUATOR]
    return results.arch_ids, {part.header.label: part.records.scores.tolist() for part in parts}


@pytest.fixture(scope="module")
def alone(images, tmp_path_factory):
    return run_alone(images, tmp_path_factory.mktemp("alone"))


@pytest.fixture
def run(run_nasbench, tmp_path, images):
    """Run evaluators in some way and return architectures and scores."""

    def run(name, *options, evaluators=EVALUATORS, plugins=()):
        done = run_nasbench(*arguments(images, evaluators), "-o", f"{name}.h5", *options, plugins=plugins)
        assert done.returncode == 0, done.stderr
        return scores_in(tmp_path / f"{name}.h5")

    return run


def test_scores_do_not_depend_on_workers_and_order(run, alone) -> None:
    assert run("three", "-j", "3", evaluators=EVALUATORS[::-1]) == alone


def test_scores_in_this_process_are_those_of_workers(run, alone) -> None:
    assert run("here", "--in-process") == alone


def test_scores_of_merged_shards_are_those_of_one_run(run_nasbench, tmp_path, images, alone) -> None:
    for shard in ("1", "2"):
        run_nasbench(*arguments(images), "--shard", f"{shard}/2", "-o", f"{shard}.h5", "-j", shard)
    assert run_nasbench("merge", "2.h5", "1.h5", "-o", "merged.h5").returncode == 0
    assert scores_in(tmp_path / "merged.h5") == alone


def test_scores_do_not_depend_on_locale_hashes_and_time_zone(tmp_path, images, alone) -> None:
    settings = {"LC_ALL": "C", "PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo", "PYTHONUTF8": "0"}
    assert run_alone(images, tmp_path, **settings) == alone


@pytest.mark.parametrize("options", [("-j", "1"), ("--in-process",)])
def test_scores_do_not_depend_on_a_plugin_that_changes_everything(run, alone, changing_plugin, options) -> None:
    assert run("installed", *options, plugins=[changing_plugin]) == alone
    assert run("beside", *options, evaluators=(EVALUATOR, *EVALUATORS), plugins=[changing_plugin]) == alone
