"""A search of the toy space by a strategy whose proposals depend on all it was told. Usage: climb.py OUTPUT"""

import sys
from pathlib import Path

import numpy as np
from nasbench_toolkit.core.asktell.options import SearchOptions
from nasbench_toolkit.core.asktell.strategy import StrategySpec
from nasbench_toolkit.core.descriptions import SearchStrategyInfo
from nasbench_toolkit.core.interfaces import SearchStrategy
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.search.history import SearchHeader
from nasbench_toolkit.core.search.loop import run_search
from nasbench_toolkit.core.search.plan import SearchPlan
from nasbench_toolkit.core.settings import Settings


class Climb(SearchStrategy):
    """Proposes widths near the best so far, and now and then that one again, in any spelling."""

    def __init__(self, space, settings, seed):
        super().__init__(space, settings, seed)
        self.rng = np.random.default_rng(seed)
        self.best, self.best_fitness = 1000, -np.inf
        self.told = []

    def ask(self, count):
        distances = self.rng.integers(-9, 10, count) * (self.rng.random(count) < 0.9)
        return [f"width-{'0' * self.rng.integers(2)}{self.best + distance}" for distance in distances]

    def tell(self, architecture, fitness):
        self.told.append((architecture, fitness))
        if fitness is not None and fitness > self.best_fitness:
            self.best, self.best_fitness = int(architecture.removeprefix("width-")), fitness


def make_spec(strategy, space, seed=0, name="scripted"):
    """Make the spec of a class like Climb, or of what else takes space, settings and seed."""
    info = SearchStrategyInfo(name=name, summary="One of the tests.", source="the tests", factory=strategy)
    return StrategySpec(info, Settings(), "toy-plugin 1.0", space, seed)


def make_search_plan(evaluator="toy-width", evaluations=12, parallel=1, seed=0, strategy=Climb, direction=None):
    """Make a plan; ``strategy`` is a class like Climb."""
    plan = make_plan(RunRequest("toy", (evaluator,), samples=1), installed_plugins())
    space = installed_plugins().search_space("toy").info.create()

    def ground_truth(arch_ids):
        columns = plan.ground_truth
        table = space.ground_truth()
        return tuple(
            type(column)(column.metric, tuple(table.values(column.metric, arch_ids)), 0.95, "toy") for column in columns
        )

    return SearchPlan(
        header=SearchHeader(
            "toy", "noise", plan.evaluators[0].header, strategy.__name__.lower(), {"a": 1}, seed, parallel
        ),
        space=space,
        evaluators=plan.evaluators,
        strategy=make_spec(strategy, space, seed, strategy.__name__.lower()),
        evaluations=evaluations,
        ground_truth=ground_truth,
    )


def make_long_plan():
    """Make a plan of a search that is long enough to be killed."""
    return make_search_plan("toy-random", evaluations=60, parallel=3)


def main() -> None:
    """Start or resume the long search."""
    plan = make_long_plan()
    options = SearchOptions(Path(sys.argv[1]), ("cpu", "cpu"), resume=True)
    run_search(plan, options, lambda step, number: None)


if __name__ == "__main__":
    main()
