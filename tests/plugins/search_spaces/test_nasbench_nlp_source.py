"""Importing NAS-Bench-NLP tables: recipes, repeated trainings, and the real table where it is at hand."""

import csv
import gzip
import math
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.tables.store import TABLE_NAME, StoredTable
from nasbench_toolkit.core.data.data_home import import_data, stored_folder, verify_data
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH_NLP_SOURCE
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.canonical import canonical_recipe

TABLE = Path(__file__).parents[3] / "../shared/data/nasbench-nlp/nasbench-nlp.csv.gz"

RECIPE = '{"h_new_0": {"op": "activation_tanh", "input": ["f"]}, "f": {"op": "linear", "input": ["x", "h_prev_0"]}}'


def test_source_averages_repeated_trainings(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path / "home"))
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["architecture", "wikitext-2/test_loss", "ptb/test_loss"])
        writer.writerows([[RECIPE, 5.0, ""], [RECIPE, 6.0, 4.5]])
    manifest = import_data(NASBENCH_NLP_SOURCE.create(), path, lambda done, total: None)
    assert manifest.notes == ("2 rows became 1: the values of repeated trainings were averaged.",)
    table = StoredTable.open(stored_folder("nasbench-nlp") / TABLE_NAME)
    values = [table.values(metric, [canonical_recipe(RECIPE)]) for metric in table.metrics]
    assert values == [[5.5], [4.5]]
    assert table.metrics[0].reduction == "mean of repeated trainings"


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-NLP's table in ../shared/data")
def test_source_imports_the_real_table(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path))
    source = NASBENCH_NLP_SOURCE.create()
    manifest = import_data(source, TABLE, lambda done, total: None)
    table = StoredTable.open(stored_folder("nasbench-nlp") / TABLE_NAME)
    assert (table.num_rows, len(table), manifest.items) == (344, 265, 265)
    assert verify_data(source, lambda done, total: None).items == 265
    assert [metric.key for metric in table.metrics] == [
        "wikitext-2/test_loss",
        "ptb/test_loss",
        "wikitext-2/validation_loss@3",
        "network/parameters",
        "wikitext-2/validation_loss",
    ]
    with gzip.open(TABLE, "rt") as file:
        rows = list(csv.DictReader(file))
    trainings: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        recipe = canonical_recipe(row["architecture"])
        trainings.setdefault(recipe, []).append(row)
    for metric in table.metrics[:3]:
        present = [[float(row[metric.key]) for row in members if row[metric.key]] for members in trainings.values()]
        expected = [fmean(losses) if losses else math.nan for losses in present]
        np.testing.assert_allclose(table.values(metric, list(trainings)), expected, rtol=1e-12)
