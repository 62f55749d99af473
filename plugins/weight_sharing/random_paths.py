"""``rsps``: random search with parameter sharing.

Sources: Li & Talwalkar, UAI 2019; as run for NAS-Bench-201 (Dong & Yang, ICLR 2020, released code). Each step trains
one random path. The answer is the most accurate of 100 random candidates, each judged by one batch, another one each
time: with 512 images the standard error of an accuracy is about two points, so the winner owes much to luck
(``selection_batches=0`` judges each by all images).

Deviations from the released code: the selection after the last epoch is the answer, where the scripts select once
more, in the same manner, after it. NATS-Bench trains another path in each cell (``sampling=per-cell``) and yet judges
paths that all cells share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from ...core.supernets import Choice, DecisionRule, SinglePath
from .derivation import distinct, uniform_choices
from .images import Batch
from .rules import PathPerCell
from .selection import SelectingTraining
from .settings import RspsSettings


class RandomPaths(SelectingTraining[RspsSettings]):
    """Trains random paths and answers with the best of random candidates."""

    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        return {"train_loss": self.train_weights(batch, self._draw_rule())}

    def _draw_rule(self) -> DecisionRule:
        paths = uniform_choices(self.supernet, self.generators["paths"])
        if self.settings.sampling == "uniform":
            return SinglePath(next(paths))
        connected = (path for path in paths if self._is_connected(path))
        return PathPerCell(lambda: next(connected))

    def _is_connected(self, path: Choice) -> bool:
        """Whether every node gets something."""
        names = self.supernet.names(path)
        return all(any(names[decision] not in self.supernet.zeros for decision in node) for node in self.supernet.nodes)

    def _candidates(self) -> Iterator[Choice]:
        drawn = uniform_choices(self.supernet, self.generators["candidates"])
        return distinct(drawn) if self.settings.distinct else drawn
