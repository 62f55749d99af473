"""Where the images of a batch lie in what a network's calls return.

The same function may keep images along the first axis, along another one, as tokens are often kept before images, or
along one with parts of them, as when windows join the batch. Networks of common calls alone have them first; of others
it is found by running two images and three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ....core.errors import EvaluationError
from ....core.seeding import saved_global_rng
from ..observe import Call
from .images_apart import keeps_images_apart
from .trial_passes import trial_images, trial_pass, with_other_last_image

_Result = TypeVar("_Result")
_Function = Callable[..., Any]
_CallKey = tuple[_Function, int]


@dataclass(frozen=True)
class Layout:
    """Where the images of a batch lie in a tensor.

    Attributes:
        axis: Which axis counts them.
        places: How many places of each image lie along the same axis.
        by_image: Whether all places of the first image come first there, or the first place of all images.
    """

    axis: int
    places: int
    by_image: bool = True

    def images_first(self, values: Tensor) -> Tensor:
        """Return the tensor with the images along a first axis of their own; axes behind stay where they are."""
        if self.places == 1:
            return values.movedim(self.axis, 0)
        images = values.shape[self.axis] // self.places
        lengths = (images, self.places) if self.by_image else (self.places, images)
        shape = *values.shape[: self.axis], *lengths, *values.shape[self.axis + 1 :]
        return values.reshape(shape).movedim(self.axis + (not self.by_image), 0)


class _LayoutsNeededError(Exception):
    """It is not certain that images come first."""


class ImageLayouts:
    """Brings images to the front of what the calls of one pass take or return.

    Args:
        images: Number of images in the batch.
        found: The layouts of what calls return, see :func:`find_layouts`; if None, images are to come first.
    """

    def __init__(self, images: int, found: Mapping[_CallKey, Layout | None] | None = None) -> None:
        self.images = images
        self._found = found
        self._counts: Counter[_Function] = Counter()
        self._last: _CallKey | None = None
        self._has_common_calls_only = True

    def follow(self, call: Call) -> None:
        """Take notice of a call; of each, in their order, before it is made."""
        self._last = _next_key(self._counts, call)
        self._has_common_calls_only = self._has_common_calls_only and keeps_images_apart(call)

    def images_first(self, values: Tensor) -> Tensor:
        """Return a tensor of the shape that the last call returns, with the images along a first axis of their own.

        Raises:
            EvaluationError: The images are in no order that is known.
        """
        if self._found is None:
            if not self._has_common_calls_only or values.shape[:1] != (self.images,):
                raise _LayoutsNeededError
            return values
        layout = self._found.get(self._last) if self._last is not None else None
        if layout is None or values.shape[layout.axis : layout.axis + 1] != (self.images * layout.places,):
            raise EvaluationError(
                "the network has a layer in whose output the images are in no order that is known, so that they cannot "
                "be told apart: keep the images along an axis of their own"
            )
        return layout.images_first(values)


def _next_key(counts: Counter[_Function], call: Call) -> _CallKey:
    """Count a call, and return what is called and how many times it was before."""
    counts[call.function] += 1
    return call.function, counts[call.function] - 1


def with_image_layouts(network: nn.Module, images: Tensor, run: Callable[[ImageLayouts], _Result]) -> _Result:
    """Run a pass that asks where images are, and once more if that must be found first.

    Args:
        network: Takes ``images``; left as found.
        images: Shape (batch, channels, height, width).
        run: Runs them, tells the layouts of each call and asks for images; nothing may be left of a pass that fails.

    Raises:
        EvaluationError: ``run`` asked for images in no order that is known.
    """
    restore_rng = saved_global_rng()
    try:
        return run(ImageLayouts(len(images)))
    except _LayoutsNeededError:
        restore_rng()  # so that the second pass drops what the first would have dropped
        return run(ImageLayouts(len(images), find_layouts(network, tuple(images.shape[1:]))))


def find_layouts(network: nn.Module, input_shape: tuple[int, ...]) -> dict[_CallKey, Layout | None]:
    """Find where the images are in what each call of a pass in training mode returns.

    Args:
        network: Takes images; left as found.
        input_shape: ``(channels, height, width)``.

    Returns:
        By what is called and how many times it was before; None if the images are in no order that is known.
    """
    three = trial_images(network, input_shape, 3)
    shapes_of_two, shapes_of_three = _shapes(network, three[:2]), _shapes(network, three)
    found = {key: _layout(shape, shapes_of_three.get(key, shape)) for key, shape in shapes_of_two.items()}
    parted = {key: layout for key, layout in found.items() if layout is not None and layout.places > 1}
    if parted:
        outputs, others = (_outputs(network, batch, parted) for batch in (three, with_other_last_image(three)))
        found |= {key: _ordered(layout, outputs[key], others[key]) for key, layout in parted.items()}
    return found


def _layout(two: torch.Size, three: torch.Size) -> Layout | None:
    """Return where the images are in outputs for two and for three, in what order if they have several places left."""
    if len(two) != len(three):
        return None
    grown = [axis for axis, (first, second) in enumerate(zip(two, three, strict=True)) if first != second]
    if len(grown) != 1 or 2 * three[grown[0]] != 3 * two[grown[0]]:
        return None
    return Layout(grown[0], two[grown[0]] // 2)


def _ordered(layout: Layout, outputs: Tensor, others: Tensor) -> Layout | None:
    """Return in what order places are in outputs for two batches of which the last image alone differs."""
    for ordered in (layout, replace(layout, by_image=False)):
        if torch.equal(ordered.images_first(outputs)[:-1], ordered.images_first(others)[:-1]):
            return ordered
    return None


def _shapes(network: nn.Module, images: Tensor) -> dict[_CallKey, torch.Size]:
    """Return the shapes of the tensors that calls return."""
    shapes: dict[_CallKey, torch.Size] = {}
    counts: Counter[_Function] = Counter()

    def note(call: Call, output: Any) -> None:
        key, tensor = _next_key(counts, call), _first_tensor(output)
        if tensor is not None:
            shapes[key] = tensor.shape

    trial_pass(network, images.clone(), note, training=True)
    return shapes


def _outputs(network: nn.Module, images: Tensor, keys: Container[_CallKey]) -> dict[_CallKey, Tensor]:
    """Return copies of what some calls return."""
    outputs: dict[_CallKey, Tensor] = {}
    counts: Counter[_Function] = Counter()

    def note(call: Call, output: Any) -> None:
        key, tensor = _next_key(counts, call), _first_tensor(output)
        if key in keys and tensor is not None:
            outputs[key] = tensor.clone()

    trial_pass(network, images.clone(), note, training=True)
    return outputs


def _first_tensor(output: Any) -> Tensor | None:
    """Return a call's output, or the first of several, such as maxima before their places."""
    first = output[0] if isinstance(output, tuple) and output else output
    return first if isinstance(first, Tensor) else None
