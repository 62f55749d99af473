import pytest
from nasbench_toolkit.core.errors import NasbenchError
from nasbench_toolkit.core.executor import ProcessExecutor


def test_executor_worker_that_cannot_start_ends_the_run_with_the_reason(toy_plan) -> None:
    plan = toy_plan(samples=2)
    with (
        ProcessExecutor(plan, ["nonsense"], threads=1, time_limit=None) as executor,
        pytest.raises(NasbenchError, match="A worker process on nonsense could not start: .*nonsense"),
    ):
        list(executor.run([(0, 0)]))


def test_executor_leaves_no_process_behind(toy_plan) -> None:
    with ProcessExecutor(toy_plan(samples=4), ["cpu", "cpu"], threads=1, time_limit=None) as executor:
        jobs = executor.run([(0, 0), (0, 1), (0, 2), (0, 3)])
        next(jobs)
        processes = [worker.process for worker in executor._workers]
        assert all(process.is_alive() for process in processes)
        jobs.close()
    assert not any(process.is_alive() for process in processes)


def test_executor_starts_no_more_workers_than_jobs(toy_plan) -> None:
    with ProcessExecutor(toy_plan(samples=2), ["cpu"] * 4, threads=1, time_limit=None) as executor:
        assert len(list(executor.run([(0, 0)]))) == 1
        assert len(executor._workers) == 1
