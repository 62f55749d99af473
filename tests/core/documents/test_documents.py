"""Documents of records, in every format."""

import csv
import io
import itertools
import json
import math
import subprocess
import sys

import pytest
from nasbench_toolkit.core.documents.document import Column, Document, Facts, Grid
from nasbench_toolkit.core.documents.latex import escape as escape_latex
from nasbench_toolkit.core.documents.markdown import escape as escape_markdown
from nasbench_toolkit.core.documents.records import as_text, describe_record, list_records
from nasbench_toolkit.core.documents.rendering import Format, render

ROWS = [
    {"name": "a_b", "size": 1234567.0, "share": 0.1234567890123, "of": ["x", "y"]},
    {"name": "c|d", "size": None, "share": math.nan, "of": []},
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (math.nan, "-"),
        (1045466.0, "1045466"),
        (0.1234567890123, "0.123457"),
        (1e20, "1e+20"),
        (7, "7"),
        (True, "True"),
        ([], "none"),
        ([1, 2.5], "1, 2.5"),
        ({"ok": 5, "failed": 1}, "ok=5, failed=1"),
        ({}, "none"),
    ],
)
def test_values_are_written_for_people(value, text) -> None:
    assert as_text(value) == text


def test_records_as_a_table() -> None:
    assert render(list_records(ROWS)) == (
        "name     size     share  of\n"
        "-----------------------------\n"
        "a_b   1234567  0.123457  x, y\n"
        "c|d         -         -  none\n"
    )


def test_keys_of_metrics_stand_on_one_line() -> None:
    key = "imagenet16-120/validation_accuracy@200"
    rows = [{"metric": key, "unit": "percent", "meaning": "mean of all cells that are the same network, over runs"}]
    assert any(line.startswith(f"{key} ") for line in render(list_records(rows), width=80).splitlines())


def test_records_as_markdown() -> None:
    assert render(list_records(ROWS), Format.MARKDOWN) == (
        "| name   |    size |    share | of   |\n"
        "| :----- | ------: | -------: | :--- |\n"
        "| `a_b`  | 1234567 | 0.123457 | x, y |\n"
        "| `c\\|d` |       - |        - | none |\n"
    )


