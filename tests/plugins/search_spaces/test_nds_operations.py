"""The operations of the NDS cells, and what stands before the cells, against their definitions."""

from collections.abc import Callable, Iterator

import pytest
import torch
from nasbench_toolkit.plugins.search_spaces.nds import operations
from nasbench_toolkit.plugins.search_spaces.nds.operation_modules import make_operation
from nasbench_toolkit.plugins.search_spaces.nds.stems import AuxiliaryHead, CifarStem, ImagenetStem
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 4
OPERATIONS = [value for value in vars(operations).values() if isinstance(value, operations.Operation)]


def normalised(values: Tensor) -> Tensor:
    """Batch normalisation of a batch, as it begins."""
    mean = values.mean(dim=(0, 2, 3), keepdim=True)
    return (values - mean) / (values.var(dim=(0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt()


def kernels(module: nn.Module) -> Iterator[Tensor]:
    """Yield the kernels of the convolutions, none of which may have a bias."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.bias is None
            yield layer.weight


def pooled(values: Tensor, side: int, stride: int, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """Reduce the pixels of each window that are in the image; their centres are ``stride`` apart."""
    reach, size = side // 2, values.shape[-1]

    def span(centre: int) -> slice:
        return slice(max(0, centre - reach), centre + reach + 1)

    centres = range(0, size, stride)
    windows = [reduce(values[:, :, span(row), span(column)].flatten(2)) for row in centres for column in centres]
    return torch.stack(windows, dim=2).unflatten(2, (len(centres), -1))


def separable_round(values: Tensor, weights: Iterator[Tensor], side: int, dilation: int, stride: int) -> Tensor:
    values = functional.conv2d(
        values.relu(), next(weights), None, stride, dilation * (side // 2), dilation, groups=CHANNELS
    )
    return normalised(functional.conv2d(values, next(weights)))


def by_definition(name: str, values: Tensor, weights: Iterator[Tensor], stride: int) -> Tensor:
    kind, digits = name.rstrip("1357"), name[len(name.rstrip("1357")) :]
    side = int(digits or 1)
    match kind:
        case "none":
            return torch.zeros_like(values[:, :, ::stride, ::stride])
        case "skip" if stride == 1:
            return values
        case "skip":
            halves = (values.relu()[:, :, start::2, start::2] for start in (0, 1))
            return normalised(torch.cat([functional.conv2d(half, next(weights)) for half in halves], dim=1))
        case "avg":
            return pooled(values, side, stride, lambda window: window.mean(dim=2))
        case "max":
            return pooled(values, side, stride, lambda window: window.amax(dim=2))
        case "conv":
            return normalised(functional.conv2d(values.relu(), next(weights), None, stride, side // 2))
        case "conv3x" | "conv7x":
            reach = int(kind[4]) // 2
            along_rows = functional.conv2d(values.relu(), next(weights), None, (1, stride), (0, reach))
            return normalised(functional.conv2d(along_rows, next(weights), None, (stride, 1), (reach, 0)))
        case "dil":
            return separable_round(values, weights, side, 2, stride)
        case "sep" | "dilsep":
            dilation = 2 if kind == "dilsep" else 1
            first = separable_round(values, weights, side, dilation, stride)
            return separable_round(first, weights, side, dilation, 1)
    raise AssertionError(name)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operations_compute_what_their_names_say(operation: operations.Operation, stride: int) -> None:
    torch.manual_seed(0)
    module, values = make_operation(operation, CHANNELS, stride).double(), torch.randn(2, CHANNELS, 8, 8).double()
    weights = kernels(module)
    torch.testing.assert_close(module(values), by_definition(operation.name, values, weights, stride))
    assert next(weights, None) is None


def test_kernels_along_rows_come_first() -> None:
    for operation, length in ((operations.CONV3X1, 3), (operations.CONV7X1, 7)):
        shapes = [tuple(kernel.shape[2:]) for kernel in kernels(make_operation(operation, CHANNELS, 1))]
        assert shapes == [(1, length), (length, 1)]


def test_stem_for_cifar_is_a_normalised_convolution_for_both_inputs() -> None:
    stem, images = CifarStem(3, 5).double(), torch.randn(2, 3, 8, 8).double()
    (kernel,) = kernels(stem)
    assert kernel.shape == (15, 3, 3, 3)
    for features in stem(images):
        torch.testing.assert_close(features, normalised(functional.conv2d(images, kernel, padding=1)))


@pytest.mark.parametrize("strided", [True, False])
def test_stems_for_imagenet_are_three_convolutions_with_activations_between(strided: bool) -> None:
    stem, images = ImagenetStem(3, 8, strided=strided).double(), torch.randn(2, 3, 16, 16).double()
    first, second, third = kernels(stem)
    assert [kernel.shape[0] for kernel in (first, second, third)] == [4, 8, 8]
    stride = 2 if strided else 1
    values = normalised(functional.conv2d(images, first, None, stride, 1)).relu()
    before_previous = normalised(functional.conv2d(values, second, None, stride, 1))
    previous = normalised(functional.conv2d(before_previous.relu(), third, None, stride, 1))
    for features, expected in zip(stem(images), (before_previous, previous), strict=True):
        torch.testing.assert_close(features, expected)


@pytest.mark.parametrize(("for_cifar", "side", "stride"), [(True, 8, 3), (False, 7, 2)])
def test_auxiliary_head_sees_two_windows_in_each_direction(for_cifar: bool, side: int, stride: int) -> None:
    head, values = AuxiliaryHead(6, 10, for_cifar=for_cifar).double(), torch.randn(3, 6, side, side).double()
    first, second = kernels(head)
    windows = [
        values.relu()[:, :, row : row + 5, column : column + 5].mean(dim=(2, 3))
        for row in (0, stride)
        for column in (0, stride)
    ]
    hidden = normalised(functional.conv2d(torch.stack(windows, dim=2).unflatten(2, (2, 2)), first)).relu()
    features = functional.conv2d(hidden, second)
    features = (normalised(features) if for_cifar else features).relu().flatten(1)
    torch.testing.assert_close(head(values), features @ head[-1].weight.T + head[-1].bias)
