"""Builds the network of every released record of NDS cells and compares its parameters with those of the record.

Usage: python experiments/nds_counts.py FOLDER

FOLDER has files of the release under their names, such as DARTS.json or DARTS_in.json.gz. Prints a line for each file:
records, how many are equal, and between which percentages the records' flops are above our multiply-adds. Exit code 1
if a record is not equal.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from nasbench_toolkit.benchmarks_data.formats.nds_json import read_nds_json
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.search_spaces.nds.counts import count
from nasbench_toolkit.plugins.search_spaces.nds.descriptions import RELEASED
from nasbench_toolkit.plugins.search_spaces.nds.released_counts import COUNTED_IMAGES, COUNTED_NETWORKS


def main(folder: Path) -> int:
    """Return the exit code."""
    all_equal = True
    for space, names in RELEASED.items():
        for name in names:
            found = [path for path in (folder / f"{name}.json", folder / f"{name}.json.gz") if path.is_file()]
            all_equal &= all(compare(path, space) for path in found)
    return 0 if all_equal else 1


def compare(path: Path, name: str) -> bool:
    """Print what a file's records have, and return whether all parameters are equal."""
    space = installed_plugins().search_space(name).info.create()
    raw = read_nds_json(path, lambda _done, _total: None)
    dataset = next(iter(raw.columns)).partition("/")[0]
    form = dataset.removesuffix("-lr-wd")
    stated = {quantity: raw.columns[f"{dataset}/{quantity}"] for quantity in ("parameters", "flops")}
    counted = np.array([count(space, text, COUNTED_IMAGES[form], COUNTED_NETWORKS[form]) for text in raw.architectures])
    equal = counted[:, 0] == stated["parameters"]
    above = 100 * (stated["flops"] / counted[:, 1] - 1)
    print(
        f"{name:12} {path.name:24} {len(equal):6} records {int(equal.sum()):6} equal, flops {above.min():.1f} to "
        f"{above.max():.1f} % above our multiply-adds",
        flush=True,
    )
    return bool(equal.all())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
