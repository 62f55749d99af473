import pytest
from nasbench_toolkit.core.cli import progress
from nasbench_toolkit.core.cli.progress import JobProgress
from nasbench_toolkit.core.domain import Record, Status


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_a_line_a_minute_says_how_far_a_run_is(clock, capsys) -> None:
    shown = JobProgress()
    shown.start(40, 100)
    for job in range(10):
        clock[0] += 13.0
        shown.advance(Record(Status.FAILED if job == 1 else Status.OK, 1.0, ""))
    # Ten of sixty jobs took 130 s; lines after 65 s and 130 s: 55 jobs are left at 13 s, then 50.
    assert capsys.readouterr().err.splitlines() == [
        "45 of 100 jobs, 1 failed, about 12 min left",
        "50 of 100 jobs, 1 failed, about 11 min left",
    ]


def test_short_commands_are_quiet_without_a_terminal(clock, capsys) -> None:
    shown = JobProgress()
    shown.start(0, 2)
    shown.advance(Record(Status.OK, 1.0, ""))
    clock[0] += 59.0
    shown.advance(Record(Status.OK, 1.0, ""))
    assert capsys.readouterr().err == ""
