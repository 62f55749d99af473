import json
from pathlib import Path

import pytest
from nasbench_toolkit.benchmarks import nasbench101_table

TABLE = Path(__file__).parents[2] / "../shared/data/nasbench101/nasbench101.csv.gz"


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-101's whole table in ../shared/data")
def test_whole_benchmark_is_imported_within_its_limits(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["nasbench101_table", str(TABLE)])
    nasbench101_table.main()
    measures = json.loads(capsys.readouterr().out)
    assert measures["architectures"] == 423_624
    assert measures["import_seconds"] < 60
    assert measures["peak_mb"] < 400
    assert measures["table_mb"] < 15
    # The limit is a second on a machine that does nothing else; tests may share theirs.
    assert measures["cold_lookup_seconds"] < 3
