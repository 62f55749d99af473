import pytest
from nasbench_toolkit.reports.thinning import evenly_spread


@pytest.mark.parametrize(
    ("count", "most", "positions"),
    [(0, 3, []), (2, 3, [0, 1]), (3, 3, [0, 1, 2]), (9, 3, [2, 5, 8]), (10, 4, [1, 4, 6, 9])],
    ids=str,
)
def test_the_last_position_is_always_there(count, most, positions) -> None:
    assert evenly_spread(count, most) == positions
