"""What search spaces and data sets provide and evaluators need, as types that third parties can add to.

A capability is a class. The first sentence of its docstring says, as a noun phrase, what is provided: messages quote
it. Its name is how listings show it. Of three kinds:

- a protocol (``typing.Protocol``, ``runtime_checkable``): every network of the space for the data sets in question has
  its members, so that an evaluator gets at them with :func:`require`;
- a class derived from :class:`OfDatasets`: a fact about a data set, such as what its inputs are;
- any other class: a fact about the space that no network shows.

A search space, a data set and an evaluator mean the same capability if they name the same class; who needs a class also
takes one derived from it, as :class:`Images` are :class:`Inputs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from .errors import EvaluationError

if TYPE_CHECKING:
    from torch import Tensor

CapabilityT = TypeVar("CapabilityT")


class Network:
    """Networks, each a ``torch.nn.Module``."""


class OfDatasets:
    """What data sets provide."""


class Inputs(OfDatasets):
    """Batches of inputs."""


class Images(Inputs):
    """Images."""


class Tokens(Inputs):
    """Text as tokens.

    Each input is a piece of it, and its labels are the tokens that follow each of its own. In the order of their
    positions, the pieces of a data set follow one another in the text.
    """


class Labels(OfDatasets):
    """Labels."""


class GroundTruthTable:
    """A table of trained performance."""


class Supernets:
    """A supernet, one network that holds all candidates."""


@runtime_checkable
class StagedNetwork(Protocol):
    """Networks that return the feature maps of their stages."""

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return one feature map a stage, each of shape ``(batch, channels, height, width)``, the last stage's last.

        No layer may change a map in place once it is to be returned, as an in-place ReLU of the next stage would.
        """
        ...


@runtime_checkable
class BlockNetwork(Protocol):
    """Networks that return the feature maps of their stem and of each cell."""

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Return the feature map of the stem and then of each block, of shape ``(batch, channels, height, width)``.

        No layer may change a map in place once it is to be returned, as an in-place ReLU of the next block would.
        """
        ...


@runtime_checkable
class SequenceNetwork(Protocol):
    """Networks that map sequences of vectors to sequences of the same shape.

    They are those for the data set ``none``, which :meth:`.context.EvaluationContext.network` gives as ``bare`` ones.

    Attributes:
        width: Length of the vectors.
    """

    width: int

    def __call__(self, sequences: Tensor) -> Tensor:
        """Map sequences of shape ``(length, batch, width)`` to the same shape."""
        ...


@dataclass(frozen=True)
class Reading:
    """What a language model makes of pieces of text.

    Attributes:
        logits: Of the tokens that follow, shape ``(batch, length, vocabulary)``.
        outputs: Of the last layer, which become logits, shape ``(length, batch, width)``.
        raw_outputs: The same before dropout.
        states: To read on with; no gradient goes through them.
    """

    logits: Tensor
    outputs: Tensor
    raw_outputs: Tensor
    states: Any


@runtime_checkable
class LanguageNetwork(Protocol):
    """Networks that read on in running text.

    They are those for data sets with :class:`Tokens`.
    """

    def read(self, tokens: Tensor, states: Any = None) -> Reading:
        """Read tokens of shape ``(batch, length)``, the states being those of the reading before, None at first."""
        ...


def lacking(needed: Iterable[type], provided: Iterable[type]) -> list[type]:
    """Return those of the needed capabilities that are not provided, sorted by what they are in words."""
    available = tuple(provided)
    missing = [need for need in needed if not any(need in have.__mro__ for have in available)]
    return sorted(missing, key=capability_words)


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
