"""``naswot``: how differently the ReLU units of the untrained network respond to different images.

Source: Mellor, Turner, Storkey, Crowley, "Neural Architecture Search without Training", ICML 2021, section 3.
Formula: log |det K|, where K_ij is the number of ReLU units that are on for both or off for both of images i
and j. A ReLU is what returns 0 for negative values and the others as they are, whatever its name; where nothing is
negative, as behind another ReLU, it changes nothing and counts only by one of torch's names.
Direction: higher is better.

One forward pass in training mode of 128 real images, not augmented, through the network with the space's own
initial weights. Deviations from the authors' code: every ReLU that runs is counted, by one forward pass
(theirs counts those that a backward pass reaches, on a second forward); the classifier keeps all its outputs
(theirs has one), which K does not depend on; a singular K has no score (status ``degenerate``). ReLUs on a branch that
leads nowhere count, so a network without a path from input to output may have a score, if ReLUs run before the gap.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError
from .....core.interfaces import Evaluator
from ...executed_weights import check_visible
from ...memory_layout import channels_last_inputs
from ...observe import Call, observe_calls
from ...probing import network_mode, require_logits
from ...stand_ins import run_with
from ..image_layouts import ImageLayouts, with_image_layouts
from ..settings import NaswotSettings
from .layer_outputs import run_and_find_relu

EXACT_UNITS = 2**24
"""Sums of as many zeros and ones are exact in float32, in any order."""


class ReluAgreement:
    """Counts the ReLU units on which two images of the batch agree.

    Attributes:
        kernel: K, shape (batch, batch), float64: agreements of images i and j. None as long as no ReLU has
        run.
    """

    def __init__(self, layouts: ImageLayouts) -> None:
        self.kernel: Tensor | None = None
        self._layouts = layouts

    def observe(self, call: Call) -> Any:
        """Look at the input of a ReLU, before an in-place one overwrites it, and make the call."""
        self._layouts.follow(call)
        return run_and_find_relu(call, self._note)[0]

    def _note(self, pre_activations: Tensor) -> None:
        agreements = count_agreements(self._layouts.images_first(pre_activations))
        self.kernel = agreements if self.kernel is None else self.kernel + agreements


def count_agreements(pre_activations: Tensor) -> Tensor:
    """Count for each pair of images the units that are positive for both or for neither.

    With b = 1 and 0 in place of on and off, <b_i, b_j> units are on for both images and U - n_i - n_j + <b_i, b_j> for
    neither, of U units of which n_i = <b_i, b_i> are on: one matrix product.

    Args:
        pre_activations: Inputs of the units, shape (batch, ...).

    Returns:
        Shape (batch, batch), float64, exact whole numbers.
    """
    are_on = pre_activations.detach() > 0
    if are_on.dim() == 4 and not are_on.is_contiguous():
        # The order of units does not matter: that in which channels last lie in memory saves a copy.
        are_on = are_on.movedim(1, -1)
    are_on = are_on.flatten(1)
    both = _count_both(are_on)
    counts = both.diagonal()
    return are_on.shape[1] + 2 * both - counts[:, None] - counts[None, :]


def _count_both(are_on: Tensor) -> Tensor:
    """Count for each pair of images the units that are on for both, float64."""
    if are_on.device.type == "cpu":
        # Several times faster than products of floats.
        whole = are_on.view(torch.int8)
        return torch._int_mm(whole, whole.T).double()
    products = (part @ part.T for part in torch.split(are_on.float(), EXACT_UNITS, dim=1))
    return torch.stack([product.double() for product in products]).sum(0)


def log_determinant(kernel: Tensor) -> float:
    """Return log det K of a symmetric positive definite matrix in float64.

    Raises:
        DegenerateError: K is singular to working precision.
    """
    kernel = kernel.cpu()  # so that it is the same on every device
    size = len(kernel)
    rank = int(torch.linalg.matrix_rank(kernel, hermitian=True))
    if rank < size:
        raise DegenerateError(
            f"the ReLU activation patterns of {size} images span only {rank} dimensions, so det K is 0"
        )
    return float(torch.linalg.slogdet(kernel).logabsdet)


def naswot_score(network: nn.Module, images: Tensor) -> float:
    """Return log |det K| of one forward pass in training mode; the network is left as found.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).

    Raises:
        DegenerateError: No ReLU has run, or K is singular.
        DivergedError: The network's output is not finite.
        EvaluationError: The network's layers cannot be looked at, it does not return a tensor, or a ReLU gets images in
            no order that is known.
    """
    check_visible(network)
    images = channels_last_inputs(network, images)

    def run(layouts: ImageLayouts) -> tuple[Tensor | None, Tensor]:
        buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
        agreement = ReluAgreement(layouts)
        with network_mode(network, training=True), torch.no_grad(), observe_calls(agreement.observe):
            # A copy goes in: a network may begin with an in-place operation, and others are to see the same images.
            logits = require_logits(run_with(network, buffers, images.clone()))
        return agreement.kernel, logits

    kernel, logits = with_image_layouts(network, images, run)
    if kernel is None:
        raise DegenerateError("no ReLU has run: the network has no activation patterns to compare")
    if not torch.isfinite(logits).all():
        raise DivergedError("the network's output is not finite")
    return log_determinant(kernel)


class Naswot(Evaluator[NaswotSettings]):
    """Scores an architecture by the log-determinant of its activation-pattern kernel."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        return naswot_score(network, context.batch(self.settings.batch_size).inputs)
