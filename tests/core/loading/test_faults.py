"""What keeps the code of plugins to itself."""

import subprocess
import sys

import pytest

COPY = """
import os, sys
from nasbench_toolkit.core.loading.faults import silent_output

with silent_output():
    copy = os.fork() == 0
    if copy and {ends!r} == "by sys.exit":
        sys.exit(3)
    if copy and {ends!r} == "by an error":
        raise ValueError
print("status", os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


@pytest.mark.parametrize(("ends", "status"), [("by sys.exit", 3), ("by an error", 1), ("never", 0)])
def test_a_copy_of_the_process_that_a_plugin_makes_ends_with_the_plugins_code(ends, status) -> None:
    done = subprocess.run([sys.executable, "-c", COPY.format(ends=ends)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"status {status}\n", "")
