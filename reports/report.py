"""A whole report: what was run, its tables and its charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..core.documents.document import Document
from .figures.figure import Figure


@dataclass(frozen=True)
class Report:
    """What every form of a report is made from.

    Attributes:
        title: What it is of, in a sentence without full stop.
        document: The tables with their notes.
        facts: What was run, and with what, by name.
        figures: The charts, in reading order.
        evaluators: Labels of what can be hidden on a page, in the order of their colours.
        space: Search space of the architectures that charts name, whose cells a page shows; empty for none.
        arch_ids: These architectures, those first that are to be shown if not all are.
        parts: Reports of the runs that this one puts side by side, and of searches beside them.
        subject: What tells its charts from those of other parts, such as a search space.
        folder: Where a folder has it as a part; empty for ``run`` and its number.
    """

    title: str
    document: Document
    facts: Mapping[str, str]
    figures: tuple[Figure, ...]
    evaluators: tuple[str, ...] = ()
    space: str = ""
    arch_ids: tuple[str, ...] = ()
    parts: tuple[Report, ...] = ()
    subject: str = ""
    folder: str = ""

    @property
    def all_figures(self) -> tuple[Figure, ...]:
        """Its charts, then those of its parts, whose titles then say of what they are."""
        of_parts = (
            replace(figure, title=f"{figure.title}: {part.subject}") for part in self.parts for figure in part.figures
        )
        return (*self.figures, *of_parts)
