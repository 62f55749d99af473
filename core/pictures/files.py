"""Writes figures as SVG, PNG or PDF: the same bytes for the same figure, whatever the user's matplotlib is set to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ResultsFileError, UsageError
from ..plain_text import printable_lines
from ..results.whole_files import check_target, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png", ".pdf")

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "mathtext.fontset": "dejavusans",
    "svg.hashsalt": "nasbench",
    "pdf.fonttype": 42,  # TrueType: publishers refuse type 3
}
_DOTS_AN_INCH = 300


def check_picture(path: Path) -> None:
    """Refuse a file name that does not say which format it is to have, or is that of no file.

    Raises:
        UsageError: Its suffix is none of ``SUFFIXES``; or it is a directory, a device, a pipe or a socket.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"'{path}' would be a file of an unknown format. End its name with {', '.join(SUFFIXES[:-1])} or "
            f"{SUFFIXES[-1]}."
        )
    check_target(path)


def picture_of(results: Path) -> Path:
    """Return the name of the picture that belongs beside a results file; never the file itself, whatever its suffix."""
    return results.with_name(f"{results.name.removesuffix('.h5')}.svg")


def refuse_existing(path: Path) -> None:
    """Refuse to replace a file that the user has not said to replace.

    Raises:
        ResultsFileError: It exists.
    """
    if path.exists():
        raise ResultsFileError(f"'{path}' exists. Replace it with --overwrite, or choose another file.")


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw and save with matplotlib's own defaults instead of the user's, which are back afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def save(figure: Figure, path: Path, about: str = "") -> None:
    """Write a figure; inside :func:`plain_style`.

    Args:
        figure: What to write.
        path: Its suffix, one of ``SUFFIXES``, says how.
        about: Goes into the file's properties as its title.

    Raises:
        ResultsWriteError: It cannot be written.
    """
    suffix = path.suffix.lower()
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix[1:], dpi=_DOTS_AN_INCH, metadata=_properties(suffix, printable_lines(about)))
    write_whole(path, buffer.getvalue(), "Make room, or choose another file.")


def _properties(suffix: str, about: str) -> dict[str, Any]:
    """Name what is shown, and leave out what would differ from day to day or version to version."""
    title = {"Title": about} if about else {}
    absent = {".svg": ("Date", "Creator"), ".png": ("Software",), ".pdf": ("CreationDate", "Creator", "Producer")}
    return title | dict.fromkeys(absent[suffix])
