"""What search spaces provide and evaluators need, as types that third parties can add to.

A capability is a class. The first sentence of its docstring says, as a noun phrase, what is provided: messages quote
it. Its name is how listings show it. Of two kinds:

- a protocol (``typing.Protocol``, ``runtime_checkable``): every network of the space has its members, so that an
  evaluator gets at them with :func:`require`;
- any other class: a fact about the space that no network shows.

A search space and an evaluator mean the same capability if they name the same class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from .errors import EvaluationError

if TYPE_CHECKING:
    from torch import Tensor

CapabilityT = TypeVar("CapabilityT")


class Network:
    """Networks, each a ``torch.nn.Module``."""


class Images:
    """Networks for images."""


class Labels:
    """Labels of images."""


class GroundTruthTable:
    """A table of trained performance."""


class Supernets:
    """A supernet, one network that holds all candidates."""


@runtime_checkable
class StagedNetwork(Protocol):
    """Networks that return the feature maps of their stages."""

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return one feature map a stage, each of shape ``(batch, channels, height, width)``, the last stage's last."""
        ...


@runtime_checkable
class BlockNetwork(Protocol):
    """Networks that return the feature maps of their stem and of each cell."""

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Return the feature map of the stem and then of each block, of shape ``(batch, channels, height, width)``."""
        ...


@runtime_checkable
class SequenceNetwork(Protocol):
    """Networks that map sequences of vectors to sequences of the same shape.

    Attributes:
        width: Length of the vectors.
    """

    width: int

    def __call__(self, sequences: Tensor) -> Tensor:
        """Map sequences of shape ``(length, batch, width)`` to the same shape."""
        ...


def capability_name(capability: type) -> str:
    """Return how listings show a capability: ``staged network`` for ``StagedNetwork``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", capability.__name__).lower()


def capability_names(capabilities: Iterable[type]) -> list[str]:
    """Return the names of capabilities as listings show them, sorted."""
    return sorted(map(capability_name, capabilities))


def capability_words(capability: type) -> str:
    """Return what a capability is, for the middle of a sentence: the first sentence of its docstring."""
    sentence = (capability.__doc__ or capability_name(capability)).strip().partition("\n")[0].rstrip(".")
    return f"{sentence[:1].lower()}{sentence[1:]}".replace("``", "")


def is_shown_by_networks(capability: type) -> bool:
    """Return whether a network can be asked for a capability: whether it is a protocol."""
    # As typing.is_protocol of Python 3.13 does.
    return bool(getattr(capability, "_is_protocol", False))


def require(network: object, capability: type[CapabilityT]) -> CapabilityT:
    """Return a network as what it must be.

    Args:
        network: A network of a space that provides the capability.
        capability: A protocol, such as :class:`StagedNetwork`.

    Raises:
        EvaluationError: The network does not have the protocol's members.
    """
    if not isinstance(network, capability):
        raise EvaluationError(
            f"it needs {capability_words(capability)} ({capability.__name__}), and this one, of the class "
            f"'{type(network).__name__}', is not among them"
        )
    return network


def problem_with(capability: Any) -> str | None:
    """Return why an object cannot be a capability, in half a sentence, or None if it can."""
    if not isinstance(capability, type):
        return f"{capability!r}, which is no class: name one such as StagedNetwork, or write your own"
    if not capability.__doc__:
        return f"{capability.__name__}, which has no docstring: its first sentence is what users read"
    try:
        isinstance(None, capability)
    except TypeError:
        return f"{capability.__name__}, a protocol that is not marked with @runtime_checkable"
    return None
