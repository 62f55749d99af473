import dataclasses
import errno
import json
import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver
from pathlib import Path

import pytest
import torch
from nasbench_toolkit.core.errors import NasbenchError
from nasbench_toolkit.core.jobs import executor as executor_module
from nasbench_toolkit.core.jobs.executor import ProcessExecutor
from nasbench_toolkit.core.jobs.messages import Job, WorkerSetup
from nasbench_toolkit.core.jobs.replies import decode
from nasbench_toolkit.core.jobs.site import RECENT_EVALUATORS, JobSite
from nasbench_toolkit.core.jobs.worker import _serve
from nasbench_toolkit.core.planning.evaluators import EvaluatorFactory


def executor_of(plan, devices=("cpu",)):
    return ProcessExecutor(WorkerSetup.of(plan, threads=1), devices, time_limit=None)


def jobs_of(plan, count):
    return [Job((0, arch), plan.evaluators[0], plan.arch_ids[arch]) for arch in range(count)]


def test_executor_worker_that_cannot_start_ends_the_run_with_the_reason(toy_plan) -> None:
    plan = toy_plan(samples=2)
    with (
        executor_of(plan, ["nonsense"]) as executor,
        pytest.raises(NasbenchError, match="A worker process on nonsense could not start: .*nonsense"),
    ):
        list(executor.run(jobs_of(plan, 1)))


def test_executor_leaves_no_process_behind(toy_plan) -> None:
    plan = toy_plan(samples=4)
    with executor_of(plan, ["cpu", "cpu"]) as executor:
        jobs = executor.run(jobs_of(plan, 4))
        next(jobs)
        processes = [worker.process for worker in executor._workers]
        assert all(process.is_alive() for process in processes)
        jobs.close()
    assert not any(process.is_alive() for process in processes)


def test_site_on_a_broken_cuda_device_is_given_up(toy_plan, monkeypatch) -> None:
    plan = toy_plan(samples=1)
    site = JobSite(WorkerSetup.of(plan, threads=1), "cpu", shared_process=True)

    def fail(device):
        raise RuntimeError(f"CUDA error: device-side assert triggered on {device}")

    monkeypatch.setattr(torch.cuda, "synchronize", fail)
    assert site.run(jobs_of(plan, 1)[0])[1] == ()
    site._runner.device = torch.device("cuda")
    record, lost = site.run(jobs_of(plan, 1)[0])
    assert record.status == "failed"
    assert lost == ("what the CUDA device computes for this process",)


def test_score_stays_where_its_memory_cannot_be_measured_any_more(toy_plan, monkeypatch) -> None:
    plan = toy_plan(samples=2)
    site = JobSite(WorkerSetup.of(plan, threads=1), "cpu", shared_process=True)

    def fail(*_):
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(os, "pread", fail)
    for job in jobs_of(plan, 2):
        record, _ = site.run(job)
        assert (record.status, record.cost.peak_memory) == ("ok", 0)


def test_worker_reports_an_error_of_the_engine(toy_plan, monkeypatch) -> None:
    plan = toy_plan(samples=1)
    site = JobSite(WorkerSetup.of(plan, threads=1), "cpu", shared_process=True)
    (job,), (ours, theirs) = jobs_of(plan, 1), multiprocessing.Pipe()
    monkeypatch.setattr(site, "_put_back", lambda: 1 / 0)
    ours.send((7, job))
    assert not _serve(theirs, site, os.getpid())
    reply = decode(ours.recv_bytes())
    assert (reply.number, reply.record.message) == (7, "ZeroDivisionError: division by zero")
    assert reply.lost


def test_executor_starts_no_more_workers_than_jobs(toy_plan) -> None:
    plan = toy_plan(samples=2)
    with executor_of(plan, ["cpu"] * 4) as executor:
        assert len(list(executor.run(jobs_of(plan, 1)))) == 1
        assert len(executor._workers) == 1


def test_executor_idle_worker_that_dies_is_replaced_and_no_job_is_blamed(toy_plan) -> None:
    plan = toy_plan(samples=6)
    with executor_of(plan) as executor:
        jobs = executor.run(jobs_of(plan, 6))
        outcomes = [next(jobs)]
        process = executor._workers[0].process
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        outcomes += jobs
    assert [position for position, _ in outcomes] == [(0, arch) for arch in range(6)]
    assert [record.status for _, record in outcomes] == ["ok"] * 6


def test_executor_takes_jobs_while_it_runs_of_any_architecture(toy_plan) -> None:
    plan = toy_plan(("toy-width",), samples=1)
    with executor_of(plan, ["cpu"] * 2) as executor:
        outcomes = []
        for position in range(3):
            executor.submit(Job((0, position), plan.evaluators[0], f"width-{position + 7}"))
            while len(outcomes) <= position:
                outcomes += executor.collect()
        assert [(job, record.score) for job, record in outcomes] == [((0, 0), 7.0), ((0, 1), 8.0), ((0, 2), 9.0)]
        # One job at a time gives a second worker nothing to do.
        assert len(executor._workers) == 1


