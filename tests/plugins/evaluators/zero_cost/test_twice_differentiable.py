import pytest
import torch
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.zero_cost.twice_differentiable import twice_differentiable
from torch import nn
from torch.nn import functional


def tensors(dtype=torch.float64):
    draws = torch.Generator().manual_seed(0)
    maps, weight, bias = torch.randn(3, 4, 5, 2, generator=draws), torch.randn(4, generator=draws), torch.randn(4)
    return [tensor.to(dtype).requires_grad_() for tensor in (3 * maps + 2, weight, bias)]


def normalise(maps, weight, bias):
    with observe_calls(twice_differentiable):
        return functional.batch_norm(maps, None, None, weight, bias, training=True)


def test_derivatives_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(normalise, tensors())
    assert torch.autograd.gradgradcheck(normalise, tensors())


def test_derivatives_without_factors_are_those_of_finite_differences():
    def plain(maps):
        return normalise(maps, None, None)

    assert torch.autograd.gradcheck(plain, tensors()[:1])
    assert torch.autograd.gradgradcheck(plain, tensors()[:1])


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
