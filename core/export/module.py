"""A network as a standalone Python module, checked against the network itself."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..seeding import torch_generator
from .forward_pass import UnsupportedNetworkError
from .source import ROOT_CLASS, SourceWriter
from .trace import trace_network
from .unify import Forward, unify

_BATCHES = (2, 3)

_IMPORTS = """from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional
"""


def write_module(network: nn.Module, shape: Sequence[int], about: str, batch_dimension: int = 0) -> str:
    """Return the text of a Python module with the class ``Network``, which makes the network anew.

    Its parameters have the names that they have in ``network``. They begin as PyTorch's layers begin; to begin, or go
    on, as ``network`` does, load its state.

    Args:
        network: Takes one tensor; it is left as it is.
        shape: Of the tensor, without the batch.
        about: Docstring of the module.
        batch_dimension: Where the size of the batch stands in the tensor's shape.

    Raises:
        UnsupportedNetworkError: It has no text, or what the text makes is not the same network.
    """
    shapes = [(*shape[:batch_dimension], batch, *shape[batch_dimension:]) for batch in _BATCHES]
    writer = SourceWriter(network, _forwards(network, shapes), batch_dimension)
    classes = writer.classes()
    quoted = about.replace("\\", "\\\\").replace('"""', "'''")
    text = f'"""{quoted}"""\n\n{_used_imports(classes)}\n\n{classes}\n'
    _check(text, network, shapes)
    return text


def _forwards(network: nn.Module, shapes: Sequence[Sequence[int]]) -> dict[str, Forward]:
    small, large = (trace_network(network, shape, training=True) for shape in shapes)
    still_small, still_large = (trace_network(network, shape, training=False) for shape in shapes)
    if not small.keys() == large.keys() >= still_small.keys() == still_large.keys():
        raise UnsupportedNetworkError("which modules run depends on the number of images in the batch, or on training")
    return {
        path: unify(
            (small[path], large[path]),
            (still_small[path], still_large[path]) if path in still_small else None,
            _BATCHES,
        )
        for path in small
    }


def _used_imports(classes: str) -> str:
    needed = {"OrderedDict": "OrderedDict(", "import torch\n": "torch.", "functional": "functional."}
    lines = [
        line
        for line in _IMPORTS.splitlines(keepends=True)
        if not any(name in line and use not in classes.replace("torch.nn", "") for name, use in needed.items())
    ]
    return "".join(lines).lstrip("\n")


def _check(text: str, network: nn.Module, shapes: Sequence[Sequence[int]]) -> None:
    """Run the text, and compare outputs for batches of all sizes, in evaluation and training, with the network's.

    Raises:
        UnsupportedNetworkError: They differ.
    """
    namespace: dict[str, object] = {"__name__": "exported"}
    exec(compile(text, "<exported network>", "exec"), namespace)
    with _generators_kept():
        made: nn.Module = namespace[ROOT_CLASS]()  # type: ignore[operator]
    original = copy.deepcopy(network)
    try:
        made.load_state_dict(original.state_dict())
    except RuntimeError as error:
        raise UnsupportedNetworkError(f"its copy would have other parameters: {error!s:.200}") from error
    for training, shape in itertools.product((False, True), shapes):
        inputs = torch.randn(tuple(shape), generator=torch_generator(0))
        if not _are_equal(_output(made, inputs, training), _output(original, inputs, training)):
            mode = "in training" if training else "in evaluation"
            raise UnsupportedNetworkError(f"its copy would compute something else {mode}")


@torch.no_grad()
def _output(network: nn.Module, inputs: Tensor, training: bool) -> object:
    with _generators_kept():
        torch.manual_seed(0)
        return network.train(training)(inputs)


def _are_equal(first: object, second: object) -> bool:
    """Compare tensors, or tuples of them, bit for bit."""
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_are_equal, first, second))
    return isinstance(first, Tensor) and isinstance(second, Tensor) and torch.equal(first, second)


@contextmanager
def _generators_kept() -> Iterator[None]:
    with torch.random.fork_rng(devices=()):
        yield
