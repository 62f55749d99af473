import pickle
import signal
import sys
from pathlib import Path

import pytest
from nasbench_toolkit.core.errors import NasbenchError
from nasbench_toolkit.core.results.store import read_results

pytest.importorskip("submitit", reason="needs the extra 'slurm'")

TOY_PLUGIN = Path(__file__).parents[2] / "toy_plugin"

RUN = ["run", "-e", "params", "-e", "synflow", "-n", "4", "--seed", "3"]


def scores(path):
    return [part.records.scores.tolist() for part in read_results(path).evaluators]


def test_run_through_a_queue_gives_the_scores_of_a_local_one(run_nasbench, tmp_path) -> None:
    local = run_nasbench(*RUN, "-o", "local.h5", "-j", "1")
    assert local.returncode == 0, local.stderr
    queued = run_nasbench(*RUN, "-o", "queued.h5", "--executor", "submitit:cluster=local,folder=jobs,workers=2,batch=3")
    assert queued.returncode == 0, queued.stderr
    assert scores(tmp_path / "queued.h5") == scores(tmp_path / "local.h5")


def test_killed_run_is_resumed_and_its_scores_are_those_of_a_local_one(nasbench, start_held, tmp_path) -> None:
    args = ["run", "--space", "toy", "-e", "toy-random", "-n", "2"]
    assert nasbench(*args, "-o", "local.h5", "-j", "1").returncode == 0
    queued = [*args, "-o", "queued.h5", "--executor", "submitit:cluster=local,folder=jobs,workers=1,batch=1"]
    command = start_held("-m", "nasbench_toolkit", *queued)
    command.allow(1)
    command.wait_for(tmp_path / "queued.h5.journal", b'"job"', 1)
    command.end(signal.SIGKILL)
    # The queue's process of the second batch, which nobody waits for any more.
    command.allow(1)
    resumed = nasbench(*queued, "--resume", env={"PYTHONPATH": str(TOY_PLUGIN)})
    assert resumed.returncode == 0, resumed.stderr
    assert scores(tmp_path / "queued.h5") == scores(tmp_path / "local.h5")


def test_local_run_is_continued_through_a_queue_though_it_counted_its_workers(nasbench, tmp_path) -> None:
    assert nasbench("run", "--space", "toy", "-e", "toy-width", "-n", "2", "-j", "1", "-o", "r.h5").returncode == 0
    through = ("--executor", "submitit:cluster=local,folder=jobs,workers=1")
    done = nasbench("run", "--resume", "r.h5", "-n", "3", *through, env={"PYTHONPATH": str(TOY_PLUGIN)})
    assert done.returncode == 0, done.stderr
    assert [len(column) for column in scores(tmp_path / "r.h5")] == [3]
    refused = nasbench("run", "--resume", "r.h5", "-n", "4", "-j", "1", *through)
    assert refused.returncode == 2
    assert "--executor submitit:workers=1" in refused.stderr


@pytest.fixture
def run_through(tmp_path, toy_plan):
    """Run three jobs through a queue that loses the batches that are to be lost; return records and batch sizes."""
    from nasbench_toolkit.core.jobs.messages import Job, WorkerSetup
    from nasbench_toolkit.plugins.executors.settings import SubmititSettings
    from nasbench_toolkit.plugins.executors.submitit_queue import SubmititExecutor, run_batch

    plan = toy_plan(samples=3)
    jobs = [Job((0, arch), plan.evaluators[0], arch_id) for arch, arch_id in enumerate(plan.arch_ids)]

    class Task:
        def __init__(self, lost, arguments) -> None:
            self.lost, self.arguments = lost, arguments

        def done(self) -> bool:
            return True

        def result(self):
            if self.lost:
                raise RuntimeError("the node is gone")
            return run_batch(*self.arguments)

    def run(is_lost, minutes=240):
        batches = []

        class Queue:
            def submit(self, _, *arguments):
                batches.append([job.index[1] for job in pickle.loads(arguments[-1])])
                return Task(is_lost(batches), arguments)

        settings = SubmititSettings(cluster="local", folder=str(tmp_path), workers=1, minutes=minutes)
        with SubmititExecutor(WorkerSetup.of(plan, 1), ("cpu",), None, settings) as executor:
            executor._queue = Queue()
            return {index[1]: record for index, record in executor.run(jobs)}, batches

    return run


def test_what_a_lost_batch_has_not_brought_is_repeated(run_through) -> None:
    records, batches = run_through(lambda batches: len(batches) == 1)
    assert batches == [[0, 1, 2], [0], [1, 2]]
    assert [records[index].status for index in range(3)] == ["ok"] * 3


def test_a_job_that_takes_its_machines_down_costs_no_other_one_its_score(run_through) -> None:
    records, batches = run_through(lambda batches: 1 in batches[-1])
    assert batches == [[0, 1, 2], [0], [1, 2], [1], [2], [1], [1]]
    assert [records[index].status for index in range(3)] == ["ok", "crashed", "ok"]
    assert records[1].message == "the machine that did it was lost, 3 times"


def test_a_queue_that_loses_every_batch_ends_the_run(run_through) -> None:
    seen = []
    with pytest.raises(NasbenchError, match="lost 8 batches, and none has come back"):
        run_through(lambda batches: seen.append(len(batches)) or True)
    assert seen[-1] == 8


def test_a_batch_ends_before_the_queue_ends_it(run_through) -> None:
    records, batches = run_through(lambda _: False, minutes=1)
    assert batches == [[0, 1, 2], [1, 2], [2]]
    assert [records[index].status for index in range(3)] == ["ok"] * 3


@pytest.mark.parametrize(("executor", "module", "extra"), [("ray", "ray", "ray"), ("submitit", "submitit", "slurm")])
def test_missing_extra_is_named(monkeypatch, executor, module, extra) -> None:
    from nasbench_toolkit.core.errors import UsageError
    from nasbench_toolkit.plugins.executors.extras import import_extra

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=f"'{executor}' needs '{module}'.*pip install 'nasbench-toolkit.{extra}.'"):
        import_extra(module, executor, extra)


def test_a_gpu_is_looked_for_where_the_batch_runs(run_nasbench, tmp_path) -> None:
    queue = "submitit:cluster=local,folder=jobs,workers=1"
    done = run_nasbench(*RUN, "-o", "r.h5", "--executor", queue, "--device", "cuda", env={"CUDA_VISIBLE_DEVICES": ""})
    assert done.returncode == 1
    assert "A worker process on cuda:0 could not start" in done.stderr
    assert read_results(tmp_path / "r.h5").environment["devices"].startswith("cuda")


def test_queue_that_is_not_here_is_named(run_nasbench) -> None:
    done = run_nasbench(*RUN, "-o", "r.h5", "--executor", "submitit")
    assert done.returncode == 2
    assert "The queue 'slurm' does not work on this machine" in done.stderr


def test_unknown_executor_and_setting_are_named(run_nasbench) -> None:
    done = run_nasbench(*RUN, "--executor", "rey")
    assert done.returncode == 2
    assert "Did you mean 'ray'" in done.stderr
    done = run_nasbench(*RUN, "--executor", "ray:adress=auto")
    assert done.returncode == 2
    assert "address" in done.stderr
