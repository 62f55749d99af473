"""Damage small files in every format the toolkit reads, and check that each is read or refused, and nothing else.

Each damaged file is read in this process, in at most a few seconds, with a limit on memory. Accepted is a result, or a
``DataError`` or ``ResultsFileError`` that leaves the data directory as it was. Anything else counts: other exceptions,
a file that takes too long, a started process, an unpickled name, a file written elsewhere, something left in the data
directory.

Usage: python experiments/robustness/damaged_sources.py [--count 10000] [--seed 0] [--only READER]
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from types import FrameType

from nasbench_toolkit.core.errors import DataError, ResultsFileError
from nasbench_toolkit.experiments.robustness.damaged_sources_targets import Target, make_targets

SECONDS_PER_FILE = 10.0
MEMORY_BYTES = 6 << 30
MAX_EDITS = 4
MAX_SHOWN = 5

# Pieces that mean something in one of the formats: numbers at their limits, delimiters, opcodes of pickle, headers.
PIECES = (
    *(b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 8),
    *(b"nan", b"inf", b"-1", b"1e999", b"0.5", b"NaN", b"null", b"[]", b"{}", b'"', b",", b"\n", b"\r", b"~9", b"|"),
    *(b"(", b"}", b"]", b")", b"\x85", b"\x86", b"u", b"s", b"a", b"e", b"R", b"b", b"0", b"2", b".", b"h\x00"),
    *(b"\x94", b"cos\nsystem\n", b"\x8c\x02os\x8c\x06system\x93", b"S'touch x'\n", b"tR", b"K\xff", b"G\x7f\xf8"),
    *(b"../../", b"/etc/passwd", b"PK\x03\x04", b"\x1f\x8b", b"BZh9", b"\x93NUMPY", b"O8", b"|O"),
)

READING_PROCESS = "nasbench_toolkit.core.hdf5.reading_process"

FORBIDDEN_EVENTS = frozenset(
    {"os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class", "socket.connect"}
)


class TooSlow(BaseException):
    """A file takes too long; no reader may catch this."""


def main() -> None:
    """Damage, read and report; exit code 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="damaged files for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="readers whose name contains this")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        os.environ["NASBENCH_DATA"] = f"{name}/home"
        fuzzer = Fuzzer(Path(name), args.seed)
        for reader, targets in groupby(fuzzer.targets, key=lambda target: target.reader):
            if args.only is None or args.only in reader:
                fuzzer.fuzz(reader, list(targets), args.count)
    sys.exit(1 if fuzzer.failures else 0)


class Fuzzer:
    """Counts what happens to damaged files.

    Attributes:
        targets: What is damaged.
        failures: How often each reader did what it must not do.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.failures: Counter[str] = Counter()
        self._seed = seed
        self._home, self._work = folder / "home", folder / "work"
        scratch = folder / "scratch"
        for path in (self._home, self._work, scratch):
            path.mkdir()
        self.targets = make_targets(scratch)
        self._events: list[str] = []
        self._root = str(folder)
        sys.addaudithook(self._audit)
        signal.signal(signal.SIGALRM, _stop)

    def fuzz(self, reader: str, targets: Sequence[Target], count: int) -> None:
        """Read undamaged files, then ``count`` damaged ones, and print a line."""
        for target in targets:
            outcome = self._read(target, target.content)
            if outcome != "read":
                raise SystemExit(f"{reader}: {target.file_name} is refused undamaged: {outcome}")
        outcomes: Counter[str] = Counter()
        start, slowest = time.monotonic(), 0.0
        for number in range(count):
            target = targets[number % len(targets)]
            begin = time.monotonic()
            outcome = self._read(
                target, damage(target.content, random.Random(f"{self._seed} {target.file_name} {number}"))
            )
            slowest = max(slowest, time.monotonic() - begin)
            outcomes[outcome if outcome in ("read", "refused") else "failed"] += 1
            if outcome not in ("read", "refused"):
                self.failures[reader] += 1
                if self.failures[reader] <= MAX_SHOWN:
                    print(f"{reader}: {target.file_name}, number {number}: {outcome}", flush=True)
        print(
            f"{reader}: {count:,} damaged files, {outcomes['refused']:,} refused, {outcomes['read']:,} read, "
            f"{outcomes['failed']:,} failed; {time.monotonic() - start:.0f} s, slowest {slowest:.2f} s",
            flush=True,
        )

    def _read(self, target: Target, damaged: bytes) -> str:
        path = target.write(self._work, damaged)
        self._events.clear()
        outcome = "read"
        try:
            signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_FILE)
            target.read(path)
        except (DataError, ResultsFileError) as error:
            outcome = "refused" if str(error).strip() else "an error without a message"
        except (Exception, TooSlow):
            outcome = traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self._events:
            outcome = f"forbidden: {self._events}"
        if left := [file.name for file in self._home.iterdir()]:
            outcome = f"left in the data directory: {left}; {outcome}"
        for folder in (self._home, self._work):
            shutil.rmtree(folder)
            folder.mkdir()
        return outcome

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        # HDF5 files are read by a process of ours, which is started with the first.
        if event == "subprocess.Popen" and READING_PROCESS in arguments[1]:
            return
        if event in FORBIDDEN_EVENTS:
            self._events.append(f"{event} {arguments!r:.100}")
        elif event == "open" and isinstance(arguments[0], str) and set(str(arguments[1])) & set("wax+"):
            is_ours = arguments[0].startswith((self._root, "/dev/"))
            self._events += [] if is_ours else [f"writes {arguments[0]}"]


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with one to four edits at random places."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, MAX_EDITS)):
        place = rng.randrange(len(damaged) + 1)
        length = min(rng.choice((1, 1, 2, 4, 8, 64, 1024)), len(damaged) - place)
        part = damaged[place : place + length]
        match rng.randrange(8):
            case 0 if part:
                damaged[place] ^= 1 << rng.randrange(8)
            case 1 if part:
                damaged[place] = rng.randrange(256)
            case 2:
                piece = rng.choice(PIECES)
                damaged[place : place + len(piece)] = piece
            case 3:
                damaged[place:place] = rng.choice(PIECES)
            case 4:
                del damaged[place : place + length]
            case 5:
                damaged[place:place] = part * rng.choice((1, 1, 3, 100))
            case 6:
                other = rng.randrange(len(damaged) + 1)
                damaged[other:other] = part
            case 7 if rng.random() < 0.3:
                del damaged[place:]
    return bytes(damaged)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlow


if __name__ == "__main__":
    main()
