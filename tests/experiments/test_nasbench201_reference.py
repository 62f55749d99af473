from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nasbench_toolkit.core.domain import Record, Status
from nasbench_toolkit.experiments.nasbench201_reference import (
    ACCURACY,
    measure_agreement,
    sample_cells,
    score_cell,
)
from nasbench_toolkit.plugins.evaluators.zero_cost import EVALUATORS

DATA = Path(__file__).parents[2] / "../shared/data"
NUM_CELLS = 16

needs_data = pytest.mark.skipif(
    not DATA.is_dir(),
    reason="reads CIFAR-10, NAS-Bench-201 accuracies and reference scores in ../shared/data",
)


@pytest.fixture(scope="module")
def cells():
    return sample_cells(DATA, NUM_CELLS)


@pytest.fixture(scope="module")
def records(cells):
    evaluators = [info for info in EVALUATORS if info.name in ("params", "flops", "synflow", "naswot")]
    return {info.name: [score_cell(DATA, arch, info, 0, {}) for arch in cells.index] for info in evaluators}


@needs_data
def test_sample_cells_larger_sample_starts_with_smaller(cells):
    assert list(sample_cells(DATA, 2 * NUM_CELLS).index[:NUM_CELLS]) == list(cells.index)


@needs_data
@pytest.mark.parametrize(("name", "least_rho"), [("params", 1.0), ("synflow", 0.99), ("naswot", 0.97)])
def test_score_agrees_with_reference(cells, records, name, least_rho):
    agreement = measure_agreement(name, cells, records[name])
    assert agreement.failed == 0
    assert agreement.rho_reference >= least_rho


@needs_data
def test_params_equal_reference(cells, records):
    ours = [record.score for record in records["params"]]
    np.testing.assert_allclose(ours, 1e6 * cells["params"], rtol=1e-12)


@needs_data
def test_flops_equal_reference_less_what_only_it_counts(cells, records):
    # The reference also counts 3 for each value behind a convolution (normalisation and ReLU), 9 for each
    # value behind a pooling, and a constant for stem, reduction blocks and head. Five edges of a kind put out
    # 5 x (16 x 32 x 32 + 32 x 16 x 16 + 64 x 8 x 8) values.
    values = 5 * (16 * 32**2 + 32 * 16**2 + 64 * 8**2)
    constant = 160_832
    extra = [values * (3 * arch.count("nor_conv") + 9 * arch.count("avg_pool")) + constant for arch in cells.index]
    ours = [record.score for record in records["flops"]]
    np.testing.assert_allclose(np.add(ours, extra), 1e6 * cells["flops"], rtol=1e-12)


@pytest.fixture
def four_cells():

    return pd.DataFrame({ACCURACY: [70.0, 80.0, 90.0, 60.0], "params": [1.0, 2.0, 3.0, 4.0]}, index=list("abcd"))


def test_measure_agreement_leaves_out_failures(four_cells):
    ok = [Record(Status.OK, score) for score in (2.0, 1.0, 3.0)]
    agreement = measure_agreement("params", four_cells, [*ok, Record(Status.DEGENERATE, float("nan"))])
    assert (agreement.n, agreement.failed) == (3, 1)
    assert agreement.rho_accuracy == pytest.approx(0.5)
    assert agreement.rho_reference == pytest.approx(0.5)
