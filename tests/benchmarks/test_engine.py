import pytest
from nasbench_toolkit.benchmarks.engine import measure_engine, no_op_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins


@pytest.fixture(autouse=True)
def forget_executors_of_the_benchmarks():
    yield
    installed_plugins.cache_clear()


def test_simulated_workers_sleep_at_the_same_time() -> None:
    cost = measure_engine(no_op_plan(40, "nasbench201-tiny"), "simulated:workers=2,milliseconds=20", 2, sleep=20.0)
    # From the first record to the last, each worker does 19 of its 20 jobs; there are 39 intervals.
    assert cost.clock >= 19 * 20 / 39
    assert cost.beyond == cost.clock - 10
    assert 0 < cost.main < cost.clock