def slopes(toy_plugins, count):
    """Make evaluators that score a width times 0, 1, 2 and so on."""
    info, dataset = toy_plugins.search_space("toy").info, toy_plugins.dataset("noise").info
    factory = EvaluatorFactory(info, dataset, toy_plugins)
    tasks = [json.dumps({"slope": slope, "noise": 0}) for slope in range(count)]
    return [factory.make("toy-slope", {"task": task}) for task in tasks]


def test_executor_jobs_may_name_evaluators_that_the_setup_does_not(toy_plan, toy_plugins) -> None:
    plan, others = toy_plan(("toy-random",), samples=2), slopes(toy_plugins, RECENT_EVALUATORS + 4)
    count = len(others)
    assert len({spec.header.settings_hash for spec in others}) == count
    with executor_of(plan, ["cpu"] * 2) as executor:
        listed = dict(executor.run(jobs_of(plan, 2)))
        for number, slope in enumerate([*range(count), 0]):
            executor.submit(Job((number, 5), others[slope], "width-3"))
        executor.submit(jobs_of(plan, 1)[0])
        outcomes = []
        while len(outcomes) < count + 2:
            outcomes += executor.collect()
    scores = {index: record.score for index, record in outcomes}
    assert scores == {(n, 5): 3.0 * (n % count) for n in range(count + 1)} | {(0, 0): listed[0, 0].score}


def test_executor_evaluator_that_cannot_be_made_costs_its_jobs_only(toy_plan) -> None:
    plan = toy_plan(("toy-width",), samples=2)
    spec = plan.evaluators[0]
    header = dataclasses.replace(spec.header, name="nobody", settings_hash="ffff")
    with executor_of(plan) as executor:
        broken = Job((7, 0), dataclasses.replace(spec, header=header), plan.arch_ids[0])
        outcomes = dict(executor.run([broken, *jobs_of(plan, 1)]))
    assert (outcomes[7, 0].status, outcomes[0, 0].status) == ("failed", "ok")
    assert outcomes[7, 0].message.startswith(
        "the evaluator 'toy-width' of toy-plugin 1.0 cannot be made: UnknownNameError: Unknown evaluator 'nobody'."
    )


def test_a_worker_whose_server_ends_is_started_again_but_not_for_ever(toy_plan, monkeypatch) -> None:
    plan, problems = toy_plan(samples=1), [EOFError("unexpected EOF"), ConnectionResetError()]
    start = executor_module.Worker

    def start_or_fail(*arguments):
        if problems:
            raise problems.pop()
        return start(*arguments)

    monkeypatch.setattr(executor_module, "Worker", start_or_fail)
    with executor_of(plan) as executor:
        assert [record.status for _, record in executor.run(jobs_of(plan, 1))] == ["ok"]
    problems += [EOFError("unexpected EOF")] * 3
    with executor_of(plan) as executor, pytest.raises(NasbenchError, match="on cpu do not start: the server that they"):
        list(executor.run(jobs_of(plan, 1)))
    problems.append(OSError(errno.EMFILE, "Too many open files"))
    with executor_of(plan) as executor, pytest.raises(NasbenchError, match="Only 0 of 1 .* Too many open files"):
        list(executor.run(jobs_of(plan, 1)))
    problems.append(OSError("AF_UNIX path too long"))
    with executor_of(plan) as executor, pytest.raises(NasbenchError, match="on cpu cannot start: AF_UNIX path too lon"):
        list(executor.run(jobs_of(plan, 1)))


def test_workers_have_the_variables_of_the_moment_they_start(toy_plan, monkeypatch) -> None:
    plan, statuses = toy_plan(("toy-random",), samples=1), []
    for tickets in (None, "/nowhere/at/all", None):
        if tickets is None:
            monkeypatch.delenv("TOY_TICKETS", raising=False)
        else:
            monkeypatch.setenv("TOY_TICKETS", tickets)
        with executor_of(plan) as executor:
            ((_, record),) = executor.run(jobs_of(plan, 1))
        statuses.append((str(record.status), "/nowhere/at/all" in record.message))
    assert statuses == [("ok", False), ("failed", True), ("ok", False)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_interrupts_are_blocked_while_the_server_imports_and_ignored_by_workers(toy_plan) -> None:
    def has_interrupt(process: int, kind: str) -> bool:
        masks = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
        return bool(int(masks[kind], 16) & 1 << (signal.SIGINT - 1))

    plan = toy_plan(samples=2)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with executor_of(plan) as executor:
        jobs = executor.run(jobs_of(plan, 2))
        next(jobs)
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
        assert has_interrupt(forkserver._forkserver._forkserver_pid, "SigBlk")
        worker = executor._workers[0].process.pid
        assert not has_interrupt(worker, "SigBlk")
        assert has_interrupt(worker, "SigIgn")
        list(jobs)
