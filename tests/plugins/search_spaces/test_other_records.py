"""Which records a mutant is chosen from."""

from collections import Counter

import numpy as np
import pytest
from nasbench_toolkit.plugins.search_spaces.other_records import draw_others


@pytest.mark.parametrize(("count", "drawn"), [(1, 0), (2, 1), (117, 12), (499, 50), (1999, 200), (5000, 200)])
def test_how_many_are_drawn(count: int, drawn: int) -> None:
    records = [f"record {row}" for row in range(count)]
    for seed in range(20):
        rows = draw_others(records, "record 0", np.random.default_rng(seed))
        assert len(set(rows)) == len(rows) == drawn
        assert 0 not in rows
    assert len(draw_others(records, "no record", np.random.default_rng(0))) == max(1, drawn)


def test_all_others_are_equally_probable() -> None:
    records, rng = [f"record {row}" for row in range(20)], np.random.default_rng(0)
    counts = Counter(row for _ in range(4000) for row in draw_others(records, "record 7", rng))
    assert counts.keys() == set(range(20)) - {7}
    # Two of nineteen each time: 421 expected, with a standard deviation of 19.
    assert all(abs(count - 8000 / 19) < 80 for count in counts.values())
