"""Architecture parameters: a number for each option of each decision, the same in all cells, trained by Adam.

Source: Liu et al., DARTS, ICLR 2019; as in Dong & Yang's code of NAS-Bench-201: initially 0.001 * N(0, 1), Adam with
betas 0.5 and 0.999, the penalty a part of the gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ...core.errors import DivergedError
from ...core.supernets import Choice, Supernet
from ...core.weight_sharing import Derivation, SupernetContext
from .derivation import in_space, most_probable_choices
from .generators import Generators
from .settings import GradientSettings

INITIAL_SCALE = 1e-3
BETAS = (0.5, 0.999)


class ArchitectureParameters:
    """The parameters, their optimiser, and what they say.

    Args:
        context: Where to compute, and which choices there are.
        supernet: Has the options.
        settings: Step size and penalty.
        generators: Where the initial values come from.

    Attributes:
        values: Shape ``(decisions, options)``; decisions with fewer options than others have unused ones.
    """

    def __init__(
        self, context: SupernetContext, supernet: Supernet, settings: GradientSettings, generators: Generators
    ) -> None:
        self._context = context
        self._supernet = supernet
        counts = [len(names) for names in supernet.options]
        shape = (len(counts), max(counts))
        initial = INITIAL_SCALE * torch.randn(shape, generator=generators["architecture parameters"])
        self.values = initial.to(context.device).requires_grad_()
        unused = torch.arange(max(counts)) >= torch.tensor(counts)[:, None]
        self._mask = torch.zeros(shape).masked_fill(unused, -torch.inf).to(context.device)
        self._optimizer = torch.optim.Adam(
            [self.values], lr=settings.alpha_learning_rate, betas=BETAS, weight_decay=settings.alpha_weight_decay
        )

    def log_probabilities(self) -> Tensor:
        """Return the logarithm of the softmax of each decision; minus infinity for unused options."""
        return torch.log_softmax(self.values + self._mask, dim=-1)

    def probabilities(self) -> Tensor:
        """Return the softmax of each decision."""
        return torch.softmax(self.values + self._mask, dim=-1)

    def descend(self, gradient: Tensor) -> None:
        """Take a step of Adam."""
        self.values.grad = gradient
        self._optimizer.step()

    def derive(self) -> Derivation:
        """Return the most probable choice, and the most probable of those that the space has.

        Raises:
            DivergedError: A parameter is not finite any more.
        """
        choice = next(in_space(self._context, self._supernet, self.ranked_choices()))
        chosen = next(self.ranked_choices())
        return Derivation(choice, chosen, probabilities=self.shares())

    def ranked_choices(self) -> Iterator[Choice]:
        """Yield all choices, the most probable first.

        Raises:
            DivergedError: A parameter is not finite any more.
        """
        return most_probable_choices(self._rows(self.log_probabilities()))

    def shares(self) -> tuple[tuple[float, ...], ...]:
        """Return the softmax of each decision as numbers."""
        return self._rows(self.probabilities())

    def _rows(self, table: Tensor) -> tuple[tuple[float, ...], ...]:
        if table.isnan().any():
            raise DivergedError("the probabilities of options became nan")
        rows = table.detach().double().cpu().tolist()
        return tuple(tuple(row[: len(names)]) for row, names in zip(rows, self._supernet.options, strict=True))

    def state(self) -> dict[str, Any]:
        """Return what decides the further course."""
        return {"values": self.values.detach(), "optimizer": self._optimizer.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        with torch.no_grad():
            self.values.copy_(state["values"])
        self._optimizer.load_state_dict(state["optimizer"])
