"""Hard samples of categorical distributions that have a gradient: Jang, Gu & Poole, ICLR 2017.

With Gumbel noise G and temperature t, p is the softmax of (log-probabilities + G) / t. The sample is one at p's largest
entry and zero elsewhere; its gradient is p's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...core.errors import DivergedError
from ...core.supernets import Choice


def sample(log_probabilities: Tensor, temperature: float, generator: torch.Generator) -> tuple[Tensor, Choice]:
    """Sample an option of each decision.

    Args:
        log_probabilities: Shape ``(decisions, options)``.
        temperature: Above 0.
        generator: On the CPU. Noise that leads to anything that is not finite is drawn again.

    Returns:
        One-hot rows of the same shape, exact zeros among them, and the options where they are one.

    Raises:
        DivergedError: A log-probability is NaN, which no noise would change.
    """
    if log_probabilities.isnan().any():
        raise DivergedError("the probabilities of options became nan")
    while True:
        noise = -torch.empty(log_probabilities.shape, dtype=torch.float64).exponential_(generator=generator).log()
        noise = noise.to(log_probabilities)
        soft = torch.softmax((log_probabilities + noise) / temperature, dim=-1)
        if noise.isfinite().all() and soft.isfinite().all():
            break
    choice = soft.argmax(dim=-1)
    hard = torch.zeros_like(soft).scatter(-1, choice[:, None], 1.0)
    return hard - soft.detach() + soft, tuple(choice.tolist())
