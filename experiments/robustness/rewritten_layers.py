"""Layers that compute what those of torch.nn do, written in other ways; each is made of the layer it stands for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

ReluFunction = Callable[[Tensor], Tensor]


class OwnConvolution(nn.Module):
    """A 3x3 convolution without the names and classes of torch."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.kernel, self.offset = layer.weight, layer.bias

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        return functional.conv2d(images, self.kernel, self.offset, padding=1)


class OwnLinear(nn.Module):
    """A linear layer without the names and classes of torch."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.matrix, self.offset = layer.weight, layer.bias

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, features) to (batch, outputs)."""
        return functional.linear(features, self.matrix, self.offset)


class OwnBatchNorm(nn.Module):
    """Batch normalisation without the names and classes of torch."""

    def __init__(self, layer: nn.BatchNorm2d) -> None:
        super().__init__()
        assert isinstance(layer.running_mean, Tensor)
        assert isinstance(layer.running_var, Tensor)
        self.gain, self.shift = layer.weight, layer.bias
        self.centre: Tensor
        self.spread: Tensor
        self.register_buffer("centre", layer.running_mean)
        self.register_buffer("spread", layer.running_var)

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise each channel."""
        return functional.batch_norm(maps, self.centre, self.spread, self.gain, self.shift, self.training)


class HandWrittenBatchNorm(OwnBatchNorm):
    """Batch normalisation made of means and variances."""

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise each channel."""
        mean, variance = self.centre, self.spread
        if self.training:
            mean, variance = maps.mean((0, 2, 3)), maps.var((0, 2, 3), correction=0)
            with torch.no_grad():
                count = maps.numel() / maps.shape[1]
                self.centre.lerp_(mean, 0.1)
                self.spread.lerp_(variance * count / (count - 1), 0.1)
        scale = self.gain / (variance + 1e-5).sqrt()
        return (maps - mean[:, None, None]) * scale[:, None, None] + self.shift[:, None, None]


class NativeBatchNorm(OwnBatchNorm):
    """Batch normalisation by the function that torch's own call inside."""

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise each channel."""
        statistics = self.gain, self.shift, self.centre, self.spread
        normalised: Tensor = torch.native_batch_norm(maps, *statistics, self.training, 0.1, 1e-5)[0]
        return normalised


class BatchNormOfMoments(nn.Module):
    """Batch normalisation without parameters and running statistics, made of means."""

    def __init__(self, _: nn.BatchNorm2d) -> None:
        super().__init__()

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise each channel."""
        centred = maps - maps.mean((0, 2, 3), keepdim=True)
        return centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()


class BatchNormOfFlatMaps(BatchNormOfMoments):
    """The same of all maps of a channel in a row."""

    def forward(self, maps: Tensor) -> Tensor:
        """Normalise each channel."""
        variance, mean = torch.var_mean(maps.transpose(0, 1).flatten(1), 1, correction=0)
        return (maps - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()


class PartsConvolution(OwnConvolution):
    """A convolution for each half of the output's channels."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        kernels, offsets = self.kernel.chunk(2), self.offset.chunk(2)
        return torch.cat(
            [functional.conv2d(images, *pair, padding=1) for pair in zip(kernels, offsets, strict=True)], 1
        )


class ShiftedConvolution(OwnConvolution):
    """A convolution as a sum of shifted maps, each multiplied by a number for each pair of channels."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        padded = functional.pad(images, (1, 1, 1, 1))
        height, width = images.shape[2:]
        maps = self.offset[:, None, None].expand(-1, height, width)
        for row in range(3):
            for column in range(3):
                for channel in range(images.shape[1]):
                    part = padded[:, channel, None, row : row + height, column : column + width]
                    maps = maps + part * self.kernel[:, channel, row, column, None, None]
        return maps


class DispatchedConvolution(OwnConvolution):
    """A convolution by the operator's name."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        output: Tensor = torch.ops.aten.conv2d(images, self.kernel, self.offset, [1, 1], [1, 1])
        return output


class GeneralConvolution(OwnConvolution):
    """A convolution by the function that all of torch's end in."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        return torch.convolution(images, self.kernel, self.offset, [1, 1], [1, 1], [1, 1], False, [0, 0], 1)


class MappedConvolution(OwnConvolution):
    """A convolution of each image by itself, by ``torch.func.vmap``."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps."""
        return torch.func.vmap(super().forward)(maps)


class UnfoldedConvolution(OwnConvolution):
    """A convolution as a product of matrices."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        patches = functional.unfold(images, 3, padding=1)
        maps = torch.matmul(self.kernel.flatten(1), patches).unflatten(2, images.shape[2:])
        return maps + self.offset[:, None, None]


class EinsumConvolution(OwnConvolution):
    """A convolution as a sum over indices."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        patches = functional.unfold(images, 3, padding=1)
        maps = torch.einsum("oi,bip->bop", self.kernel.flatten(1), patches).unflatten(2, images.shape[2:])
        return maps + self.offset[:, None, None]


class _ConvolutionFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, images: Tensor, kernel: Tensor, offset: Tensor) -> Tensor:
        ctx.save_for_backward(images, kernel)
        return functional.conv2d(images, kernel, offset, padding=1)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        images, kernel = ctx.saved_tensors  # type: ignore[attr-defined]
        return (
            torch.nn.grad.conv2d_input(images.shape, kernel, gradient, padding=1),
            torch.nn.grad.conv2d_weight(images, kernel.shape, gradient, padding=1),
            gradient.sum((0, 2, 3)),
        )


