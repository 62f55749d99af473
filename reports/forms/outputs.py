"""Which form of a report a file name asks for, and writing it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ...core.documents.document import Document
from ...core.documents.rendering import Format, render
from ...core.errors import ResultsFileError, ResultsWriteError, UsageError
from ...core.plain_text import printable_lines, printable_texts
from ...core.results.whole_files import check_target, write_whole
from ..figures import agreement, correlations, cost, errors, ranks, regret, scores, seconds, spaces, stops
from ..figures.figure import Figure, figure_table
from ..figures.style import require_extra
from ..report import Report

DOCUMENTS = {".tex": Format.LATEX, ".md": Format.MARKDOWN, ".csv": Format.CSV, ".json": Format.JSON}
CHARTS = (".svg", ".png", ".pdf")
PAGE = ".html"
FORMS = (PAGE, *DOCUMENTS, *CHARTS)

TABLES = "tables"
"""Name of the files of a folder that hold the tables, without ending."""

FIGURES = "figures"
"""Folder of the charts in that of a report."""

_PART = re.compile(r"run[1-9][0-9]*|searches")
"""Folders of the parts of a report."""

_CHART_NAMES = tuple(
    module.NAME for module in (agreement, correlations, cost, errors, ranks, regret, scores, seconds, spaces, stops)
)

_REMEDY = "Make room, or choose another file."


def check_output(path: Path, sources: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse an output that could not be written, before anything is read.

    Args:
        path: A file whose ending says its form, or a folder if its name has no ending.
        sources: Files that the report is made of.
        overwrite: Whether what exists may be replaced.

    Raises:
        UsageError: The ending is none of ``FORMS``; it is a source; or charts are asked for that cannot be made here.
        ResultsFileError: It exists, or there is no place for it.
    """
    if path.suffix.lower() not in ("", *FORMS):
        raise UsageError(
            f"'{path}' would be a report of an unknown form. End its name with {', '.join(FORMS[:-1])} or {FORMS[-1]}, "
            "or name a folder, without an ending."
        )
    if any(path.exists() and source.exists() and path.samefile(source) for source in sources):
        raise UsageError(f"'{path}' is what the report is made of. Choose another file.")
    if not is_document(path):
        require_extra()
    if path.suffix:
        check_target(path)
    elif path.exists() and not path.is_dir():
        raise ResultsFileError(f"'{path}' is a file, and a report without ending is a folder. Choose another name.")
    elif not path.absolute().parent.is_dir():
        raise ResultsFileError(f"The directory '{path.parent}' does not exist. Create it or choose another --output.")
    if not overwrite and path.exists() and (path.suffix or any(path.iterdir())):
        raise ResultsFileError(f"'{path}' exists. Replace it with --overwrite, or choose another name.")


def is_document(path: Path) -> bool:
    """Whether a name asks for tables only."""
    return path.suffix.lower() in DOCUMENTS


def write_document(document: Document, path: Path) -> None:
    """Write tables in the form of the name's ending, one of ``DOCUMENTS``.

    Raises:
        ResultsWriteError: The file cannot be written.
    """
    write_whole(path, render(document, DOCUMENTS[path.suffix.lower()]).encode(), _REMEDY)


def write_report(report: Report, path: Path) -> None:
    """Write a report in the form that its name asks for.

    Raises:
        UsageError: Charts are asked for, and there is none.
        ResultsWriteError: A file cannot be written.
    """
    report, suffix = _visible(report), path.suffix.lower()
    if is_document(path):
        write_document(report.document, path)
    elif suffix == PAGE:
        _write_page(report, path)
    elif suffix:
        from .images import draw

        if not report.all_figures:
            raise UsageError("There is nothing to draw in these results: no evaluator has a score yet.")
        write_whole(path, draw(report.all_figures, suffix), _REMEDY)
    else:
        _write_folder(report, path)


def _visible(report: Report) -> Report:
    """Return a report whose charts have no control characters, on which their renderer would abort."""
    return replace(
        report,
        figures=tuple(map(_visible_figure, report.figures)),
        evaluators=tuple(map(printable_lines, report.evaluators)),
        parts=tuple(map(_visible, report.parts)),
        subject=printable_lines(report.subject),
    )


def _visible_figure(figure: Figure) -> Figure:
    panels = (
        replace(panel, specification=printable_texts(panel.specification), evaluator=printable_lines(panel.evaluator))
        for panel in figure.panels
    )
    return replace(
        figure,
        title=printable_lines(figure.title),
        caption=printable_lines(figure.caption),
        panels=tuple(panels),
        rows=printable_texts(figure.rows),
        headings=printable_texts(figure.headings),
    )


def _write_page(report: Report, path: Path) -> None:
    from .page import render_page

    write_whole(path, render_page(report).encode(), _REMEDY)


def _write_folder(report: Report, path: Path) -> None:
    """Write a report's files over those of an earlier one, and remove what only that one had."""
    # All of them first: a report that cannot be made leaves the earlier one whole.
    files = {path / name: content for name, content in _files(report)}
    for target, content in files.items():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultsWriteError(
                f"Cannot make '{target.parent}': {error.strerror}. Choose another folder."
            ) from error
        write_whole(target, content, _REMEDY)
    for folder in (path, *_parts(path)):
        _remove_earlier(folder, files)


def _parts(path: Path) -> list[Path]:
    """Return the folders of runs and of searches in that of a report."""
    return [each for each in path.iterdir() if _PART.fullmatch(each.name) and each.is_dir() and not each.is_symlink()]


def _remove_earlier(folder: Path, written: Container[Path]) -> None:
    """Remove files that reports make and that were not written now; others are the user's own."""
    tables = [folder / f"{TABLES}{suffix}" for suffix in DOCUMENTS]
    charts = [folder / FIGURES / f"{name}{suffix}" for name in _CHART_NAMES for suffix in (*CHARTS, ".csv")]
    stale = [made for made in (*tables, *charts) if made not in written and made.is_file()]
    for made in stale:
        made.unlink()
    for emptied in dict.fromkeys((*(made.parent for made in reversed(stale)), folder) if stale else ()):
        with suppress(OSError):  # There is something in it.
            emptied.rmdir()


def _files(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a report's folder by its name in it."""
    from .page import render_page

    yield f"report{PAGE}", render_page(report).encode()
    yield from _tables_and_charts(report, "")
    for number, part in enumerate(report.parts, start=1):
        yield from _tables_and_charts(part, f"{part.folder or f'run{number}'}/")


def _tables_and_charts(report: Report, folder: str) -> Iterator[tuple[str, bytes]]:
    from .images import draw

    for suffix, form in DOCUMENTS.items():
        yield f"{folder}{TABLES}{suffix}", render(report.document, form).encode()
    for figure in report.figures:
        name = f"{folder}{FIGURES}/{figure.name}"
        for suffix in CHARTS:
            yield f"{name}{suffix}", draw([figure], suffix)
        yield f"{name}.csv", figure_table(figure).encode()
