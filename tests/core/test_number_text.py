import math

import pytest
from nasbench_toolkit.core.number_text import read_number


@pytest.mark.parametrize(
    ("text", "kind", "expected"), [("10", int, 10), (" +3 ", int, 3), ("1e-3", float, 0.001), ("-.5", float, -0.5)]
)
def test_numbers_are_read(text, kind, expected) -> None:
    assert read_number(text, kind) == expected


def test_nan_and_infinity_are_floats() -> None:
    assert math.isnan(read_number("nan", float))
    assert read_number("-inf", float) == -math.inf


@pytest.mark.parametrize("text", ["0_1", "1_000", "٣", "１", "", "1.5.0", "ten"])
@pytest.mark.parametrize("kind", [int, float])
def test_what_is_no_number_is_refused(text, kind) -> None:
    with pytest.raises(ValueError):
        read_number(text, kind)