def test_records_as_latex() -> None:
    assert render(list_records(ROWS), Format.LATEX).splitlines()[3:-1] == [
        r"\begin{tabular}{lS[table-format=7]S[table-format=1.6]l}",
        r"\toprule",
        r"name & {size} & {share} & of \\",
        r"\midrule",
        r"\texttt{a\_b} & 1234567 & 0.123457 & x, y \\",
        r"\texttt{c|d} & {-} & {-} & none \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_programs_get_every_digit_and_nothing_for_what_is_not_known() -> None:
    first, second = csv.DictReader(io.StringIO(render(list_records(ROWS), Format.CSV)))
    assert (float(first["share"]), first["of"]) == (ROWS[0]["share"], "x, y")
    assert (second["size"], second["share"], second["of"]) == ("", "", "")
    decoded = json.loads(render(list_records(ROWS), Format.JSON))
    assert decoded == [ROWS[0], {"name": "c|d", "size": None, "share": None, "of": []}]


def test_no_records() -> None:
    empty = list_records([])
    assert [render(empty, name) for name in ("table", "markdown", "csv", "json")] == ["none\n", "none\n", "", "[]\n"]
    assert "tabular" not in render(empty, Format.LATEX)


def test_a_record_with_a_table_in_it() -> None:
    document = describe_record({"space": "toy", "seed": 3, "metrics": [{"metric": "accuracy", "ceiling": 0.5}]})
    assert render(document) == (
        "space: toy\nseed:  3\n\nmetrics:\nmetric    ceiling\n-----------------\naccuracy      0.5\n"
    )
    assert "- space: toy\n- seed: 3\n\n**metrics:**\n\n| metric" in render(document, Format.MARKDOWN)
    assert render(document, Format.CSV) == (
        'field,value\nspace,toy\nseed,3\nmetrics,"[{""metric"": ""accuracy"", ""ceiling"": 0.5}]"\n'
    )
    assert render(document, Format.LATEX).count(r"\begin{tabular}") == 2


def test_titles_and_notes_stand_around_the_blocks() -> None:
    blocks = (Facts({"here": "no"}, title="mnist: digits"), Grid([Column("n", right=True)], [["1"]], title="Counts"))
    document = Document(blocks, records=(), content={}, title="What there is", notes=("Read_me.", "And <this>."))
    assert render(document) == (
        "What there is\n\nmnist: digits\n  here: no\n\nCounts\nn\n-\n1\n\nRead_me.\nAnd <this>.\n"
    )
    assert render(document, Format.MARKDOWN) == (
        "**What there is**\n\n**mnist: digits**\n\n- here: no\n\n**Counts**\n\n|   n |\n| --: |\n|   1 |\n\n"
        "- Read\\_me.\n- And \\<this>.\n"
    )
    latex = render(document, Format.LATEX)
    assert r"\caption{What there is}" in latex
    assert latex.endswith(
        "\\footnotesize\nRead\\_me.\n\nAnd \\textless{}this\\textgreater{}.\n\\end{minipage}\n\\end{table}\n"
    )


def test_long_texts_are_broken_and_names_only_if_they_have_to_be() -> None:
    row = {"name": "a-name-of-twenty-characters", "summary": "word " * 40}
    text = render(list_records([row]), width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert text.splitlines()[2].startswith("a-name-of-twenty-characters"[:24])
    assert r"lp{0.70\linewidth}" in render(list_records([row]), Format.LATEX)


def test_settings_go_on_the_line_below_their_name() -> None:
    rows = [{"evaluator": "gennas-combo:preset=paper"}, {"evaluator": "110100:conv3x3-bn-relu"}]
    assert render(list_records(rows)).splitlines()[2:] == ["gennas-combo:", "preset=paper", "110100:conv3x3-bn-relu"]


def test_latex_escapes_make_every_special_character_print_as_itself() -> None:
    assert escape_latex(r"50% a_b & #1 $x {y} ~ ^ \ <z>") == (
        r"50\% a\_b \& \#1 \$x \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{}z\textgreater{}"
    )


def test_latex_prints_bars_and_hyphens_as_themselves() -> None:
    assert escape_latex("|a~0| --seed -1 ---") == r"\textbar{}a\textasciitilde{}0\textbar{} -{}-seed -1 -{}-{}-"
    grid = Grid((Column("a", code=True), Column("b")), (("|a|--b", "|a|--1"),))
    line = render(Document((grid,), (), None), Format.LATEX).splitlines()[7]
    assert line == r"\texttt{|a|-{}-b} & \textbar{}a\textbar{}-{}-1 \\"


def test_wide_columns_are_shown_in_several_tables() -> None:
    columns = [
        Column("architecture", code=True, min_width=12),
        *(Column(f"{'x' * 40}{n}", right=True) for n in range(3)),
    ]
    grid = Grid(columns, [("a" * 40, "1", "2", "3")], columns_at_once=4)
    lines = render(Document((grid,), (), None)).splitlines()
    headings = [line.split() for line in lines if line.startswith("architecture")]
    assert headings == [
        ["architecture", f"{'x' * 40}0"],
        ["architecture", f"{'x' * 40}1"],
        ["architecture", f"{'x' * 40}2"],
    ]
    assert max(map(len, lines)) <= 80
    narrow = Grid(columns, [("a" * 40, "1", "2", "3")], columns_at_once=2)
    assert render(Document((narrow,), (), None), width=200).count("architecture") == 2


def test_latex_writes_a_minus_before_numbers_only_and_guards_line_breaks() -> None:
    grid = Grid([Column("text")], [["[-0.5, 1]"], ["2026-11-29"], ["* of -3"]])
    lines = render(Document((grid,), (), None), Format.LATEX).splitlines()
    assert lines[7:10] == [r"{}[$-$0.5, 1] \\", r"2026-11-29 \\", r"{}* of $-$3 \\"]
    assert not [after for before, after in itertools.pairwise(lines) if before.endswith(r"\\") and after[0] in "[*"]


def test_markdown_escapes_what_would_be_markup() -> None:
    assert escape_markdown("a_b *c* `d` <e> [f](g) [h] < 3") == r"a\_b \*c\* \`d\` \<e> \[f](g) [h] < 3"


def test_only_the_terminal_format_imports_rich() -> None:
    code = (
        "import sys\nfrom nasbench_toolkit.core.documents.records import list_records\n"
        "from nasbench_toolkit.core.documents.rendering import render\n"
        "for name in ('markdown', 'latex', 'json'):\n    render(list_records([{'a': 1}]), name)\n"
        "print([name for name in ('rich', 'numpy') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_terminal_cuts_nothing_off_where_minimum_widths_do_not_fit() -> None:
    cells = ["|nor_conv_1x1~0|+|skip_connect~0|none~1|+|none~0|skip_connect~1|nor_conv_3x3~2|", "short"]
    columns = (Column("a long heading of numbers here", right=True), Column("another long heading of them", right=True))
    grid = Grid((*columns, Column("architecture", code=True, min_width=24)), [["1", "2", cell] for cell in cells])
    lines = render(Document(blocks=[grid], records=[], content=[]), width=80).splitlines()
    assert max(map(len, lines)) <= 80
    shown = "".join(line[60:].strip() for line in lines[2:])
    assert shown == "".join(cells)
