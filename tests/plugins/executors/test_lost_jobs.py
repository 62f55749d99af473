from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.jobs.messages import Job
from nasbench_toolkit.plugins.executors.lost_jobs import LostJobs


def test_a_lost_job_is_repeated_twice_and_then_given_up() -> None:
    lost, job = LostJobs(), Job((0, 4), None, "a")
    assert lost.sort([job]) == ([job], [])
    assert lost.sort([job]) == ([job], [])
    repeated, [(index, record)] = lost.sort([job])
    assert repeated == []
    assert index == (0, 4)
    assert record.status is Status.CRASHED
    assert record.message == "the machine that did it was lost, 3 times"
