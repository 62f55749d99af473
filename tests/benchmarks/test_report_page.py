import re
import sys

import pytest
from nasbench_toolkit.benchmarks import report_page

pytest.importorskip("altair", reason="charts need the extra 'report'")
pytest.importorskip("vl_convert", reason="charts need the extra 'report'")


def test_the_report_of_a_small_file_is_measured(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["report_page", "--architectures", "12", "--evaluators", "2"])
    report_page.main()
    assert re.fullmatch(
        r"\d+\.\d processor s, \d+\.\d s by the clock, load \d+\.\d\n\d+ MB of memory, a page of [1-9]\.\d MB\n",
        capsys.readouterr().out,
    )
