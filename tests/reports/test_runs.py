import math
from dataclasses import replace

import pytest
from nasbench_toolkit.core.domain import Direction, Metric
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.reports import join_seeds

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


@pytest.fixture
def run(results, evaluator):
    """Make a run of two evaluators, whose scores name seed, evaluator and architecture."""

    def make(seed, *, order=(0, 1, 2), labels=("params", "loss"), truth=(10.0, math.nan, 30.0), **plan):
        parts = [
            evaluator(label, *[100 * seed + 10 * len(label) + arch for arch in order], seed=seed) for label in labels
        ]
        content = results(*parts, truth={ACCURACY: [truth[arch] for arch in order]})
        return replace(content, arch_ids=tuple(f"arch-{arch}" for arch in order), plan=replace(content.plan, **plan))

    return make


def test_runs_that_differ_in_their_seed_become_one(run):
    (joined,) = join_seeds([run(0), run(7, order=(2, 0, 1), labels=("loss", "params"), sampling="given as a list")])
    assert joined.plan.seeds == (0, 7)
    assert [(part.header.label, part.seed) for part in joined.evaluators] == [
        ("params", 0), ("params", 7), ("loss", 0), ("loss", 7),
    ]  # fmt: skip
    assert joined.arch_ids == ("arch-0", "arch-1", "arch-2")
    assert [part.records.scores.tolist() for part in joined.evaluators] == [
        [60, 61, 62], [760, 761, 762], [40, 41, 42], [740, 741, 742],
    ]  # fmt: skip


def test_runs_of_several_seeds_are_joined_too(run):
    (first,) = join_seeds([run(0), run(1)])
    (joined,) = join_seeds([first, run(2)])
    assert joined.plan.seeds == (0, 1, 2)
    assert joined.headers == first.headers


@pytest.mark.parametrize(
    "other",
    [
        {"labels": ("params", "other")},
        {"labels": ("params",)},
        {"truth": (10.0, math.nan, 31.0)},
        {"order": (0, 1)},
        {"dataset": "noise"},
        {"space_version": "nasbench-toolkit 0.2.0"},
    ],
    ids=["another-evaluator", "fewer-evaluators", "another-truth", "fewer-architectures", "data-set", "version"],
)
def test_what_differs_otherwise_is_kept_apart(run, other):
    assert len(join_seeds([run(0), run(1, **other)])) == 2


def test_the_same_seed_twice_is_refused(run):
    with pytest.raises(UsageError, match="hold the same run of nasbench201-tiny on mnist with seed 3"):
        join_seeds([run(3), run(3)])
