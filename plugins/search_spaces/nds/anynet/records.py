"""The designs of released records: what the field ``net`` of an NDS record says. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .....core.errors import InvalidArchitectureError
from .design import NUM_STAGES, Definition, Stage
from .layout import CIFAR_STEM_WIDTH, IMAGENET_STEM_WIDTH, STRIDES

BLOCK_TYPES = {"basic": "res_basic_block", "bottleneck": "res_bottleneck_block"}
"""What records call the blocks."""

STEMS: Sequence[Mapping[str, tuple[float, ...]]] = (
    {"ds": (1,), "ws": (CIFAR_STEM_WIDTH,), "ss": (1,), "num_gs": (1,), "bot_muls": (0, 1)},
    {"ds": (1,), "ws": (IMAGENET_STEM_WIDTH,), "ss": (8,), "num_gs": (1,), "bot_muls": (0, 1)},
)
"""What lists of records may begin with: for CIFAR and for ImageNet."""


def design_of_record(definition: Definition, net: Mapping[str, Any]) -> str:
    """Return the design of a record, as the space writes it.

    The lists of a record begin with an entry for the stem, which is the same in all records of a file.

    Args:
        definition: Of the space.
        net: The record's field ``net``: ``block_type``, and the lists ``ds`` (depths), ``ws`` (widths), ``ss``
            (strides), ``bot_muls`` (inner channels by width) and ``num_gs`` (groups), the last two empty for basic
            blocks.

    Raises:
        InvalidArchitectureError: It is of another space, or no network; the message names the field.
    """
    expected = BLOCK_TYPES[definition.block]
    if net.get("block_type") != expected:
        raise InvalidArchitectureError(
            f"'net.block_type' is {net.get('block_type')!r:.60}, expected {expected!r}, of which this space is made"
        )
    strides = _integers(net, "ss")
    if strides != list(STRIDES):
        raise InvalidArchitectureError(f"'net.ss' ends with the strides {strides}, expected {list(STRIDES)}")
    names, fields = ["ds", "ws", "ss"], [_integers(net, "ds"), _integers(net, "ws")]
    if definition.block == "bottleneck":
        names += ["bot_muls", "num_gs"]
        fields += [_ratios(net), _integers(net, "num_gs")]
    stages = [Stage(*values) for values in zip(*fields, strict=True)]
    definition.check(stages, "'net'")
    _check_stem({name: net[name][0] for name in names})
    return definition.text(stages)


def _numbers(net: Mapping[str, Any], field: str) -> Sequence[float]:
    """Return the entries of the stages."""
    values = net.get(field)
    if not isinstance(values, list) or len(values) != NUM_STAGES + 1:
        raise InvalidArchitectureError(
            f"'net.{field}' is {values!r:.80}, expected a list of {NUM_STAGES + 1} numbers: of the stem and of "
            f"{NUM_STAGES} stages"
        )
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        raise InvalidArchitectureError(f"'net.{field}' is {values!r:.80}, which are not all numbers")
    return values[1:]


def _integers(net: Mapping[str, Any], field: str) -> list[int]:
    values = _numbers(net, field)
    if any(value != value or value in (float("inf"), float("-inf")) or value != int(value) for value in values):
        raise InvalidArchitectureError(f"'net.{field}' has {list(values)!r:.80}, expected whole numbers")
    return [int(value) for value in values]


def _ratios(net: Mapping[str, Any]) -> list[int]:
    multipliers = _numbers(net, "bot_muls")
    if not all(0 < multiplier <= 1 and (1 / multiplier).is_integer() for multiplier in multipliers):
        raise InvalidArchitectureError(
            f"'net.bot_muls' has {list(multipliers)!r:.80}, expected one divided by a whole number each"
        )
    return [int(1 / multiplier) for multiplier in multipliers]


def _check_stem(entries: Mapping[str, float]) -> None:
    """Expect the stem of a released record, which is what will be built."""
    if not any(all(entry in stem[field] for field, entry in entries.items()) for stem in STEMS):
        expected = (_listed({field: stem[field][0] for field in entries}) for stem in STEMS)
        raise InvalidArchitectureError(
            f"the first entries of its lists, those of the stem, are {_listed(entries):.120}, expected "
            f"{' or '.join(expected)}"
        )


def _listed(entries: Mapping[str, float]) -> str:
    return ", ".join(f"{field} {entry}" for field, entry in entries.items())
