import json
import os
import signal

import pytest
from nasbench_toolkit.core.errors import NasbenchError
from nasbench_toolkit.core.jobs.executor import ProcessExecutor
from nasbench_toolkit.core.planning.evaluators import EvaluatorFactory


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


def test_executor_jobs_may_bring_their_evaluator_along(toy_plan, toy_plugins) -> None:
    plan, info = toy_plan(("toy-random",), samples=2), toy_plugins.search_space("toy").info
    dataset = toy_plugins.dataset("noise").info
    own = [
        EvaluatorFactory(info, dataset, toy_plugins).make(
            "toy-slope", {"task": json.dumps({"slope": slope, "noise": 0})}
        )
        for slope in range(12)  # more than a worker keeps
    ]
    assert len({spec.header.settings_hash for spec in own}) == 12
    with ProcessExecutor(plan, ["cpu"] * 2, threads=1, time_limit=None) as executor:
        listed = dict(executor.run([(0, 0), (0, 1)]))
        for job, slope in enumerate([*range(12), 0]):
            executor.submit((job, 5), "width-3", own[slope])
        executor.submit((0, 0), plan.arch_ids[0])
        outcomes = []
        while len(outcomes) < 14:
            outcomes += executor.collect()
    scores = {job: record.score for job, record in outcomes}
    assert scores == {(job, 5): 3.0 * (job % 12) for job in range(13)} | {(0, 0): listed[0, 0].score}
