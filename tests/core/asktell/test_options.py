import pytest
from nasbench_toolkit.core.asktell.options import check_counts
from nasbench_toolkit.core.errors import UsageError


def test_counts_below_one_are_refused_by_the_name_of_their_option() -> None:
    check_counts(evaluations=1, parallel=2)
    with pytest.raises(UsageError, match="--parallel must be at least 1, got 0"):
        check_counts(evaluations=1, parallel=0)
