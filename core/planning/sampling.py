"""Chooses the architectures of a run: sampled from a seed, or given by the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import InvalidArchitectureError, SampleSizeError, UsageError
from ..input_files import check_input, read_text
from ..interfaces import SearchSpace
from ..seeding import derive_seed
from .labelled import has_architecture_column, read_architecture_column

# A text list of architectures larger than this is a mistake: NAS-Bench-101's 423,624 cells take 40 MB.
MAX_LIST_BYTES = 200_000_000

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def sample_architectures(space: SearchSpace, count: int, seed: int) -> tuple[str, ...]:
    """Return ``count`` distinct architectures, uniform over the space; depends on space, count and seed only.

    Raises:
        SampleSizeError: The space has fewer.
    """
    import numpy as np

    rng = np.random.default_rng(derive_seed("sampling", space.info.name, seed))
    return tuple(space.sample(count, rng))


def sample_list(arch_ids: Sequence[str], count: int | None, seed: int) -> tuple[str, ...]:
    """Return ``count`` of some architectures, drawn without replacement, in their order; all if None.

    Raises:
        SampleSizeError: There are fewer.
    """
    if count is None:
        return tuple(arch_ids)
    if not 1 <= count <= len(arch_ids):
        raise SampleSizeError(f"The number of architectures must be from 1 to the {len(arch_ids)} given, got {count}.")
    import numpy as np

    rng = np.random.default_rng(derive_seed("sampling of a list", seed))
    return tuple(arch_ids[row] for row in sorted(rng.choice(len(arch_ids), count, replace=False)))


def read_architectures(path: Path, space: SearchSpace) -> tuple[str, ...]:
    """Return the architectures of a file that :func:`read_spellings` reads.

    Isomorphic duplicates collapse to one; the order of first appearance is kept.

    Raises:
        UsageError: The file is missing, empty, too large or not a text.
        InvalidArchitectureError: A line is not an architecture of ``space``; the message names the line.
    """
    arch_ids = [_canonicalize(space, text, path, number) for number, text in _numbered_spellings(path)]
    return tuple(dict.fromkeys(arch_ids))


def read_spellings(path: Path) -> list[str]:
    """Return the architectures of a file as it spells them.

    Args:
        path: A results file, a text with one architecture a line (``#`` comments), or a CSV with a column
            ``architecture``.

    Raises:
        UsageError: The file is missing, empty, too large or not a text.
    """
    return [text for _, text in _numbered_spellings(path)]


def _numbered_spellings(path: Path) -> list[tuple[int, str]]:
    check_input(
        path, "Give a results file, a text with one architecture a line, or a CSV with a column 'architecture'."
    )
    if path.stat().st_size > MAX_LIST_BYTES:
        raise UsageError(f"'{path}' has more than {MAX_LIST_BYTES:,} bytes: that is not a list of architectures.")
    with path.open("rb") as file:
        is_results_file = file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE
    lines = _stored_architectures(path) if is_results_file else _text_lines(path)
    if lines and not is_results_file and has_architecture_column(lines[0]):
        numbered = list(enumerate(read_architecture_column(path), start=1))
    else:
        numbered = [(number, line.split("#", 1)[0].strip()) for number, line in enumerate(lines, start=1)]
    spelled = [(number, text) for number, text in numbered if text]
    if not spelled:
        raise UsageError(f"'{path}' lists no architecture. Write one a line.")
    return spelled


def _stored_architectures(path: Path) -> Sequence[str]:
    from ..results.store import read_results

    return read_results(path).arch_ids


def _text_lines(path: Path) -> Sequence[str]:
    try:
        return read_text(path).splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"'{path}' is not a text. Write one architecture a line.") from None


def _canonicalize(space: SearchSpace, text: str, path: Path, number: int) -> str:
    try:
        return space.canonicalize(text)
    except InvalidArchitectureError as error:
        raise InvalidArchitectureError(f"'{path}', line {number}: {error}") from error
