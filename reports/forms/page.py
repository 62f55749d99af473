"""A report as one HTML file that needs nothing else: style, script, charts and data are in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ... import __version__
from ...core.documents.document import Facts
from ...core.documents.html import render_block, render_notes, text
from ..figures.figure import SCHEMA, Figure
from ..figures.scores import NAME as SCORES
from ..figures.style import CONFIG, color_of
from ..report import Report
from .cells import DrawnCells, draw_cells_of

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""Browsers load nothing from elsewhere for the page; Vega compiles its expressions."""

_PAGE_FONT = "system-ui, sans-serif"


def render_page(report: Report) -> str:
    """Render a report as HTML; the same report always gives the same text."""
    chapters = [_chapter(report, "")]
    chapters += [_chapter(part, f"part{number}-") for number, part in enumerate(report.parts, start=1)]
    return "\n".join(_lines(report, chapters)) + "\n"


@dataclass(frozen=True)
class _Chapter:
    """A report in a page, or a part of one.

    Attributes:
        report: What it says.
        prefix: What the names of its places in the page begin with.
        cells: Cells of its architectures.
    """

    report: Report
    prefix: str
    cells: DrawnCells


def _chapter(report: Report, prefix: str) -> _Chapter:
    cells = draw_cells_of(report.space, report.arch_ids) if report.space else DrawnCells()
    return _Chapter(report, prefix, cells)


def _lines(report: Report, chapters: Sequence[_Chapter]) -> Iterator[str]:
    title = text(report.title)
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{text(_POLICY)}">'
    yield f'<meta name="generator" content="nasbench-toolkit {text(__version__)}">'
    yield f"<title>{title}</title>"
    yield f"<style>\n{_asset('page.css')}</style>"
    yield "</head>"
    yield "<body>"
    yield '<a class="skip" href="#tables">Skip to the tables</a>'
    yield f"<header>\n<h1>{title}</h1>\n{_facts(report)}</header>"
    yield from _contents(chapters)
    yield '<fieldset id="evaluators" hidden><legend>Evaluators shown</legend></fieldset>'
    yield "<main>"
    for chapter in chapters:
        if chapter.prefix:
            yield f'<h2 class="part" id="{chapter.prefix}top">{text(chapter.report.title)}</h2>'
            yield _facts(chapter.report)
        yield from _tables(chapter)
        for figure in chapter.report.figures:
            yield from _figure(chapter, figure)
    yield "</main>"
    yield f"<footer>Made by nasbench-toolkit {text(__version__)}.</footer>"
    yield '<div id="hint" hidden></div>'
    yield f'<script type="application/json" id="report">{_embedded(_data(report, chapters))}</script>'
    if report.all_figures:
        yield f"<script>{_runtime()}</script>"
    yield f"<script>\n{_asset('page.js')}</script>"
    yield "</body>"
    yield "</html>"


def _facts(report: Report) -> str:
    return render_block(Facts(report.facts), "What was run") if report.facts else ""


def _contents(chapters: Sequence[_Chapter]) -> Iterator[str]:
    yield '<nav aria-label="Contents"><ol>'
    first, *others = chapters
    yield from _places(first)
    for chapter in others:
        yield f'<li><a href="#{chapter.prefix}top">{text(chapter.report.title)}</a><ol>'
        yield from _places(chapter)
        yield "</ol></li>"
    yield "</ol></nav>"


def _places(chapter: _Chapter) -> Iterator[str]:
    yield f'<li><a href="#{chapter.prefix}tables">Tables</a></li>'
    for figure in chapter.report.figures:
        yield f'<li><a href="#{chapter.prefix}{text(figure.name)}">{text(figure.title)}</a></li>'


def _tables(chapter: _Chapter) -> Iterator[str]:
    document = chapter.report.document
    yield f'<section id="{chapter.prefix}tables">'
    yield f"<{_heading(chapter)}>Tables</{_heading(chapter)}>"
    yield from (render_block(block, "Results") for block in document.blocks)
    yield render_notes(document.notes)
    yield "</section>"


def _heading(chapter: _Chapter) -> str:
    return "h3" if chapter.prefix else "h2"


def _figure(chapter: _Chapter, figure: Figure) -> Iterator[str]:
    name, note = f"{chapter.prefix}{text(figure.name)}", chapter.cells.note if figure.name == SCORES else ""
    yield f'<section id="{name}">'
    yield f"<{_heading(chapter)}>{text(figure.title)}</{_heading(chapter)}>"
    yield "<figure>"
    yield f"<figcaption>{text(' '.join(filter(None, (figure.caption, note))))}</figcaption>"
    yield "<noscript><p>This chart needs JavaScript.</p></noscript>"
    layout = 'class="panels fluid"' if figure.fluid else 'class="panels scroll" tabindex="0" role="region"'
    yield f'<div {layout} aria-label="{text(figure.title)}">'
    for number, panel in enumerate(figure.panels):
        yield (
            f'<div class="panel" data-figure="{name}" data-panel="{number}" '
            f'data-evaluator="{text(panel.evaluator)}"></div>'
        )
    yield "</div>"
    yield "</figure>"
    yield "</section>"


def _data(report: Report, chapters: Sequence[_Chapter]) -> dict[str, Any]:
    return {
        "figures": {
            f"{chapter.prefix}{figure.name}": _figure_data(figure)
            for chapter in chapters
            for figure in chapter.report.figures
        },
        "config": CONFIG | {"font": _PAGE_FONT},
        "evaluators": [
            {"label": label, "color": color_of(position)} for position, label in enumerate(report.evaluators)
        ],
        "cells": {arch_id: markup for chapter in chapters for arch_id, markup in chapter.cells.markup.items()},
    }


def _figure_data(figure: Figure) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "fluid": figure.fluid,
        "panels": [panel.specification for panel in figure.panels],
        "rows": figure.rows,
    }


def _embedded(data: Mapping[str, Any]) -> str:
    """Return JSON that nothing in it can end early: browsers look for tags in it before anything reads it."""
    plain = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _runtime() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # No tag may end the script early.
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")
