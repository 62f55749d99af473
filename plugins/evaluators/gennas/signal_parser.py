"""Reading the signals and the noise of a GenNAS task from decoded JSON."""

from __future__ import annotations

from collections.abc import Collection

from .errors import InvalidTaskError
from .task import BASES, FREQUENCY_BANDS, NOISE_KINDS, NUM_FREQUENCIES, SCOPES, Noise, Signal
from .task_fields import read_choice, read_list, read_number, read_object, read_optional


def read_noise(value: object) -> Noise:
    """Read the field ``noise``.

    Raises:
        InvalidTaskError: It is wrong.
    """
    noise = read_object("noise", value, ("kind", "level"))
    return Noise(
        read_choice("noise.kind", noise["kind"], NOISE_KINDS), read_number("noise.level", noise["level"], 0, 1)
    )


def read_signals(
    path: str,
    value: object,
    pixels: int,
    bases: Collection[str] = BASES,
    scopes: Collection[str] = SCOPES,
) -> tuple[Signal, ...]:
    """Read a list of signals.

    Args:
        path: Where it is, for messages.
        value: Decoded JSON.
        pixels: Number of pixels of a map; a dot map must have a dot.
        bases: Bases that are allowed.
        scopes: Scopes that are allowed.

    Raises:
        InvalidTaskError: Something is wrong with it.
    """
    items = read_list(path, value)
    signals = tuple(_signal(f"{path}[{index}]", item, pixels, bases, scopes) for index, item in enumerate(items))
    seen: set[str] = set()
    for index, signal in enumerate(signals):
        if signal.basis in seen:
            raise InvalidTaskError(
                f"{path}[{index}].basis is a second '{signal.basis}': a sum has at most one signal of each basis."
            )
        seen.add(signal.basis)
    return signals


def _signal(path: str, value: object, pixels: int, bases: Collection[str], scopes: Collection[str]) -> Signal:
    basis = read_choice(f"{path}.basis", read_object(path, value, ("basis",), None)["basis"], bases)
    if basis == "resize":
        fields = read_object(path, value, ("basis", "amp"))
        return Signal(basis, read_number(f"{path}.amp", fields["amp"]))
    own_field = "freqs" if basis in ("sin1d", "sin2d") else "density"
    fields = read_object(path, value, ("basis", "amp", "scope", own_field))
    return Signal(
        basis=basis,
        amp=read_number(f"{path}.amp", fields["amp"]),
        scope=read_choice(f"{path}.scope", fields["scope"], scopes),
        freqs=read_optional(_frequencies, f"{path}.freqs", fields),
        # A dot map without a dot is zero, and a Gaussian dot map without one is 0/0.
        density=read_optional(lambda at, q: read_number(at, q, 1 / pixels, 1), f"{path}.density", fields),
    )


def _frequencies(path: str, value: object) -> str | tuple[float, ...]:
    if isinstance(value, str):
        return read_choice(path, value, FREQUENCY_BANDS)
    items = read_list(path, value, NUM_FREQUENCIES, f" or one of {', '.join(FREQUENCY_BANDS)}")
    frequencies = tuple(read_number(f"{path}[{index}]", item, 0, 0.5) for index, item in enumerate(items))
    if 0.0 in frequencies:
        raise InvalidTaskError(f"{path}[{frequencies.index(0.0)}] must be above 0 cycles per pixel, got 0.")
    return frequencies
