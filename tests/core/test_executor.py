import os
import signal

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


def test_executor_idle_worker_that_dies_is_replaced_and_no_job_is_blamed(toy_plan) -> None:
    with ProcessExecutor(toy_plan(samples=6), ["cpu"], threads=1, time_limit=None) as executor:
        jobs = executor.run([(0, arch) for arch in range(6)])
        outcomes = [next(jobs)]
        process = executor._workers[0].process
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        outcomes += jobs
    assert [position for position, _ in outcomes] == [(0, arch) for arch in range(6)]
    assert [record.status for _, record in outcomes] == ["ok"] * 6


def test_executor_takes_jobs_while_it_runs_of_any_architecture(toy_plan) -> None:
    with ProcessExecutor(toy_plan(("toy-width",), samples=1), ["cpu"] * 2, threads=1, time_limit=None) as executor:
        outcomes = []
        for position in range(3):
            executor.submit((0, position), f"width-{position + 7}")
            while len(outcomes) <= position:
                outcomes += executor.collect()
        assert [(job, record.score) for job, record in outcomes] == [((0, 0), 7.0), ((0, 1), 8.0), ((0, 2), 9.0)]
        # One job at a time gives a second worker nothing to do.
        assert len(executor._workers) == 1
