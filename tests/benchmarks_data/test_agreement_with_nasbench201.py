"""nasbench201-tiny ranks cells much as NAS-Bench-201 does on CIFAR-10, or it would be no stand-in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nasbench_toolkit.benchmarks_data.nasbench201_tiny import read_table
from nasbench_toolkit.core.statistics.correlation import spearman_rho
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import parse_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import canonical_arch_str

TABLE = Path(__file__).parents[2] / "../shared/data/nasbench201/nasbench201.csv.gz"


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-201's accuracies in ../shared/data")
@pytest.mark.parametrize(("metric", "expected"), [("cross_entropy", -0.795), ("accuracy", 0.794)])
def test_agreement_with_cifar10_accuracy_is_as_documented(metric: str, expected: float) -> None:
    accuracies = pd.read_csv(TABLE, usecols=["architecture", "cifar10/test_accuracy@200"])
    accuracies["arch_id"] = [canonical_arch_str(parse_arch_str(text)) for text in accuracies["architecture"]]
    by_network = accuracies.groupby("arch_id")["cifar10/test_accuracy@200"].mean()
    table = read_table()
    values = table.values(f"mnist/test_{metric}@{table.epochs}")
    rho = spearman_rho(list(values.values()), by_network.loc[list(values)].to_numpy(np.float64))
    assert rho == pytest.approx(expected, abs=0.0005)
