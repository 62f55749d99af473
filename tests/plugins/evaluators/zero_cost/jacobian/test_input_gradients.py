import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.input_gradients import row_correlations


def test_row_correlations_equal_numpy():
    rows = torch.randn(5, 30, generator=torch.Generator().manual_seed(0)) * 1e-20 + 3e-20
    np.testing.assert_allclose(row_correlations(rows).numpy(), np.corrcoef(rows.double().numpy()), atol=1e-12)


def test_row_correlations_constant_rows_are_degenerate():
    rows = torch.tensor([[0.1, 0.1, 0.1], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    with pytest.raises(DegenerateError, match="2 of 3 inputs are constant"):
        row_correlations(rows)
