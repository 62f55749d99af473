"""The evaluator and the search space that the plugin provides."""

import numpy as np
from nasbench_toolkit import Evaluator, InvalidArchitectureError, SearchSpace
from torch import nn

WIDTHS = ("4", "8", "16")
MAX_DEPTH = 8


class Depth(Evaluator):
    """Counts convolutions."""

    def _evaluate(self, context):
        return float(sum(isinstance(module, nn.Conv2d) for module in context.network().modules()))


class PlainConvs(SearchSpace):
    """Architectures are written as widths, such as '4-16-8'."""

    size = sum(len(WIDTHS) ** depth for depth in range(1, MAX_DEPTH + 1))

    def canonicalize(self, text):
        widths = text.split("-")
        if len(widths) > MAX_DEPTH or not set(widths) <= set(WIDTHS):
            raise InvalidArchitectureError(
                f"'{text}' must be one to {MAX_DEPTH} widths out of {', '.join(WIDTHS)}, such as '4-16-8'"
            )
        return text

    def _sample(self, count, rng: np.random.Generator):
        chosen = rng.choice(self.size, count, replace=False)
        return [self._from_index(int(index)) for index in chosen]

    def _from_index(self, index):
        depth = 1
        while index >= len(WIDTHS) ** depth:
            index -= len(WIDTHS) ** depth
            depth += 1
        digits = [index // len(WIDTHS) ** place % len(WIDTHS) for place in range(depth)]
        return "-".join(WIDTHS[digit] for digit in digits)

    def _build_network(self, arch_id, dataset, variant):
        layers, channels = [], dataset.input_shape[0]
        for width in map(int, arch_id.split("-")):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, dataset.num_classes))
