"""Draws members of the cell spaces of NDS, and sees whether their networks run as promised.

Usage: python experiments/nds_members.py [--count 50] [--space nds-darts ...] [--gennas]

For each member: the network for CIFAR is built and run forwards and backwards on a batch of four images, its stages
must have the images' side, a half and a quarter of it, and logits and gradients must be finite. With --gennas the score
of gennas-combo must be finite too, which takes minutes a member. Prints a line for each space: members that pass, and
mean processor seconds a member. Exit code 1 if one does not pass.
"""

from __future__ import annotations

import argparse
import math
import sys
import time

import numpy as np
import torch
from nasbench_toolkit.core.interfaces import SearchSpace
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.plugins.search_spaces.nds.descriptions import CELL_SPACES
from nasbench_toolkit.testing import make_context

SIDE = 32


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--space", nargs="*", default=[info.name for info in CELL_SPACES])
    parser.add_argument("--gennas", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    failed = [name for name in options.space if not check_space(name, options.count, options.gennas)]
    return 1 if failed else 0


def check_space(name: str, count: int, with_gennas: bool) -> bool:
    """Print what the members of a space do, and return whether all pass."""
    space = installed_plugins().search_space(name).info.create()
    started, problems = time.process_time(), []
    for arch_id in space.sample(count, np.random.default_rng(0)):
        problem = run_network(space, arch_id) or (with_gennas and score(name, arch_id)) or None
        if problem:
            problems.append(f"{arch_id}: {problem}")
    seconds = (time.process_time() - started) / count
    print(f"{name:12} {count - len(problems)}/{count} pass, {seconds:.2f} processor seconds a member", flush=True)
    for problem in problems:
        print(f"  {problem}", flush=True)
    return not problems


def run_network(space: SearchSpace, arch_id: str) -> str | None:
    """Return what is wrong with the network of an architecture."""
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
    return None if shapes == expected else f"stages have {shapes}, expected {expected}"


def score(name: str, arch_id: str) -> str | None:
    """Return what is wrong with the score of gennas-combo."""
    info = installed_plugins().evaluator("gennas-combo").info
    settings = parse_settings("gennas-combo", info.settings, {})
    evaluation = info.create(settings).evaluate(
        make_context(name, arch_id, evaluator="gennas-combo", settings=settings)
    )
    return None if math.isfinite(evaluation.score) else f"gennas-combo is {evaluation.score}"


if __name__ == "__main__":
    sys.exit(main())
