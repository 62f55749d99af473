from nasbench_toolkit.core.documents.document import Column, Document, Grid
from nasbench_toolkit.core.documents.latex_numbers import number_column
from nasbench_toolkit.core.documents.rendering import Format, render


def lines(columns, rows):
    text = render(Document([Grid(columns, rows)], [], None), Format.LATEX)
    return text[text.index(r"\begin{tabular}") :].splitlines()


def test_numbers_are_aligned_on_the_point_with_intervals_beside_them() -> None:
    columns = [
        Column("Evaluator", code=True),
        Column("Spearman rho"),
        Column("n", right=True),
        Column("rank", right=True),
    ]
    rows = [
        ["naswot", "0.813 [0.60, 0.91]", "1,234", "0.743 (2)"],
        ["zen", "-0.1 [-0.30, 0.01]", "40", "-0.095"],
        ["params", "undefined (constant score)", "-", "-"],
    ]
    assert lines(columns, rows) == [
        r"\begin{tabular}{lS[table-format=-1.3]@{~}lS[table-format=4]S[table-format=-1.3]@{~}l}",
        r"\toprule",
        r"Evaluator & \multicolumn{2}{c}{Spearman rho} & {n} & \multicolumn{2}{c}{rank} \\",
        r"\midrule",
        r"\texttt{naswot} & 0.813 & [0.60, 0.91] & 1234 & 0.743 & (2) \\",
        r"\texttt{zen} & -0.1 & [$-$0.30, 0.01] & 40 & -0.095 &  \\",
        r"\texttt{params} & \multicolumn{2}{c}{undefined (constant score)} & {-} & \multicolumn{2}{c}{-} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_what_is_no_plain_number_stands_as_text_in_a_column_of_numbers() -> None:
    texts = ["<0.01", "12", "0.25", "1e+20", ""]
    shown = [row.removesuffix(r" \\") for row in lines([Column("sec", right=True)], [[text] for text in texts])[4:9]]
    assert shown == [r"{\textless{}0.01}", "12", "0.25", "{1e+20}", ""]
    assert number_column(Column("sec", right=True), texts).specification == "S[table-format=2.2]"


def test_columns_of_texts_stay_texts() -> None:
    assert number_column(Column("plan", code=True), ["12345678"]) is None
    assert number_column(Column("day"), ["2026", "2027"]) is None
    assert number_column(Column("share", right=True), ["85%", "-"]) is None
    assert lines([Column("share", right=True)], [["85%"]])[0] == r"\begin{tabular}{r}"
