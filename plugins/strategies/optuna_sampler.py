"""Optuna's samplers: Akiba, Sano, Yanase, Ohta & Koyama, "Optuna", KDD 2019.

Every decision of the space is a categorical parameter, a trial is a proposal.

- ``tpe``: the tree-structured Parzen estimator (Bergstra, Bardenet, Bengio & Kegl, NeurIPS 2011) of all decisions
  jointly, as in BOHB (Falkner, Klein & Hutter, ICML 2018). ``tpe-univariate``: of each decision on its own, as first
  published. Both sample at random until ``startup`` proposals have a score.
- ``random``: every option alike, independently of all before: uniform over spellings, with repeats.

Not here are those of Optuna's samplers that do not suit categorical parameters (CMA-ES, quasi-Monte Carlo) and the
Gaussian process, which optimises an acquisition function in floating point: its proposals need not be the same on
another machine, and a search that was interrupted goes on by making them again.

An architecture without a score is a failed trial, which teaches nothing. Where several proposals may wait for their
score, those that wait count among the bad ones ("constant liar"), which keeps them apart.
"""

from __future__ import annotations

import importlib
from collections import deque
from types import ModuleType
from typing import Any

from ...core.errors import UnsupportedSearchSpaceError, UsageError
from ...core.interfaces import DesignSpace, SearchStrategy
from ...core.seeding import derive_seed
from .settings import OptunaSettings


class OptunaSampler(SearchStrategy[OptunaSettings]):
    """Hands on what a sampler of Optuna suggests."""

    def __init__(self, space: DesignSpace, settings: OptunaSettings, seed: int) -> None:
        super().__init__(space, settings, seed)
        choices = space.choices()
        if choices is None:
            raise UnsupportedSearchSpaceError(
                f"The strategy 'optuna' cannot search '{space.name}', whose architectures are no free choice of "
                "options: not every combination is one. Use 'regularized-evolution'."
            )
        self._optuna = _import_optuna()
        # Optuna takes 32 bits.
        sampler = self._make_sampler(derive_seed("optuna", space.name, seed) % 2**32)
        self._study = self._optuna.create_study(direction="maximize", sampler=sampler)
        self._decisions = {
            f"{index}": self._optuna.distributions.CategoricalDistribution(range(len(options)))
            for index, options in enumerate(choices)
        }
        self._waiting: deque[Any] = deque()

    def ask(self, count: int) -> list[str]:
        """Propose what Optuna suggests."""
        return [self._suggest() for _ in range(count)]

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Complete the oldest trial, or let it fail."""
        trial = self._waiting.popleft()
        if fitness is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, fitness)

    def _suggest(self) -> str:
        trial = self._study.ask(self._decisions)
        self._waiting.append(trial)
        return self.space.assemble([trial.params[name] for name in self._decisions])

    def _make_sampler(self, seed: int) -> Any:
        if self.settings.sampler == "random":
            return self._optuna.samplers.RandomSampler(seed=seed)
        return self._optuna.samplers.TPESampler(
            seed=seed,
            multivariate=self.settings.sampler == "tpe",
            constant_liar=True,
            n_startup_trials=self.settings.startup,
            n_ei_candidates=self.settings.candidates,
        )


def _import_optuna() -> ModuleType:
    try:
        optuna = importlib.import_module("optuna")
    except ImportError as error:
        raise UsageError(
            f"The strategy 'optuna' needs Optuna, which cannot be imported ({error}). Run 'pip install "
            "nasbench-toolkit[search]', or use 'reinforce', which needs nothing."
        ) from error
    # It would write a line for every study.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
