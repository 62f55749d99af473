"""The contract of aggregates."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from ..interfaces import Aggregate
from ..plugin_manager import installed_plugins

Floats = npt.NDArray[np.float64]


class AggregateContract:
    """What an aggregate promises.

    Attributes:
        aggregate: Name of the aggregate.
        components: How many evaluators to combine where users name them; otherwise as many as the description names.
        architectures: Number of architectures in the cohort.
    """

    aggregate: ClassVar[str]
    components: ClassVar[int] = 3
    architectures: ClassVar[int] = 20

    def make_aggregate(self) -> Aggregate:
        """Return the aggregate."""
        return installed_plugins().aggregate(self.aggregate).info.create()

    def draw_ranks(self, seed: int = 0) -> Floats:
        """Return average ranks of random scores with ties, shape ``(components, architectures)``."""
        named = installed_plugins().aggregate(self.aggregate).info.components
        rng = np.random.default_rng(seed)
        scores = rng.integers(0, self.architectures, (len(named) or self.components, self.architectures))
        return np.asarray(rankdata(scores, axis=1), np.float64)

    def test_every_architecture_gets_a_finite_score(self) -> None:
        """``combine`` returns one finite number for each architecture, also for a cohort of two."""
        for ranks in (self.draw_ranks(), np.asarray(rankdata(self.draw_ranks()[:, :2], axis=1), np.float64)):
            scores = self.make_aggregate().combine(ranks)
            assert scores.shape == (ranks.shape[1],)
            assert bool(np.isfinite(scores).all())

    def test_scores_depend_on_ranks_only(self) -> None:
        """The same ranks give the same scores, for another instance as well; the ranks are left as they were."""
        ranks, aggregate = self.draw_ranks(), self.make_aggregate()
        before = ranks.copy()
        first = aggregate.combine(ranks)
        aggregate.combine(self.draw_ranks(1))
        assert np.array_equal(ranks, before)
        assert np.array_equal(aggregate.combine(ranks), first)
        assert np.array_equal(self.make_aggregate().combine(ranks), first)

    def test_order_of_architectures_does_not_matter(self) -> None:
        """Architectures in another order have the same scores."""
        ranks = self.draw_ranks()
        order = np.random.default_rng(2).permutation(ranks.shape[1])
        scores = self.make_aggregate().combine(ranks)
        np.testing.assert_allclose(self.make_aggregate().combine(ranks[:, order]), scores[order])

    def test_best_in_every_component_is_best(self) -> None:
        """An architecture that is ahead of all others in every component has the highest score."""
        ranks = self.draw_ranks()
        best = 3
        ranks[:, best] = ranks.max() + 1
        scores = self.make_aggregate().combine(np.asarray(rankdata(ranks, axis=1), np.float64))
        assert scores[best] == scores.max()

    def test_resamples_together_are_as_each_alone(self) -> None:
        """``combine_resamples``, where there is one, returns what ``combine`` does of each resample."""
        ranks, aggregate = self.draw_ranks(), self.make_aggregate()
        size = ranks.shape[1]
        drawn = np.random.default_rng(4).integers(size, size=(5, size))
        counts = np.stack([np.bincount(row, minlength=size) for row in drawn], axis=1).astype(np.float32)
        together = aggregate.combine_resamples(ranks, counts)
        if together is None:
            return
        for resample, row in enumerate(drawn):
            alone = aggregate.combine(np.asarray(rankdata(ranks[:, row], axis=1), np.float64))
            np.testing.assert_allclose(together[row, resample], alone)

    def test_figures_are_numbers(self) -> None:
        """Further figures have a name and a finite value."""
        ranks = self.draw_ranks()
        truth = np.random.default_rng(3).random((ranks.shape[1],))
        for name, value in self.make_aggregate().figures(ranks, truth).items():
            assert name.strip()
            assert np.isfinite(value)
