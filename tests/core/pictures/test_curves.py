import math

import pytest
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.pictures.curves import Curve, Dots, draw_curves

CURVES = [
    Curve("evolution", range(1, 5), [3.0, 1.0, 0.5, 0.0]),
    Curve("random", range(1, 5), [4.0, 3.0, math.nan, 2.0]),
]


def test_curves_are_drawn_the_same_each_time(tmp_path) -> None:
    files = [tmp_path / f"{number}.svg" for number in range(2)]
    for file in files:
        draw_curves(file, CURVES, dots=[Dots("tasks", [1, 2], [0.5, 1.5])], x_label="evaluations", y_label="regret")
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_text().count("<path") > 10


def test_an_unknown_format_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="End its name with"):
        draw_curves(tmp_path / "curves.gif", CURVES, x_label="x", y_label="y")
