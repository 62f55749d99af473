"""A document: titled tables, lists of facts and notes, and the same for programs. Formats add layout only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Column:
    """How a column is set.

    Attributes:
        heading: What stands above it.
        right: Whether it is aligned to the right, as numbers are, which a terminal never breaks.
        code: Whether it holds what users type, which documents set in typewriter face.
        min_width: What a terminal leaves to it at least, in characters, before it breaks its texts.
    """

    heading: str
    right: bool = False
    code: bool = False
    min_width: int = 0


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        columns: One or more.
        rows: Texts, one for each column.
        title: Above the table, empty for none.
        dense: Whether a terminal leaves a single space between columns.
        columns_at_once: How many columns beside the first a terminal shows at once, or fewer where they are wide; it
            repeats the first with the others below. None for all.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    dense: bool = False
    columns_at_once: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is said of one thing.

    Attributes:
        facts: Texts by name.
        title: The thing, empty where the document is of nothing else.
    """

    facts: Mapping[str, str]
    title: str = ""


@dataclass(frozen=True)
class Document:
    """What a command prints.

    Attributes:
        blocks: For people, in their order.
        records: For CSV: one a line. Values in full precision, None or NaN for what is not known.
        content: For JSON, likewise.
        title: One sentence above all blocks, empty for none.
        notes: Sentences below them.
        fields: Names of the columns of CSV where there are no records.
    """

    blocks: Sequence[Grid | Facts]
    records: Sequence[Mapping[str, Any]]
    content: Any
    title: str = ""
    notes: Sequence[str] = field(default_factory=tuple)
    fields: Sequence[str] = ()
