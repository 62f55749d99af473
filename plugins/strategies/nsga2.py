"""NSGA-II: Deb, Pratap, Agarwal & Meyarivan, IEEE Transactions on Evolutionary Computation 6(2), 2002; by pymoo.

Generation by generation: binary tournaments choose parents, their children are as many as the population, and of both
together the best survive, first by the rank of their non-dominated front, then by crowding distance. All of that is
pymoo's (Blank & Deb, IEEE Access 2020); `nsga2_operators` says how individuals are drawn and varied.

What the paper leaves open, and what is different from it:

- A child that is isomorphic to a member of the population or to another child is made anew, as pymoo does by default;
  the first generation has no duplicates either. Architectures that have died out may come back. The search ends where
  a hundred attempts make no new child: the population is the whole space, or nearly.
- pymoo breaks ties of a tournament by Pareto dominance and then crowding distance, where the paper compares ranks.
- An architecture without objectives violates a constraint (section VI): it loses every tournament against one that has
  objectives, survives only where there are too few of those, and chance decides between two of its kind.
- A generation is asked for when all of the one before it is told; until then, fewer proposals may wait than allowed.
- Told of one objective, it is an elitist genetic algorithm.

All random numbers come from one generator of pymoo's, seeded from the seed. Equal crowding distances, as all extremes
have, are shuffled and then sorted by NumPy's quicksort, which may order them otherwise on another kind of processor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.errors import UsageError
from ...core.interfaces import DesignSpace, SearchStrategy
from ...core.seeding import derive_seed
from .settings import Nsga2Settings

FEASIBLE, INFEASIBLE = np.array([0.0]), np.array([1.0])
"""Values of pymoo's inequality constraint: violated above 0."""


class Nsga2(SearchStrategy[Nsga2Settings]):
    """Keeps the population on the Pareto front of all objectives, and spread along it."""

    def __init__(self, space: DesignSpace, settings: Nsga2Settings, seed: int) -> None:
        super().__init__(space, settings, seed)
        try:
            from .nsga2_operators import representation_of
        except ImportError as error:
            raise UsageError(
                f"The strategy 'nsga2' needs pymoo, which cannot be imported ({error}). Run 'pip install "
                "nasbench-toolkit[search]', or use 'regularized-evolution', which needs nothing."
            ) from error
        self._representation = representation_of(space)
        self._algorithm = self._make_algorithm(derive_seed("nsga2", space.name, seed))
        self._generation: Sequence[Any] = ()
        self._unasked: deque[Any] = deque()
        self._waiting: deque[Any] = deque()
        self._num_objectives = 1

    def ask(self, count: int) -> list[str]:
        """Propose what is left of the generation, and begin the next when all of it is told."""
        if not self._unasked and not self._waiting:
            self._begin_generation()
        asked = [self._unasked.popleft() for _ in range(min(count, len(self._unasked)))]
        self._waiting.extend(asked)
        return [self._representation.spell(individual.X) for individual in asked]

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Take a single objective."""
        self.tell_objectives(architecture, None if fitness is None else [fitness])

    def tell_objectives(self, architecture: str, objectives: Sequence[float] | None) -> None:
        """Take the objectives; pymoo minimises."""
        individual = self._waiting.popleft()
        individual.G = INFEASIBLE if objectives is None else FEASIBLE
        if objectives is not None:
            individual.F = -np.array(objectives, dtype=np.float64)
            self._num_objectives = len(objectives)

    def _begin_generation(self) -> None:
        if len(self._generation) > 0:
            self._fill_in_objectives()
            self._algorithm.tell(infills=self._generation)
        children = self._algorithm.ask()
        self._generation = () if children is None else children
        self._unasked.extend(self._generation)

    def _fill_in_objectives(self) -> None:
        """Give individuals without objectives as many as the others have: pymoo makes arrays of them, unused."""
        for individual in (*self._algorithm.pop, *self._generation):
            if individual.G[0] > 0:
                individual.F = np.zeros(self._num_objectives)

    def _make_algorithm(self, seed: int) -> Any:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.config import Config
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination

        from .nsga2_operators import FirstGeneration, IsomorphicElimination, Mutant

        # It would print to standard output where pymoo was installed without its compiled parts.
        Config.warnings["not_compiled"] = False
        representation = self._representation
        algorithm = NSGA2(
            pop_size=self.settings.population_size,
            sampling=FirstGeneration(representation),
            crossover=representation.crossover,
            mutation=Mutant(representation),
            eliminate_duplicates=IsomorphicElimination(representation),
        )
        # The number of objectives is not known yet, and NSGA2 takes it from the individuals.
        problem = Problem(n_var=representation.num_variables, n_ieq_constr=1)
        return algorithm.setup(problem, termination=NoTermination(), seed=seed)
