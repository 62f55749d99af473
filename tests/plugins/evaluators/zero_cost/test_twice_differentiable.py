import pytest
import torch
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.zero_cost.twice_differentiable import twice_differentiable
from torch import nn
from torch.nn import functional

LAYOUTS = pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["first", "last"])


def tensors(dtype=torch.float64, layout=torch.contiguous_format):
    draws = torch.Generator().manual_seed(0)
    maps, weight, bias = torch.randn(3, 4, 5, 2, generator=draws), torch.randn(4, generator=draws), torch.randn(4)
    maps = (3 * maps + 2).contiguous(memory_format=layout)
    return [tensor.to(dtype).requires_grad_() for tensor in (maps, weight, bias)]


def normalise(maps, weight, bias):
    with observe_calls(twice_differentiable):
        return functional.batch_norm(maps, None, None, weight, bias, training=True)


@LAYOUTS
def test_derivatives_are_those_of_finite_differences(layout):
    assert torch.autograd.gradcheck(normalise, tensors(layout=layout))
    assert torch.autograd.gradgradcheck(normalise, tensors(layout=layout))


@LAYOUTS
def test_derivatives_without_factors_are_those_of_finite_differences(layout):
    def plain(maps):
        return normalise(maps, None, None)

    assert torch.autograd.gradcheck(plain, tensors(layout=layout)[:1])
    assert torch.autograd.gradgradcheck(plain, tensors(layout=layout)[:1])


@pytest.mark.parametrize("affine", [True, False])
def test_values_statistics_and_gradients_are_those_of_torch_to_the_last_bit(affine):
    maps, layers = tensors(torch.float32)[0], [nn.BatchNorm2d(4, affine=affine) for _ in range(2)]
    expected = layers[0](maps)
    with observe_calls(twice_differentiable):
        found = layers[1](maps)
    assert "TwiceDifferentiable" in found.grad_fn.name()
    assert torch.equal(found, expected)
    assert all(map(torch.equal, layers[0].buffers(), layers[1].buffers()))
    direction = torch.randn(expected.shape)
    gradients = [
        torch.autograd.grad(output, [maps, *layer.parameters()], direction)
        for output, layer in zip((expected, found), layers, strict=True)
    ]
    assert all(map(torch.equal, *gradients))


@pytest.mark.parametrize("affine", [True, False])
def test_with_channels_last_all_is_that_of_torch_in_double_precision(affine):
    draws = torch.Generator().manual_seed(0)
    maps, direction = (
        (torch.randn(64, 4, 32, 32, generator=draws) + shift).contiguous(memory_format=torch.channels_last)
        for shift in (3.0, 0.0)
    )
    maps.requires_grad_()
    exact_maps = maps.detach().double().contiguous().requires_grad_()
    layer, exact_layer = nn.BatchNorm2d(4, affine=affine), nn.BatchNorm2d(4, affine=affine).double()
    for _ in range(2):
        expected = exact_layer(exact_maps)
        with observe_calls(twice_differentiable):
            found = layer(maps)
    assert found.is_contiguous(memory_format=torch.channels_last)
    gradients = torch.autograd.grad(found, [maps, *layer.parameters()], direction)
    exact_gradients = torch.autograd.grad(expected, [exact_maps, *exact_layer.parameters()], direction.double())
    pairs = [(found, expected), *zip(layer.buffers(), exact_layer.buffers(), strict=True)]
    pairs += zip(gradients, exact_gradients, strict=True)
    for one, exact in pairs:
        # PyTorch's own kernel is off by 1e-6 to 1e-5 here.
        assert torch.allclose(one.double(), exact.double(), rtol=0.0, atol=4e-7 * float(exact.abs().max()))


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(lambda maps: nn.BatchNorm2d(4).eval()(maps), id="running-statistics"),
        pytest.param(lambda maps: nn.BatchNorm1d(4)(maps.flatten(2)), id="sequences"),
        pytest.param(lambda maps: functional.relu(maps), id="no-norm"),
    ],
)
def test_all_else_is_left_to_torch(run):
    maps = tensors(torch.float32)[0]
    with observe_calls(twice_differentiable):
        output = run(maps)
    assert "TwiceDifferentiable" not in output.grad_fn.name()
    torch.testing.assert_close(output, run(maps))


def test_one_value_a_channel_is_an_error_of_torch():
    with pytest.raises(ValueError, match="more than 1 value per channel"), observe_calls(twice_differentiable):
        nn.BatchNorm2d(4)(torch.randn(1, 4, 1, 1))
