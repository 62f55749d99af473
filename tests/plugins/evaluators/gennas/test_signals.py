import math

import numpy as np
import pytest
import torch
from nasbench_toolkit.plugins.evaluators.gennas import signals
from nasbench_toolkit.plugins.evaluators.gennas.task import FREQUENCY_BANDS, Signal, StageTask, frequency_grid
from scipy import ndimage, stats
from torch.nn import functional

FREQUENCIES = torch.tensor(frequency_grid("M10"), dtype=torch.float64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def stage(*parts, channels=6):
    return StageTask(channels, parts)


def sine_pool_in_loops(groups, argument, draws, channels, seed):
    """Reference of both sine bases: make every map of the pool pixel by pixel, then choose.

    ``argument(group, second_half, x, y, phase)`` is the definition's argument of sin or cos.
    """
    source = generator(seed)
    phases = 2 * math.pi * torch.rand(draws, groups * 32, dtype=torch.float64, generator=source)
    order = torch.rand(draws, groups * 64, dtype=torch.float64, generator=source).argsort(dim=-1)
    maps = np.empty((draws, channels, 8, 8))
    for draw in range(draws):
        pool = []
        for group in range(groups):
            for second_half in (False, True):
                for k in range(32):
                    wave = math.sin if k % 2 == 0 else math.cos
                    phase = phases[draw, group * 32 + k].item()
                    pool.append((wave, group, second_half, phase))
        for channel in range(channels):
            wave, group, second_half, phase = pool[order[draw, channel]]
            for y in range(1, 9):
                for x in range(1, 9):
                    maps[draw, channel, y - 1, x - 1] = wave(argument(group, second_half, x, y, phase))
    return maps


def test_sin1d_equals_its_definition_in_loops() -> None:
    def argument(group, along_x, x, y, phase):
        return 2 * math.pi * FREQUENCIES[group].item() * (x if along_x else y) + phase

    expected = sine_pool_in_loops(10, argument, 2, 40, seed=5)
    np.testing.assert_allclose(signals.sin1d(FREQUENCIES, (2, 40), generator(5)), expected, atol=1e-12)


def test_sin2d_equals_its_definition_in_loops() -> None:
    def argument(group, upside_down, x, y, phase):
        first, second = FREQUENCIES[group // 10].item(), FREQUENCIES[group % 10].item()
        row = 9 - y if upside_down else y
        return (2 * math.pi * first * row + phase) + (2 * math.pi * second * x + phase)

    expected = sine_pool_in_loops(100, argument, 2, 40, seed=5)
    np.testing.assert_allclose(signals.sin2d(FREQUENCIES, (2, 40), generator(5)), expected, atol=1e-12)


def frequency_of(waves):
    """Return the frequency of sampled sines ``(n, 8)``: w(i-1) + w(i+1) = 2 cos(2 pi f) w(i)."""
    inner, neighbours = waves[:, 1:-1], waves[:, :-2] + waves[:, 2:]
    cosine = (inner * neighbours).sum(axis=1) / (inner**2).sum(axis=1) / 2
    return np.arccos(cosine) / (2 * np.pi)


def test_sin1d_maps_are_sines_along_one_axis_of_a_listed_frequency() -> None:
    maps = signals.sin1d(FREQUENCIES, (5, 64), generator()).numpy().reshape(-1, 8, 8)
    along_y = np.ptp(maps, axis=2).max(axis=1) < 1e-12
    along_x = np.ptp(maps, axis=1).max(axis=1) < 1e-12
    assert (along_y ^ along_x).all()
    assert 0.4 < along_y.mean() < 0.6
    frequencies = frequency_of(np.where(along_y[:, None], maps[:, :, 0], maps[:, 0, :]))
    distance = np.abs(frequencies[:, None] - FREQUENCIES.numpy()).min(axis=1)
    assert distance.max() < 1e-7


def test_sin2d_maps_are_waves_of_a_listed_pair_in_either_diagonal_direction() -> None:
    y, x = np.mgrid[1:9, 1:9]
    waves = {
        (sign, first, second): 2 * np.pi * (sign * first * y + second * x).ravel()
        for sign in (-1, 1)
        for first in FREQUENCIES.tolist()
        for second in FREQUENCIES.tolist()
    }
    signs = []
    for image in signals.sin2d(FREQUENCIES, (1, 12), generator()).numpy().reshape(12, 64):
        residuals = {
            key: np.linalg.lstsq(np.stack([np.sin(wave), np.cos(wave)], axis=1), image, rcond=None)[1][0]
            for key, wave in waves.items()
        }
        best = min(residuals, key=residuals.get)
        assert residuals[best] < 1e-20
        signs.append(best[0])
    assert set(signs) == {-1, 1}


@pytest.mark.parametrize("basis", [signals.sin1d, signals.sin2d], ids=["sin1d", "sin2d"])
def test_sine_phases_are_uniform(basis) -> None:
    frequency = 0.2
    maps = basis(torch.full((10,), frequency, dtype=torch.float64), (600, 1), generator(1)).numpy().reshape(-1, 64)
    y, x = np.mgrid[1:9, 1:9]
    # With one frequency in the list a map is one of these two waves, whatever was drawn.
    choices = (x, y) if basis is signals.sin1d else (x + y, x - y)
    phases = []
    for image in maps:
        fits = []
        for wave in choices:
            angle = 2 * np.pi * frequency * wave.ravel()
            basis_functions = np.stack([np.sin(angle), np.cos(angle)], axis=1)
            coefficients, residual, *_ = np.linalg.lstsq(basis_functions, image, rcond=None)
            fits.append((residual[0], np.arctan2(coefficients[1], coefficients[0])))
        phases.append(min(fits)[1])
    assert stats.kstest(phases, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_sin1d_channels_are_distinct_maps_of_the_pool() -> None:
    maps = signals.sin1d(FREQUENCIES, (1, 640), generator()).reshape(640, 64)
    assert len(torch.unique(maps, dim=0)) == 640
    horizontal = maps.view(640, 8, 8).mT.reshape(640, 64)
    # Vertical and horizontal maps share their phases: the whole pool is closed under transposition.
    assert torch.equal(torch.unique(maps, dim=0), torch.unique(horizontal, dim=0))


def test_sin2d_pool_is_closed_under_turning_upside_down() -> None:
    maps = signals.sin2d(FREQUENCIES[:2], (1, 256), generator())[0]
    flipped = maps.flip(-2)
    assert torch.equal(torch.unique(maps.flatten(1), dim=0), torch.unique(flipped.flatten(1), dim=0))


# 0.31 of 64 pixels are 19.84: the number of dots is rounded down.
@pytest.mark.parametrize("density", [1 / 64, 0.31, 0.578125, 1.0])
def test_dot_has_its_share_of_random_signs(density) -> None:
    maps = signals.dot(density, (20, 50), generator()).flatten(2)
    assert set(maps.unique().tolist()) <= {-1.0, 0.0, 1.0}
    assert ((maps != 0).sum(dim=2) == math.floor(density * 64)).all()
    values = maps[maps != 0]
    assert abs(values.mean()) < 4 / math.sqrt(len(values))
    occupied = (maps != 0).double().mean(dim=(0, 1))
    share = math.floor(density * 64) / 64
    assert (occupied - share).abs().max() <= 4.5 * math.sqrt(share * (1 - share) / 1000)


def test_dot_channels_and_images_are_independent() -> None:
    maps = signals.dot(1.0, (40, 40), generator()).flatten(2).flatten(0, 1).numpy()
    correlation = np.corrcoef(maps)[np.triu_indices(1600, 1)]
    assert correlation.std() == pytest.approx(1 / math.sqrt(64), rel=0.02)


@pytest.mark.parametrize("density", [1 / 64, 0.4375, 1.0])
def test_gdot_is_scipys_filter_of_a_dot_map_scaled_to_one(density) -> None:
    dots = signals.dot(density, (3, 5), generator(7)).numpy()
    blurred = ndimage.gaussian_filter(dots, sigma=(0, 0, 1, 1))
    expected = blurred / np.abs(blurred).max(axis=(2, 3), keepdims=True)
    maps = signals.gdot(density, (3, 5), generator(7))
    np.testing.assert_allclose(maps, expected, atol=1e-12)
    np.testing.assert_allclose(maps.abs().amax(dim=(2, 3)), 1.0, atol=1e-12)


@pytest.mark.parametrize("colours", [1, 3])
def test_resize_is_every_fourth_pixel_scaled_over_the_whole_batch(colours) -> None:
    images = torch.randn(4, colours, 32, 32, generator=generator(2))
    maps = signals.resize(images, 90, generator())
    small = images[:, :, ::4, ::4].double()
    planes = 2 * ((small - small.min()) / (small.max() - small.min()) - 0.5)
    assert maps.shape == (4, 90, 8, 8)
    assert (maps.min(), maps.max()) == (-1.0, 1.0)
    matches = (maps[:, :, None] == planes[:, None]).all(dim=(0, 3, 4))
    # Every channel is one colour, the same for all inputs, and all colours occur about equally often.
    assert (matches.sum(dim=1) == 1).all()
    assert (matches.sum(dim=0) > 0.5 * 90 / colours).all()


def test_resize_colours_follow_a_permutation_of_a_thousand() -> None:
    images = torch.randn(2, 3, 32, 32, generator=generator(2))
    planes = signals.resize(images, 1000, generator())[0].flatten(1)
    counts = torch.unique(planes, dim=0, return_counts=True)[1]
    assert sorted(counts.tolist()) == [333, 333, 334]


SIGNALS = {
    "sin1d": {"basis": "sin1d", "freqs": "H10"},
    "sin2d": {"basis": "sin2d", "freqs": "M10"},
    "dot": {"basis": "dot", "density": 0.5},
    "gdot": {"basis": "gdot", "density": 0.5},
}


@pytest.mark.parametrize("fields", SIGNALS.values(), ids=SIGNALS)
def test_global_maps_repeat_over_the_batch_and_local_ones_do_not(images, fields) -> None:
    shared = signals.stage_target(stage(Signal(amp=1.0, scope="global", **fields)), images, generator())
    own = signals.stage_target(stage(Signal(amp=1.0, scope="local", **fields)), images, generator())
    assert shared.shape == own.shape == (4, 6, 8, 8)
    assert shared.dtype == own.dtype == torch.float32
    assert torch.equal(shared, shared[:1].expand(4, -1, -1, -1))
    assert len(torch.unique(own.flatten(1), dim=0)) == 4


@pytest.mark.parametrize("fields", [*SIGNALS.values(), {"basis": "resize"}], ids=[*SIGNALS, "resize"])
def test_target_is_a_function_of_the_seed(images, fields) -> None:
    part = stage(Signal(amp=1.3, scope=None if fields["basis"] == "resize" else "local", **fields), channels=20)
    first, again, other = (signals.stage_target(part, images, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_target_is_the_sum_of_amplified_signals(images) -> None:
    dots, resized = Signal("dot", 2.0, "local", density=0.5), Signal("resize", -0.5)
    source = generator(4)
    expected = 2.0 * signals.dot(0.5, (4, 6), source) - 0.5 * signals.resize(images, 6, source)
    target = signals.stage_target(stage(dots, resized), images, generator(4))
    torch.testing.assert_close(target, expected.float(), rtol=0, atol=0)


def test_target_without_signals_is_zero(images) -> None:
    target = signals.stage_target(stage(), images, generator())
    assert torch.equal(target, torch.zeros(4, 6, 8, 8))


def test_target_leaves_global_generator_alone(images) -> None:
    before = torch.get_rng_state()
    signals.stage_target(stage(*(Signal(amp=1.0, scope="local", **s) for s in SIGNALS.values())), images, generator())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("band", FREQUENCY_BANDS)
@pytest.mark.parametrize("rule", ["grid", "uniform"])
def test_named_bands_are_filled_by_the_chosen_rule(images, band, rule) -> None:
    part = stage(Signal("sin1d", 1.0, "global", freqs=band), channels=640)
    maps = signals.stage_target(part, images, generator(), rule)[0].double().numpy()
    waves = maps[np.ptp(maps, axis=2).max(axis=1) < 1e-6][:, :, 0]
    found = frequency_of(waves)
    # A slow wave sampled near its zero crossing says little about its frequency in float32.
    clear = (waves[:, 1:-1] ** 2).sum(axis=1) > 0.5
    distance = np.abs(found[clear, None] - np.array(frequency_grid(band))).min(axis=1)
    low, high = FREQUENCY_BANDS[band]
    if rule == "grid":
        assert distance.max() < 2e-3
    else:
        assert distance.max() > 3e-3
        assert ((low - 2e-3 < found[clear]) & (found[clear] < high + 2e-3)).all()


def test_nearest_neighbour_of_torch_takes_every_fourth_pixel(images) -> None:
    assert torch.equal(functional.interpolate(images, size=(8, 8), mode="nearest"), images[:, :, ::4, ::4])


def test_named_bands_are_the_grids_of_the_code() -> None:
    # The code has none for low frequencies: there they are the middles of ten equal parts, none of them 0.
    expected = {
        "L10": [0.00625, 0.01875, 0.03125, 0.04375, 0.05625, 0.06875, 0.08125, 0.09375, 0.10625, 0.11875],
        "M10": [0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.325, 0.35],
        "H10": [0.375, 0.3875, 0.4, 0.4125, 0.425, 0.4375, 0.45, 0.4625, 0.475, 0.4875],
    }
    for band, frequencies in expected.items():
        assert frequency_grid(band) == pytest.approx(frequencies, rel=1e-12)
