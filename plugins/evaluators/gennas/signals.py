"""Synthetic regression targets: sums of one- and two-dimensional sines, dots, blurred dots and shrunk images.

Definitions follow the authors' code. Pixel indices x (column) and y (row) start at 1; frequencies are in
cycles per pixel. Sine channels are a random choice from a pool of maps; the phases of the whole pool are
drawn, but only the chosen maps are computed. Every function draws from the generator it is given and from
nothing else, so a generator's seed fixes the target on every machine. Maps are computed in float64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from .settings import Frequencies
from .task import FREQUENCY_BANDS, MAP_SIZE, NUM_FREQUENCIES, RecurrentTask, Signal, StageTask, frequency_grid

_PHASES = 32
"""Random phases of each frequency (``sin1d``) or pair of frequencies (``sin2d``); each gives two maps."""

_COLOUR_POOL = 1000
"""Channels of ``resize`` are drawn without replacement from this many colour indices."""

_BLUR_RADIUS = 4
"""Pixels at which the kernel of ``gdot`` is cut: SciPy's default of four deviations."""


def stage_target(
    stage: StageTask, images: Tensor, generator: torch.Generator, frequencies: Frequencies = "grid"
) -> Tensor:
    """Draw the target of one stage.

    Args:
        stage: Number of channels, and the signals to sum.
        images: Normalised images without noise on the CPU, shape ``(batch, colours, height, width)``.
        generator: Source of all randomness, on the CPU.
        frequencies: How a named band is filled: evenly (``grid``) or with uniform random frequencies
            (``uniform``).

    Returns:
        Float32 tensor ``(batch, stage.channels, 8, 8)``, not to be changed: images may share memory.
    """
    target = torch.zeros(1, stage.channels, MAP_SIZE, MAP_SIZE, dtype=torch.float64)
    for signal in stage.signals:
        target = target + signal.amp * _signal_maps(signal, stage.channels, images, generator, frequencies)
    return target.to(torch.float32).expand(len(images), -1, -1, -1)


def signal_sequences(
    signals: Sequence[Signal], task: RecurrentTask, generator: torch.Generator, frequencies: Frequencies = "grid"
) -> Tensor:
    """Draw the inputs or the targets of a recurrent task.

    Sines are drawn on a square with sides of ``dim`` or, if that is more, ``length`` pixels, of which the first rows
    and columns are taken, as in the authors' code; dots are drawn on the map itself.

    Args:
        signals: What is summed.
        task: Gives the sizes.
        generator: Source of all randomness, on the CPU.
        frequencies: How a named band is filled, as in :func:`stage_target`.

    Returns:
        Float32 tensor ``(task.length, task.batch, task.dim)``, steps first.
    """
    total = torch.zeros(task.batch, task.length, task.dim, dtype=torch.float64)
    shape, side = (task.batch, 1), max(task.length, task.dim)
    for signal in signals:
        if signal.density is not None:
            dots = dot if signal.basis == "dot" else gdot
            maps = dots(signal.density, shape, generator, task.length, task.dim)
        else:
            sines = sin1d if signal.basis == "sin1d" else sin2d
            square = sines(_frequency_values(signal, generator, frequencies), shape, generator, side)
            maps = square[..., : task.length, : task.dim]
        total += signal.amp * maps[:, 0]
    return total.transpose(0, 1).to(torch.float32).contiguous()


def _signal_maps(
    signal: Signal, channels: int, images: Tensor, generator: torch.Generator, frequencies: Frequencies
) -> Tensor:
    """Draw one signal before amplification; a global signal has a batch dimension of 1."""
    if signal.basis == "resize":
        return resize(images, channels, generator)
    shape = (1 if signal.scope == "global" else len(images), channels)
    if signal.density is not None:
        dots = dot if signal.basis == "dot" else gdot
        return dots(signal.density, shape, generator)
    sines = sin1d if signal.basis == "sin1d" else sin2d
    return sines(_frequency_values(signal, generator, frequencies), shape, generator)


def _frequency_values(signal: Signal, generator: torch.Generator, frequencies: Frequencies) -> Tensor:
    if isinstance(signal.freqs, tuple):
        return torch.tensor(signal.freqs, dtype=torch.float64)
    band = str(signal.freqs)
    if frequencies == "grid":
        return torch.tensor(frequency_grid(band), dtype=torch.float64)
    low, high = FREQUENCY_BANDS[band]
    return low + (high - low) * torch.rand(NUM_FREQUENCIES, dtype=torch.float64, generator=generator)


def sin1d(frequencies: Tensor, shape: tuple[int, int], generator: torch.Generator, size: int = MAP_SIZE) -> Tensor:
    """Draw sines along one axis.

    The pool holds, for each frequency f and each of 32 phases p_k ~ U[0, 2 pi), the map g_k(2 pi f y + p_k)
    and the same along x, where g_k is sin for even and cos for odd k.

    Args:
        frequencies: Cycles per pixel, shape ``(num_frequencies,)``.
        shape: Number of independent draws, and channels of each, which are distinct maps of the pool.
        generator: Source of randomness.
        size: Height and width of the maps.

    Returns:
        Float64 tensor ``(*shape, size, size)``.
    """
    phases, chosen = _draw_sines(len(frequencies), shape, generator)
    frequency, along_x, k = _split_choice(chosen)
    phase = phases.gather(1, frequency * _PHASES + k)
    waves = _sin_or_cos(frequencies[frequency][..., None] * _angles(size) + phase[..., None], k[..., None])
    rows = waves[..., :, None].expand(*shape, size, size)
    return torch.where(along_x[..., None, None], rows.mT, rows)


