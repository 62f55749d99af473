"""``setn``: self-evaluated template network.

Sources: Dong & Yang, ICCV 2019; as run for NAS-Bench-201 (Dong & Yang, ICLR 2020, released code). Weights are trained
on random paths, without clipping; architecture parameters on mixtures, with weights that no mixture was trained for.
The answer is the most accurate of the 100 most probable architectures, each judged by one batch, another one each
time.

Deviation from the released code: the selection after the last epoch is the answer, where the scripts select once more,
in the same manner, after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from ...core.supernets import Choice, SinglePath
from ...core.weight_sharing import Derivation
from .derivation import uniform_choices
from .gradients import GradientTraining
from .images import Batch
from .rules import Mixture
from .selection import SelectingTraining
from .settings import SetnSettings


class Setn(SelectingTraining[SetnSettings], GradientTraining[SetnSettings]):
    """Trains random paths and the shares of a mixture, and answers with the best of the most probable."""

    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        path = next(uniform_choices(self.supernet, self.generators["paths"]))
        train_loss = self.train_weights(batch, SinglePath(path))
        other = self.images.architecture_batch(len(batch[1]))
        return {
            "train_loss": train_loss,
            "arch_loss": self.train_alphas(other, Mixture(self.alphas.probabilities())),
        }

    def _candidates(self) -> Iterator[Choice]:
        return self.alphas.ranked_choices()

    def derive(self, *, last: bool) -> Derivation:
        """Judge the most probable; see the base class."""
        selected = SelectingTraining.derive(self, last=last)
        return Derivation(selected.choice, selected.chosen, selected.figures, self.alphas.shares())
