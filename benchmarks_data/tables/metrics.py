"""Names of metrics as tables spell them, such as ``cifar10/test_accuracy@108`` or ``hardware/edgegpu_latency``."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...core.domain import Direction, Metric
from ...core.errors import DataError, closest_matches

SPLITS = ("test", "validation", "train", "valid")

# Scalars up to here are exact in a float64.
MAX_COUNT = 2.0**53


@dataclass(frozen=True)
class Quantity:
    """What can be measured.

    Attributes:
        direction: Which end of the scale is the good one.
        unit: Unit of the values.
        qualifier: What may stand before it in a metric's name: ``split`` of a data set, ``device``, or nothing.
        maximum: Largest possible value; the smallest is 0 for all of them.
        whole: Whether single values, unlike their means, are whole numbers.
    """

    direction: Direction
    unit: str
    qualifier: str = ""
    maximum: float = float("inf")
    whole: bool = False

    def impossible(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Say of each value, or mean of values, whether it cannot be; NaN, which is *not measured*, can."""
        wrong: npt.NDArray[np.bool_] = np.isinf(values) | (values < 0.0) | (values > self.maximum)
        return wrong


# Latency in ms, energy in mJ, arithmetic intensity in operations per byte: the units of HW-NAS-Bench (Li et al.,
# ICLR 2021, section 3 and its published example).
QUANTITIES = {
    "accuracy": Quantity(Direction.MAXIMIZE, "percent", "split", 100.0),
    "loss": Quantity(Direction.MINIMIZE, "nats", "split"),
    "cross_entropy": Quantity(Direction.MINIMIZE, "nats", "split"),
    "best_accuracy": Quantity(Direction.MAXIMIZE, "percent", "split", 100.0),
    "latency": Quantity(Direction.MINIMIZE, "ms", "device"),
    "energy": Quantity(Direction.MINIMIZE, "mJ", "device"),
    "arithmetic_intensity": Quantity(Direction.MAXIMIZE, "ops/byte", "device"),
    "training_seconds": Quantity(Direction.MINIMIZE, "seconds"),
    "parameters": Quantity(Direction.MINIMIZE, "scalars", maximum=MAX_COUNT, whole=True),
    "macs": Quantity(Direction.MINIMIZE, "multiply-adds"),
    "flops": Quantity(Direction.MINIMIZE, "operations"),
}

_KEY = re.compile(
    r"(?P<dataset>[a-z0-9]+(?:[-_.][a-z0-9]+)*)/(?P<name>[a-z0-9]+(?:_[a-z0-9]+)*)(?:@(?P<epochs>[1-9][0-9]{0,5}))?"
)


def parse_metric_key(key: str, reduction: str = "") -> Metric:
    """Read a metric's key.

    Args:
        key: ``dataset/split_quantity@epochs``; split and epochs may be missing, a device may stand for the split.
        reduction: How several measurements became one value.

    Raises:
        DataError: The key has another shape, or names an unknown quantity or split.
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise DataError(
            f"Bad metric '{key}': expected 'dataset/split_quantity@epochs' in lower case, such as "
            "'cifar10/test_accuracy@108' or 'hardware/edgegpu_latency'."
        )
    qualifier, quantity = _split_name(key, match["name"])
    _check_qualifier(key, qualifier, QUANTITIES[quantity])
    epochs = None if match["epochs"] is None else int(match["epochs"])
    known = QUANTITIES[quantity]
    return Metric(match["dataset"], qualifier, quantity, epochs, known.direction, known.unit, reduction)


def _split_name(key: str, name: str) -> tuple[str, str]:
    """Split ``test_cross_entropy`` into ``test`` and ``cross_entropy``."""
    # The longest name first: the best accuracy is no accuracy of a split called best.
    for quantity in sorted(QUANTITIES, key=len, reverse=True):
        if name == quantity or name.endswith(f"_{quantity}"):
            return name[: -len(quantity)].rstrip("_"), quantity
    raise DataError(
        f"Unknown quantity in the metric '{key}'. {closest_matches(name.partition('_')[2] or name, QUANTITIES)}Known "
        f"are {', '.join(QUANTITIES)}."
    )


def _check_qualifier(key: str, qualifier: str, quantity: Quantity) -> None:
    if not qualifier or quantity.qualifier == "device":
        return
    if quantity.qualifier == "split" and qualifier in SPLITS:
        return
    allowed = f"one of {', '.join(SPLITS)}, or nothing" if quantity.qualifier else "nothing"
    raise DataError(f"Bad metric '{key}': got '{qualifier}' before the quantity, expected {allowed}.")
