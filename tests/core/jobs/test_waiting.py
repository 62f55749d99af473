from nasbench_toolkit.core.jobs.messages import Job
from nasbench_toolkit.core.jobs.waiting import Attempt, WaitingJobs


def waiting_for(*jobs: str) -> WaitingJobs:
    waiting = WaitingJobs()
    for job in jobs:
        waiting.add(attempt(job))
    return waiting


def attempt(job: str, *, alone: bool = False) -> Attempt:
    return Attempt(Job((int(job[1]), 0), None, job[0]), alone=alone)


def taken(waiting: WaitingJobs, last: str | None = None, others: str = "") -> str:
    job = waiting.take(last, set(others)).job
    return f"{job.arch_id}{job.index[0]}"


def test_worker_goes_on_with_its_architecture() -> None:
    waiting = waiting_for("a0", "a1", "b0", "b1")
    assert taken(waiting) == "a0"
    assert taken(waiting, None, "a") == "b0"
    assert taken(waiting, "a", "b") == "a1"
    assert taken(waiting, "a", "b") == "b1"
    assert len(waiting) == 0


def test_order_is_that_of_adding() -> None:
    waiting = waiting_for("c0", "a0", "b0")
    assert [taken(waiting), taken(waiting), taken(waiting)] == ["c0", "a0", "b0"]


def test_repeated_attempt_comes_first_and_one_alone_comes_last() -> None:
    waiting = WaitingJobs()
    waiting.add(attempt("a0", alone=True))
    assert waiting.next_is_alone
    waiting.add(attempt("c0"))
    waiting.add(attempt("b1"))
    waiting.add(attempt("b0"), first=True)
    assert not waiting.next_is_alone
    assert [taken(waiting) for _ in range(4)] == ["b0", "b1", "c0", "a0"]
