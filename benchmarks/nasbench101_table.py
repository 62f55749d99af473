"""Measure importing the whole of NAS-Bench-101 and looking cells up in the stored table.

Usage: python -m nasbench_toolkit.benchmarks.nasbench101_table nasbench101.csv.gz

Import and look-ups run in processes of their own (on Linux, whose /proc tells their peak memory; getrusage would also
count that of the process that started them). Prints one line of JSON: seconds and peak memory of the import, size of
the stored table, and the seconds that a new interpreter takes from its start to having opened the table and looked up
1,000 random cells (median and worst of five).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

IMPORT = """
import json, re, sys
from pathlib import Path
from time import perf_counter
start = perf_counter()
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH101_SOURCE
manifest = import_data(NASBENCH101_SOURCE.create(), Path(sys.argv[1]), lambda done, total: None)
print(json.dumps({
    "architectures": manifest.items,
    "import_seconds": round(perf_counter() - start, 1),
    "peak_mb": round(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024),
    "table_mb": round(manifest.size_bytes / 1e6, 2),
}))
"""

LOOK_UP = """
import sys
from nasbench_toolkit.benchmarks_data.tables.store import TABLE_NAME, StoredTable
from nasbench_toolkit.core.data.data_home import stored_folder
table = StoredTable.open(stored_folder("nasbench101") / TABLE_NAME)
values = table.values(table.metrics[0], sys.stdin.read().split())
assert len(values) == 1000 and all(0 < value <= 100 for value in values)
"""

SAMPLE = """
import random
from nasbench_toolkit.benchmarks_data.tables.store import TABLE_NAME, StoredTable
from nasbench_toolkit.core.data.data_home import stored_folder
table = StoredTable.open(stored_folder("nasbench101") / TABLE_NAME)
print("\\n".join(random.Random(0).sample(table.arch_ids, 1000)))
"""


def main() -> None:
    """Import into a temporary data directory, look up, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    table = parser.parse_args().table
    with tempfile.TemporaryDirectory() as home:
        measures = json.loads(_python(home, IMPORT, str(table.absolute())))
        arch_ids = _python(home, SAMPLE)
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            _python(home, LOOK_UP, stdin=arch_ids)
            seconds.append(time.perf_counter() - start)
    measures["cold_lookup_seconds"] = round(statistics.median(seconds), 2)
    measures["cold_lookup_seconds_worst"] = round(max(seconds), 2)
    print(json.dumps(measures))


def _python(home: str, program: str, *args: str, stdin: str = "") -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"NASBENCH_DATA": home},
    ).stdout


if __name__ == "__main__":
    main()