def sin2d(frequencies: Tensor, shape: tuple[int, int], generator: torch.Generator, size: int = MAP_SIZE) -> Tensor:
    """Draw sines along diagonals.

    The pool holds, for each ordered pair (f1, f2) and each of 32 phases p_k ~ U[0, 2 pi), the map
    g_k(2 pi f1 y + 2 pi f2 x + 2 p_k) and the same upside down, g_k as in :func:`sin1d`. The code adds the
    phase to both coordinates, hence the factor 2.

    Args:
        frequencies: Cycles per pixel, shape ``(num_frequencies,)``.
        shape: Number of independent draws, and channels of each, which are distinct maps of the pool.
        generator: Source of randomness.
        size: Height and width of the maps.

    Returns:
        Float64 tensor ``(*shape, size, size)``.
    """
    count = len(frequencies)
    phases, chosen = _draw_sines(count**2, shape, generator)
    pair, flipped, k = _split_choice(chosen)
    phase = phases.gather(1, pair * _PHASES + k)
    along_y = frequencies[pair // count][..., None] * _angles(size)
    along_y = torch.where(flipped[..., None], along_y.flip(-1), along_y)
    along_x = frequencies[pair % count][..., None] * _angles(size)
    argument = along_y[..., :, None] + along_x[..., None, :] + 2 * phase[..., None, None]
    return _sin_or_cos(argument, k[..., None, None])


def _draw_sines(groups: int, shape: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw phases ``(draws, groups * 32)``, and indices ``(draws, channels)`` into ``groups * 64`` maps."""
    draws, channels = shape
    phases = 2 * math.pi * torch.rand(draws, groups * _PHASES, dtype=torch.float64, generator=generator)
    chosen = _random_permutations(draws, groups * 2 * _PHASES, generator)[:, :channels]
    return phases, chosen


def _split_choice(chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Split indices into group, whether in the second half of the group's 64 maps, and phase index k."""
    member = chosen % (2 * _PHASES)
    return chosen // (2 * _PHASES), member >= _PHASES, member % _PHASES


def _angles(size: int) -> Tensor:
    return 2 * math.pi * torch.arange(1, size + 1, dtype=torch.float64)


def _sin_or_cos(argument: Tensor, k: Tensor) -> Tensor:
    return torch.where(k % 2 == 0, argument.sin(), argument.cos())


def _random_permutations(count: int, length: int, generator: torch.Generator) -> Tensor:
    """Draw ``count`` independent permutations of ``range(length)``: the order of random keys."""
    return torch.rand(count, length, dtype=torch.float64, generator=generator).argsort(dim=-1)


def dot(
    density: float, shape: tuple[int, int], generator: torch.Generator, height: int = MAP_SIZE, width: int = MAP_SIZE
) -> Tensor:
    """Draw maps that are +1 or -1 at ``floor(density * height * width)`` random pixels, at least one, and 0 elsewhere.

    Returns:
        Float64 tensor ``(*shape, height, width)``.
    """
    draws, channels = shape
    pixels = height * width
    count = max(1, math.floor(density * pixels))
    places = _random_permutations(draws * channels, pixels, generator)[:, :count]
    signs = 2.0 * torch.randint(2, places.shape, generator=generator, dtype=torch.float64) - 1.0
    maps = torch.zeros(draws * channels, pixels, dtype=torch.float64).scatter_(1, places, signs)
    return maps.view(draws, channels, height, width)


def gdot(
    density: float, shape: tuple[int, int], generator: torch.Generator, height: int = MAP_SIZE, width: int = MAP_SIZE
) -> Tensor:
    """Draw :func:`dot` maps, blur each by a Gaussian of one pixel and scale it to a maximum magnitude of 1.

    Returns:
        Float64 tensor ``(*shape, height, width)``.
    """
    maps = _gaussian_blur(height) @ dot(density, shape, generator, height, width) @ _gaussian_blur(width).mT
    return maps / maps.abs().amax(dim=(-2, -1), keepdim=True)


def _gaussian_blur(size: int) -> Tensor:
    """Return the matrix ``(size, size)`` that blurs a column as SciPy's ``gaussian_filter`` does with a sigma of 1.

    Beyond the border the column is mirrored, edge pixel included.
    """
    offsets = torch.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1)
    weights = torch.exp(-0.5 * offsets.double() ** 2)
    source = (torch.arange(size)[:, None] + offsets) % (2 * size)
    source = torch.minimum(source, 2 * size - 1 - source)
    blur = torch.zeros(size, size, dtype=torch.float64)
    return blur.scatter_add_(1, source, (weights / weights.sum()).expand(size, -1))


def resize(images: Tensor, channels: int, generator: torch.Generator) -> Tensor:
    """Shrink images by nearest neighbour, scale the whole batch to [-1, 1], take random colours as channels.

    Args:
        images: Shape ``(batch, colours, height, width)``.
        channels: Number of channels, at most 1,000: distinct draws from 0..999, taken modulo the number of
            colours.
        generator: Source of randomness.

    Returns:
        Float64 tensor ``(batch, channels, 8, 8)``.
    """
    small = functional.interpolate(images.double(), size=(MAP_SIZE, MAP_SIZE), mode="nearest")
    unit = small - small.min()
    colours = torch.randperm(_COLOUR_POOL, generator=generator)[:channels] % images.shape[1]
    return 2 * (unit / unit.max() - 0.5)[:, colours]