class FunctionConvolution(OwnConvolution):
    """A convolution with a backward pass of its own."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same size."""
        output: Tensor = _ConvolutionFunction.apply(images, self.kernel, self.offset)  # type: ignore[no-untyped-call]
        return output


class MatrixProduct(OwnLinear):
    """A linear layer as a product of matrices."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, features) to (batch, outputs)."""
        return features @ self.matrix.T + self.offset


class AddedProduct(OwnLinear):
    """A linear layer as one call that adds and multiplies."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, features) to (batch, outputs)."""
        return torch.addmm(self.offset, features, self.matrix.T)


class ElementwiseProduct(OwnLinear):
    """A linear layer as products and sums of numbers."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, features) to (batch, outputs)."""
        return (features[:, None] * self.matrix).sum(2) + self.offset


class InnerProduct(OwnLinear):
    """A linear layer by a less common name."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, features) to (batch, outputs)."""
        return torch.inner(features, self.matrix) + self.offset


class PointwiseLinear(OwnLinear):
    """A linear layer as a convolution of one pixel."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, features) to (batch, outputs)."""
        return functional.conv2d(features[:, :, None, None], self.matrix[:, :, None, None], self.offset).flatten(1)


def relu_by_assignment(maps: Tensor) -> Tensor:
    """Set what is negative to 0."""
    maps[maps < 0] = 0.0
    return maps


class Activation(nn.Module):
    """A module that calls a function."""

    def __init__(self, function: ReluFunction) -> None:
        super().__init__()
        self.function = function

    def forward(self, maps: Tensor) -> Tensor:
        """Call it."""
        return self.function(maps)


class ReshapedPool(nn.Module):
    """Pooling of 2x2 pixels as a reduction of a reshaped map."""

    def __init__(self, reduce: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.reduce = reduce

    def forward(self, maps: Tensor) -> Tensor:
        """Halve height and width."""
        height, width = maps.shape[2] // 2, maps.shape[3] // 2
        cells = maps[:, :, : 2 * height, : 2 * width].unflatten(3, (width, 2)).unflatten(2, (height, 2))
        return self.reduce(cells.transpose(3, 4).flatten(4))


class ByHandAttention(nn.Module):
    """Self-attention of two heads with the weights of ``nn.MultiheadAttention``."""

    def __init__(self, layer: nn.MultiheadAttention) -> None:
        super().__init__()
        self.inward, self.inward_offset = layer.in_proj_weight, layer.in_proj_bias
        self.outward, self.outward_offset = layer.out_proj.weight, layer.out_proj.bias

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (batch, tokens, width) to the same shape."""
        projected = functional.linear(tokens, self.inward, self.inward_offset)
        queries, keys, values = (part.unflatten(2, (2, -1)).transpose(1, 2) for part in projected.chunk(3, 2))
        products = self.attend(queries, keys, values).transpose(1, 2).flatten(2)
        return functional.linear(products, self.outward, self.outward_offset)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Weigh the values, each of shape (batch, heads, tokens, features)."""
        weights = (queries @ keys.transpose(2, 3) / queries.shape[3] ** 0.5).softmax(3)
        return weights @ values


class ScaledDotProductAttention(ByHandAttention):
    """The same by torch's one function."""

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Weigh the values."""
        return functional.scaled_dot_product_attention(queries, keys, values)


class Gain(nn.Module):
    """A parametrisation: multiplies by a constant."""

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value: Tensor
        self.register_buffer("value", value)

    def forward(self, weight: Tensor) -> Tensor:
        """Multiply."""
        return weight * self.value


class Factors(nn.Module):
    """A parametrisation: the product of two matrices."""

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Multiply."""
        return (left @ right).reshape(self.shape)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Factorise."""
        self.shape = weight.shape
        left, right = torch.linalg.qr(weight.detach().flatten(1))
        return left, right


def with_spectral_norm(layer: nn.Module) -> None:
    """Divide the weight by its largest singular value, which it is then multiplied by."""
    torch.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=1).eval()
    weight: Tensor = layer.parametrizations["weight"].original.detach()  # type: ignore[union-attr,operator,index]
    for _ in range(50):
        layer.train()
        layer.weight  # noqa: B018 (one step of the power iteration)
    layer.eval()
    normalised: Tensor = layer.weight.detach()  # type: ignore[union-attr,operator,assignment]
    layer.train()
    parametrize.register_parametrization(layer, "weight", Gain(weight.norm() / normalised.norm()))


def with_factors(layer: nn.Module) -> None:
    """Make the weight the product of two matrices."""
    parametrize.register_parametrization(layer, "weight", Factors())
