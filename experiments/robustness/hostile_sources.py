"""Read pickles and archives that are made to take memory or time: each is refused, or read, within bounds.

Every file is read, as ``nasbench data import`` reads it, in a child process whose time is limited and whose memory is
measured. A file counts as survived if it was refused by a message, or read, and took no more than the bound: what a
reader needs before it reads anything, ``--megabytes`` more, and sixteen times its own size.

Usage: python experiments/robustness/hostile_sources.py [--only KIND] [--seconds 60] [--megabytes 400]
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nasbench_toolkit.experiments.robustness import hostile_archives, hostile_pickles
from nasbench_toolkit.experiments.robustness.damaged_sources_targets import describing_images, importing
from nasbench_toolkit.experiments.robustness.trial import DONE, REFUSED, Trial, attempt


@dataclass(frozen=True)
class Hostile:
    """One file.

    Attributes:
        kind: What it does, by the format before a colon.
        file_name: Its name, with the folder that is imported.
        content: Makes its bytes.
        read: Reads it.
    """

    kind: str
    file_name: str
    content: Callable[[], bytes]
    read: Callable[[Path], None]


@dataclass(frozen=True)
class SizedTrial(Trial):
    """How reading a file of so many megabytes ended."""

    file_megabytes: float


def hostile_files() -> Iterator[Hostile]:
    """Yield all of them: each pickle plain, packed by bzip2 within a benchmark, and in an archive."""
    nasbench201, cifar10, logs = importing("nasbench201"), importing("cifar10"), importing("nasbench-nlp")
    in_folder = importing("cifar10", folders_up=1)
    batch = hostile_archives.BATCH
    for kind, opcodes in hostile_pickles.PICKLES.items():
        plain = partial(_composed, hostile_pickles.with_end, opcodes)
        labels = partial(_composed, hostile_pickles.as_labels, opcodes)
        packed = partial(_composed, hostile_pickles.in_nats_bench, opcodes)
        yield Hostile(f"pickle: {kind}", batch, plain, in_folder)
        yield Hostile(f"labels: {kind}", batch, labels, in_folder)
        yield Hostile(f"pickle.pbz2: {kind}", "a.pickle.pbz2", packed, nasbench201)
    for kind, content in hostile_archives.TARS.items():
        yield Hostile(kind, "a.tar.gz", content, cifar10)
    for kind, content in hostile_archives.ZIPS.items():
        yield Hostile(kind, "a.zip", content, logs)
    for kind, (name, content) in hostile_archives.OTHERS.items():
        yield Hostile(kind, name, content, nasbench201)
    for kind, content in hostile_archives.ARRAYS.items():
        yield Hostile(kind, "a.npz", content, describing_images)


def _composed(pack: Callable[[bytes], bytes], content: Callable[[], bytes]) -> bytes:
    return pack(content())


def main() -> None:
    """Read and report; exit code 1 if a file did what it must not do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="kinds that contain this")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--megabytes", type=float, default=300.0)
    args = parser.parse_args()
    files = [file for file in hostile_files() if args.only in file.kind]
    with tempfile.TemporaryDirectory() as name:
        os.environ["NASBENCH_DATA"] = f"{name}/home"
        nothing = Hostile("an empty archive", "a.tar.gz", partial(gzip.compress, b""), files[0].read)
        base = try_file(nothing, Path(name), args.seconds)
        trials = {file.kind: try_file(file, Path(name), args.seconds) for file in files}
    failed = {kind for kind, trial in trials.items() if not survived(trial, base.megabytes + args.megabytes)}
    for kind in failed:
        print(f"FAILED {kind}: {described(trials[kind])}")
    slowest, largest = (max(trials, key=lambda kind: getattr(trials[kind], what)) for what in ("seconds", "megabytes"))
    print(f"slowest: {slowest}: {described(trials[slowest])}")
    print(f"largest: {largest}: {described(trials[largest])}; {base.megabytes:.0f} MB before anything is read")
    print(f"{len(trials) - len(failed)}/{len(trials)} survived")
    sys.exit(bool(failed))


def try_file(file: Hostile, folder: Path, seconds: float) -> SizedTrial:
    """Make a file in one child process and read it in another, so that making it takes no memory of ours."""
    work = folder / "work"
    made = attempt(partial(write, file, work), 600)
    if made.outcome != DONE:
        sys.exit(f"{file.kind} cannot be made: {made.text}")
    trial = attempt(partial(read, file, work), seconds)
    size = (work / file.file_name).stat().st_size
    shutil.rmtree(work)
    sized = SizedTrial(**vars(trial), file_megabytes=size / 1e6)
    print(f"{file.kind}: {described(sized)}", flush=True)
    return sized


def write(file: Hostile, work: Path) -> str:
    """Make a file in a folder of its own."""
    path = work / file.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(file.content())
    return ""


def read(file: Hostile, work: Path) -> str:
    """Read a file."""
    file.read(work / file.file_name)
    return "read"


def survived(trial: SizedTrial, megabytes: float) -> bool:
    """Return whether a file was read or refused, and took no more than this and what its size allows."""
    return trial.outcome in (DONE, REFUSED) and trial.megabytes <= megabytes + 16 * trial.file_megabytes


def described(trial: SizedTrial) -> str:
    """Return how a trial ended, in one line."""
    took = f"{trial.seconds:.1f} s, {trial.megabytes:.0f} MB for {trial.file_megabytes:.3f} MB"
    return f"{trial.outcome} in {took}: {trial.text[:300]}"


if __name__ == "__main__":
    main()
