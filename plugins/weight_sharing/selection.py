"""Choosing among candidates by their accuracy under shared weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

from ...core.supernets import Choice
from ...core.weight_sharing import Derivation
from .derivation import by_accuracy, in_space
from .images import Batch
from .settings import SelectingSettings
from .training import SupernetTraining

SettingsT = TypeVar("SettingsT", bound=SelectingSettings)


class SelectingTraining(SupernetTraining[SettingsT]):
    """Answers with the most accurate of some candidates, each judged by its own batches.

    Must implement ``_candidates``.
    """

    @abstractmethod
    def _candidates(self) -> Iterator[Choice]:
        """Yield as many candidates as anybody asks for; those that the space does not have are passed over."""

    def derive(self, *, last: bool) -> Derivation:
        """Judge candidates; see the base class."""
        count = self.settings.candidates if last else self.settings.log_candidates
        candidates = list(islice(in_space(self.context, self.supernet, self._candidates()), count))
        ranked = by_accuracy(candidates, self._judge)
        if self.settings.finalists:
            finalists = [choice for choice, _ in ranked[: self.settings.finalists]]
            ranked = by_accuracy(finalists, lambda choice: self.accuracy(choice, *self.images.all_selection_batches()))
        best, accuracy = ranked[0]
        return Derivation(best, best, {"one_shot_accuracy": accuracy})

    def _judge(self, choice: Choice) -> float:
        if not self.settings.selection_batches:
            return self.accuracy(choice, *self.images.all_selection_batches())
        return self.accuracy(choice, *(self._judging_batch() for _ in range(self.settings.selection_batches)))

    def _judging_batch(self) -> Batch:
        return self.images.selection_batch()
