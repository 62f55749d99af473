import dataclasses
import pickle

import pytest
from nasbench_toolkit.core.errors import NasbenchError
from nasbench_toolkit.core.jobs.executor import ProcessExecutor
from nasbench_toolkit.core.jobs.messages import Job, WorkerSetup
from nasbench_toolkit.core.jobs.remote import RemoteWorker, pack_jobs, pack_setup, read_reply


@pytest.fixture
def plan(toy_plan):
    return toy_plan(samples=3)


def jobs_of(plan):
    return [Job((0, arch), plan.evaluators[0], arch_id) for arch, arch_id in enumerate(plan.arch_ids)]


def test_remote_worker_gives_the_records_of_a_local_one(plan) -> None:
    setup = WorkerSetup.of(plan, 1)
    with ProcessExecutor(setup, ("cpu",), None) as executor:
        local = {index: record.score for index, record in executor.run(jobs_of(plan))}
    worker = RemoteWorker(pack_setup(setup), "cpu", None)
    replies = worker.run(pack_jobs(jobs_of(plan)))
    worker.close()
    assert {index: read_reply(content).score for index, content in replies} == local


def test_jobs_that_a_remote_worker_has_no_time_for_are_left_out(plan) -> None:
    worker = RemoteWorker(pack_setup(WorkerSetup.of(plan, 1)), "cpu", None)
    replies = worker.run(pack_jobs(jobs_of(plan)), seconds=0.0)
    worker.close()
    assert [index for index, _ in replies] == [(0, 0)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space_version": "toys 9.0"}, "has .* for 'toy', and the run uses toys 9.0: install the same version"),
        ({"dataset": "gone", "dataset_version": "toys 1.0"}, "has nothing for 'gone', and the run uses toys 1.0"),
    ],
)
def test_other_versions_of_a_machine_are_refused_by_name(plan, change, message) -> None:
    setup = dataclasses.replace(WorkerSetup.of(plan, 1), **change)
    with pytest.raises(NasbenchError, match=f"The machine '.*' {message}"):
        RemoteWorker(pack_setup(setup), "cpu", None)


def test_machine_without_a_plugin_is_named_with_what_it_needs() -> None:
    content = pickle.dumps((("letters 1.0",), b"cletters_plugin\nSettings\n."))
    with pytest.raises(NasbenchError, match="The machine '.*' cannot do these jobs: .*letters_plugin.*letters 1.0"):
        RemoteWorker(content, "cpu", None)


def test_what_is_no_reply_is_refused() -> None:
    with pytest.raises(ValueError, match="no reply to a job"):
        read_reply(b'{"kind":"ready"}')
