"""Results files of every released layout still read, with the values they were written with."""

from pathlib import Path

import pytest
from nasbench_toolkit.core.domain import Record, Seconds, Status
from nasbench_toolkit.core.results import layout
from nasbench_toolkit.core.results.reader import read_results

FILES = sorted((Path(__file__).parent / "data" / "results").glob("version-*.h5"))


def test_every_layout_version_has_a_file() -> None:
    assert [path.name for path in FILES] == [f"version-{n}.h5" for n in range(1, layout.FORMAT_VERSION + 1)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_old_file_reads(path: Path) -> None:
    results = read_results(path)
    assert results.arch_ids == ("width-496", "width-2469", "width-1472", "width-1079")
    assert results.plan_id == "585024e0ac2b36eb"
    assert [column.metric.key for column in results.ground_truth] == [
        "noise/test_accuracy@5",
        "noise/test_cross_entropy@5",
    ]
    width, random = results.evaluators
    assert [record.score for record in width.records] == [496.0, 2469.0, 1472.0, 1079.0]
    assert width.records[0].seconds == Seconds(0.1, 0.2, 0.3)
    assert random.records[0] == Record(Status.OK, 0.1 + 0.2, "", Seconds(1, 2, 3), {"halves": (0.5, 0.25)})
    assert [record.status for record in random.records] == ["ok", "timeout", "pending", "pending"]
    assert random.records[1].message == "took longer than the limit of 1 s"
