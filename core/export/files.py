"""The files that a network is exported to."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import io
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..capabilities import Images, Network, SequenceNetwork, require
from ..descriptions import DatasetInfo
from ..domain import JobKey
from ..errors import UnsupportedSearchSpaceError, UsageError
from ..results.whole_files import check_target
from ..seeding import derive_seed, seeded_global_rng

if TYPE_CHECKING:
    from torch import nn

    from ..interfaces import SearchSpace

SUFFIXES: Mapping[str, str] = {
    ".py": "Python source",
    ".pt2": "a program of torch.export",
    ".pt": "initial weights",
}
"""What each kind of file holds."""


AUXILIARY_LOGITS = "; in training a pair of them, the second of the auxiliary head"


@dataclass(frozen=True)
class ExportedNetwork:
    """A network with all that its files say of it.

    Attributes:
        space: Its search space.
        arch_id: Canonical string.
        variant: Which of the space's networks.
        dataset: Decides channels, resolution and classes.
        seed: Of the initial weights.
        length: Steps of the sequences that it takes, where the space has networks for sequences.
        auxiliary: Whether it has the head that its training adds.
    """

    space: SearchSpace
    arch_id: str
    variant: str
    dataset: DatasetInfo
    seed: int
    length: int
    auxiliary: bool

    def contents(self, paths: Sequence[Path]) -> list[bytes]:
        """Return the contents of files, by their suffixes.

        Raises:
            UnsupportedSearchSpaceError: There is no auxiliary head, or not for these images.
            UsageError: The network cannot be written so; the message says what stands in the way, and what can be done.
        """
        from .forward_pass import UnsupportedNetworkError

        network = self._build()
        contents = []
        for path in paths:
            try:
                contents.append(_WRITERS[path.suffix.lower()](self, network))
            except UnsupportedNetworkError as error:
                others = " or ".join(suffix for suffix in SUFFIXES if suffix != path.suffix.lower())
                content = SUFFIXES[path.suffix.lower()]
                raise UsageError(
                    f"The network of '{self.arch_id:.80}' cannot be written as {content}: {error}. Try another format: "
                    f"{others}."
                ) from error
        return contents

    def _build(self) -> nn.Module:
        """Build the network with the initial weights that evaluators see in a run of this seed."""
        key = JobKey(self.space.name, self.dataset.name, self.arch_id, "", "", self.seed)
        seed = derive_seed("initial weights", *key.common_seed_parts, f"network {self.variant}")
        build = self.space.build_with_auxiliary_head if self.auxiliary else self.space.build_network
        with seeded_global_rng(seed):
            return build(self.arch_id, self.dataset, self.variant)

    def _shape(self, network: nn.Module) -> tuple[tuple[int, ...], int]:
        """Return the shape of what the network takes, without the batch, and where the size of the batch belongs."""
        if Images in self.dataset.provides:
            return self.dataset.input_shape, 0
        return (self.length, require(network, SequenceNetwork).width), 1

    def source(self, network: nn.Module) -> bytes:
        """Return the text of a Python module."""
        from .module import write_module

        shape, batch_dimension = self._shape(network)
        return write_module(network, shape, self._about(network), batch_dimension).encode()

    def program(self, network: nn.Module) -> bytes:
        """Return a program of ``torch.export``."""
        from .program import write_program

        return write_program(network, *self._shape(network))

    def weights(self, network: nn.Module) -> bytes:
        """Return the state of the network, as ``torch.load`` reads it."""
        import torch

        buffer = io.BytesIO()
        torch.save(network.state_dict(), buffer)
        return buffer.getvalue()

    def _about(self, network: nn.Module) -> str:
        parameters = sum(parameter.numel() for parameter in network.parameters())
        lines = [
            f"Search space: {self.space.name}, {self.space.info.source}",
            f"Network: {self.variant}, {self.space.info.network_variants[self.variant]}",
            *self._described(),
            f"Parameters: {parameters:,}{', with those of the auxiliary head' if self.auxiliary else ''}",
            *self._about_input(),
        ]
        version = importlib.metadata.version("nasbench-toolkit")
        return "\n".join(
            [
                f"A network of the search space {self.space.name}; needs PyTorch alone.",
                "",
                f"Architecture: {self.arch_id}",
                *(wrapped for line in lines for wrapped in textwrap.wrap(line, 110, subsequent_indent="    ")),
                "",
                f"Written by nasbench-toolkit {version}. Weights begin as PyTorch's layers draw them. For those of the",
                "search space, write a .pt file beside this one, and begin with",
                "Network().load_state_dict(torch.load(FILE)).",
                "",
            ]
        )

    def _described(self) -> list[str]:
        """Return what the architecture is in words, if the space has other words than its text."""
        words = self.space.describe(self.arch_id)
        return [] if words == self.arch_id else [f"The architecture: {words}"]

    def _about_input(self) -> list[str]:
        if Images not in self.dataset.provides:
            return [f"Takes: sequences of {self.length} steps, (length, batch, width)"]
        channels, height, width = self.dataset.input_shape
        return [
            f"Takes: images (batch, {channels}, {height}, {width}), as of {self.dataset.name}; in [0, 1], less "
            f"{_rounded(self.dataset.mean)}, divided by {_rounded(self.dataset.std)}",
            f"Returns: logits (batch, {self.dataset.num_classes})" + AUXILIARY_LOGITS * self.auxiliary,
        ]


def _rounded(numbers: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(number, 4) for number in numbers)


_WRITERS: dict[str, Callable[[ExportedNetwork, nn.Module], bytes]] = {
    ".py": ExportedNetwork.source,
    ".pt2": ExportedNetwork.program,
    ".pt": ExportedNetwork.weights,
}


def check_network(space: SearchSpace, dataset: DatasetInfo) -> None:
    """Refuse what cannot be exported.

    Raises:
        UnsupportedSearchSpaceError: The space has no networks, or none for this data set that take images or sequences.
    """
    provides = space.info.provides
    takes_sequences = SequenceNetwork in provides and not dataset.has_inputs
    if Network not in provides or not (Images in dataset.provides or takes_sequences):
        raise UnsupportedSearchSpaceError(
            f"The search space '{space.name}' builds no networks for images or sequences of vectors for the dataset "
            f"'{dataset.name}': there is nothing to export."
        )


def check_files(paths: Sequence[Path]) -> None:
    """Refuse files whose names do not say what they are to hold, or that cannot be written.

    Raises:
        UsageError: A suffix is unknown, a file is named twice, or is a directory or no file.
    """
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            formats = ", ".join(f"{suffix} ({content})" for suffix, content in SUFFIXES.items())
            raise UsageError(f"'{path}' would be a file of an unknown format. End its name with {formats}.")
        if paths.count(path) > 1:
            raise UsageError(f"'{path}' is named twice: name each file once.")
        check_target(path)


def resized(dataset: DatasetInfo, side: int | None, classes: int | None) -> DatasetInfo:
    """Return a data set of other images, of ``side`` pixels, or of another number of classes."""
    shape = dataset.input_shape
    if side and Images in dataset.provides:
        shape = (shape[0], side, side)
    return dataclasses.replace(dataset, input_shape=shape, num_classes=classes or dataset.num_classes)
