"""What the strategies share whose architecture parameters are trained by gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor

from ...core.supernets import DecisionRule
from ...core.weight_sharing import Derivation, SupernetContext
from .architecture_parameters import ArchitectureParameters
from .images import Batch
from .settings import GradientSettings
from .training import SupernetTraining

SettingsT = TypeVar("SettingsT", bound=GradientSettings)


class GradientTraining(SupernetTraining[SettingsT]):
    """Has architecture parameters, and answers with what they make most probable.

    Must implement ``_step``.

    Attributes:
        alphas: The architecture parameters.
    """

    def __init__(self, context: SupernetContext, settings: SettingsT) -> None:
        super().__init__(context, settings)
        self.alphas = ArchitectureParameters(context, self.supernet, settings, self.generators)

    def train_alphas(self, batch: Batch, rule: DecisionRule) -> Tensor:
        """Take one step of the architecture parameters, on which the rule depends; return the detached loss."""
        loss = self.loss(batch, rule)
        (gradient,) = torch.autograd.grad(loss, [self.alphas.values])
        self.alphas.descend(gradient)
        return loss.detach()

    def derive(self, *, last: bool) -> Derivation:
        """Return what is most probable; see the base class."""
        derived = self.alphas.derive()
        accuracy = self.accuracy(derived.choice, self.images.selection_batch())
        return Derivation(derived.choice, derived.chosen, {"one_shot_accuracy": accuracy}, derived.probabilities)

    def state(self) -> dict[str, Any]:
        """See the base class."""
        return super().state() | {"alphas": self.alphas.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """See the base class."""
        super().load_state(state)
        self.alphas.load_state(state["alphas"])
