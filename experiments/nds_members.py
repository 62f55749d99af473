"""Draws members of the spaces of NDS, sees whether their networks run as promised, and times GenNAS on them.

Usage: python experiments/nds_members.py [--space nds-darts ...] [--members 50] [--iterations 100] [--output FILE]

For each member: the network for CIFAR is built and run forwards and backwards on a batch of four images; its stages
must have the images' side, a half and a quarter of it, and logits and gradients must be finite. With --iterations the
score of gennas-combo after so many training steps must be finite too; its own number, 100, takes minutes a member.
After fewer the loss of the last step is the score: running statistics of batch normalisation are not yet those of the
network, which may overflow in a scoring pass.

Each member is a line of the --output file as soon as it is done, and what is there is not done again: a run that was
stopped goes on where it was. Prints a line for each space: members that pass, processor seconds of network and score,
seconds of one of the score's iterations, and the megabytes by which memory rose (Linux). Exit code 1 if a member
does not pass. One thread computes; where NDS records were imported, members are drawn from them.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from nasbench_toolkit.core.errors import DivergedError
from nasbench_toolkit.core.interfaces import SearchSpace
from nasbench_toolkit.core.memory import MemoryMeter
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.plugins.search_spaces.nds.descriptions import NDS_SPACES
from nasbench_toolkit.testing import make_context

SIDE = 32
EVALUATOR = "gennas-combo"
FULL_TRAINING = 100
MEGABYTE = 10**6

METER = MemoryMeter(torch.device("cpu"))

Result = TypeVar("Result")

DRAWN = 50
"""Members of a space; the first of them are asked for, so that more can be asked for later."""


@dataclass(frozen=True)
class Member:
    """What became of an architecture; of what was not done, numbers are NaN.

    Attributes:
        space: Its space.
        architecture: Canonical string.
        iterations: Training steps of the evaluator, 0 if nothing is scored.
        network_seconds: Processor time of building the network, and of running it forwards and backwards.
        score_seconds: Processor time of the evaluator.
        megabytes: By which memory rose at most: in the evaluator, or with the network if nothing is scored.
        score: Of the evaluator.
        problem: What is wrong, empty if nothing.
    """

    space: str
    architecture: str
    iterations: int
    network_seconds: float
    score_seconds: float
    megabytes: float
    score: float
    problem: str


COLUMNS = [field.name for field in fields(Member)]
NUMBERS = COLUMNS[3:-1]


def main() -> int:
    """Return the exit code."""
    names = [info.name for info in NDS_SPACES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", nargs="+", choices=names, default=names)
    parser.add_argument("--members", type=int, choices=range(1, DRAWN + 1), default=DRAWN, metavar=f"1..{DRAWN}")
    parser.add_argument("--iterations", type=int, choices=range(FULL_TRAINING + 1), default=0, metavar="0..100")
    parser.add_argument("--output", type=Path, default=Path("nds-members.csv"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    passed = [check_space(name, options.members, options.iterations, options.output) for name in options.space]
    return 0 if all(passed) else 1


def check_space(name: str, count: int, iterations: int, output: Path) -> bool:
    """See what the file lacks of a space's members, print what they do, and return whether all pass."""
    space = installed_plugins().search_space(name).info.create()
    drawn = space.sample(DRAWN, np.random.default_rng(0))[:count]
    known = {(member.space, member.architecture): member for member in read(output) if is_done(member, iterations)}
    members = []
    for arch_id in drawn:
        member = known.get((name, arch_id))
        if member is None:
            member = examine(space, arch_id, iterations)
            append(output, member)
        members.append(member)
    print(summary(name, members), flush=True)
    for member in members:
        if member.problem:
            print(f"  {member.architecture}: {member.problem}", flush=True)
    return not any(member.problem for member in members)


def is_done(member: Member, iterations: int) -> bool:
    """Say whether nothing is left to do for a member."""
    return bool(member.problem) or iterations in (0, member.iterations)


def examine(space: SearchSpace, arch_id: str, iterations: int) -> Member:
    """Run the network of an architecture, and its evaluator if it is asked for."""
    problem, network_seconds, megabytes = measured(lambda: run_network(space, arch_id))
    score, score_seconds = math.nan, math.nan
    if iterations and not problem:
        (score, problem), score_seconds, megabytes = measured(lambda: score_of(space, arch_id, iterations))
    return Member(space.name, arch_id, iterations, network_seconds, score_seconds, megabytes, score, problem)


def measured(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Return what work returns, its processor seconds, and the megabytes by which memory rose at most."""
    METER.give_back_unused()
    METER.take_peak()
    held, started = METER.held(), time.process_time()
    returned = work()
    return returned, time.process_time() - started, (METER.take_peak() - held) / MEGABYTE


def run_network(space: SearchSpace, arch_id: str) -> str:
    """Return what is wrong with the network of an architecture, empty if nothing."""
    torch.manual_seed(0)
    photos = installed_plugins().dataset("photos").info
    network = space.build_network(arch_id, photos)
    images = torch.randn(4, 3, SIDE, SIDE)
    logits = network(images)
    logits.sum().backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    if not (torch.isfinite(logits).all() and all(torch.isfinite(gradient).all() for gradient in gradients)):
        return "logits or gradients are not finite"
    with torch.no_grad():
        shapes = [tuple(stage.shape[2:]) for stage in network.forward_stages(images)]
    expected = [(SIDE // share,) * 2 for share in (1, 2, 4)]
    return "" if shapes == expected else f"stages have {shapes}, expected {expected}"


def score_of(space: SearchSpace, arch_id: str, iterations: int) -> tuple[float, str]:
    """Return the evaluator's score, NaN if there is none, and why there is none."""
    info = installed_plugins().evaluator(EVALUATOR).info
    read = {} if iterations == FULL_TRAINING else {"readout": "steps"}
    settings = parse_settings(EVALUATOR, info.settings, {"iterations": str(iterations)} | read)
    context = make_context(space, arch_id, evaluator=EVALUATOR, settings=settings, dataset="photos")
    try:
        return float(info.create(settings).evaluate(context).score), ""
    except DivergedError as error:
        return math.nan, f"{EVALUATOR}: {error}"


def summary(name: str, members: Sequence[Member]) -> str:
    """Return the line of a space."""
    passing = sum(not member.problem for member in members)
    scored = [member for member in members if not math.isnan(member.score_seconds)]
    line = f"{name:14} {passing}/{len(members)} pass; network {spread([each.network_seconds for each in members])} s"
    if scored:
        seconds = [member.score_seconds for member in scored]
        each = sum(seconds) / sum(member.iterations for member in scored)
        line += f"; {EVALUATOR} {spread(seconds)} s, {each:.3f} s an iteration"
    return f"{line}; memory {spread([each.megabytes for each in members], digits=0)} MB"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return mean, least and greatest value."""
    return f"{np.mean(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def read(output: Path) -> list[Member]:
    """Return the members of a file, none if there is no file."""
    if not output.exists():
        return []
    with output.open(newline="") as file:
        return [
            Member(
                row["space"],
                row["architecture"],
                int(row["iterations"]),
                *map(float, [row[name] for name in NUMBERS]),
                row["problem"],
            )
            for row in csv.DictReader(file)
        ]


def append(output: Path, member: Member) -> None:
    """Add a line to a file, and its header if it is new."""
    is_new = not output.exists()
    with output.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(member))


if __name__ == "__main__":
    sys.exit(main())
