"""Reports as files: the same numbers in every form, nothing overwritten, nothing from a file that acts."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from nasbench_toolkit.core.domain import Direction, Metric
from nasbench_toolkit.core.errors import ResultsFileError, UsageError
from nasbench_toolkit.reports import run_report
from nasbench_toolkit.reports.figures import style
from nasbench_toolkit.reports.figures.figure import Figure
from nasbench_toolkit.reports.forms import check_output, outputs, write_report
from nasbench_toolkit.reports.forms.cells import draw_cells_of

pytest.importorskip("altair", reason="charts need the extra 'report'")
pytest.importorskip("vl_convert", reason="charts need the extra 'report'")

EVIL = "</script><script>alert(1)</script><!-- '\"&"


class Page(HTMLParser):
    """Reads a page as a browser does: texts of its tables, and of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.scripts: list[str] = []
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loaded += [value for name, value in attributes if name in ("src", "href") and not value.startswith("#")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
        if tag == "script":
            self.scripts.append("")
        if tag in ("th", "td", "script"):
            self._inside = tag

    def handle_endtag(self, tag):
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report") / "report"


@pytest.fixture
def evil_report(results, evaluator):
    accuracy = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")
    made = results(
        evaluator(EVIL, 8, 7, 6, 4, 5, 3, 2, 1, 9, 10),
        evaluator("naswot", *range(1, 11)),
        truth={accuracy: range(10)},
    )
    return run_report(made, None, "worst")


@pytest.fixture
def written(folder, evil_report):
    if not folder.exists():
        write_report(evil_report, folder)
    return folder


def test_a_folder_has_the_page_the_tables_and_every_chart(written, evil_report) -> None:
    files = sorted(path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file())
    charts = [
        f"figures/{each.name}{suffix}" for each in evil_report.figures for suffix in (".csv", ".pdf", ".png", ".svg")
    ]
    assert files == sorted(
        [*charts, "report.html", *(f"tables{suffix}" for suffix in (".csv", ".json", ".md", ".tex"))]
    )
    for path in written.glob("figures/*"):
        start = {".csv": b"", ".pdf": b"%PDF", ".png": b"\x89PNG", ".svg": b"<svg"}[path.suffix]
        assert path.read_bytes().startswith(start)


def test_every_form_has_the_same_numbers(written) -> None:
    rho = re.compile(r"0\.\d{3} \[-?0\.\d\d, 0\.\d\d\]|-?[01]\.\d{3} \[-?[01]\.\d\d, -?[01]\.\d\d\]")
    page = Page((written / "report.html").read_text())
    in_page = [text for row in page.rows for text in row if rho.fullmatch(text)]
    tex = (written / "tables.tex").read_text().replace("$-$", "-").replace(" & [", " [")
    in_tex = [text for text in rho.findall(tex) if text]
    in_markdown = rho.findall((written / "tables.md").read_text())
    assert len(in_page) == 4  # rho and tau of two evaluators
    assert in_page == in_tex == in_markdown
    records = list(csv.DictReader(io.StringIO((written / "tables.csv").read_text())))
    content = json.loads((written / "tables.json").read_text())
    exact = [
        tuple(float(record[key]) for key in ("rho", "rho_low", "rho_high", "tau", "tau_low", "tau_high"))
        for record in records
    ]
    assert [f"{a:z.3f} [{b:z.2f}, {c:z.2f}]" for each in exact for a, b, c in (each[:3], each[3:])] == in_page
    assert [(each["rho"], each["tau"]) for each in content["evaluators"]] == [(each[0], each[3]) for each in exact]
    drawn = {row["evaluator"]: row["rho"] for row in csv.DictReader((written / "figures/correlations.csv").open())}
    assert [float(drawn[record["evaluator"]]) for record in records] == pytest.approx(
        [each[0] for each in exact], rel=1e-5
    )


def test_nothing_from_a_file_acts_in_a_page(written) -> None:
    text = (written / "report.html").read_text()
    page = Page(text)
    assert page.tags.count("script") == 3
    assert "alert(1)" not in page.scripts[1] + page.scripts[2]
    assert "<" not in page.scripts[0]
    assert json.loads(page.scripts[0])["evaluators"][0]["label"] == EVIL
    assert EVIL in [row[0] for row in page.rows]
    assert "default-src 'none'" in re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace(
        "&#x27;", "'"
    )


def test_a_page_needs_nothing_from_elsewhere(written) -> None:
    page = Page((written / "report.html").read_text())
    assert page.loaded == []
    assert not {"link", "img", "iframe", "object"} & set(page.tags)


def test_a_page_works_without_charts(results, evaluator, tmp_path) -> None:
    report = replace(run_report(results(evaluator("a", 1, 2, 3)), None, "worst"), figures=())
    write_report(report, tmp_path / "r.html")
    assert len(Page((tmp_path / "r.html").read_text()).scripts) == 2
    with pytest.raises(UsageError, match="There is nothing to draw"):
        write_report(report, tmp_path / "r.svg")


def test_the_same_report_gives_the_same_page(evil_report, tmp_path) -> None:
    for name in ("1.html", "2.html"):
        write_report(evil_report, tmp_path / name)
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()


@pytest.mark.parametrize("name", ["r.html", "r.csv", "r.svg", "folder"])
def test_what_exists_is_refused_unless_it_may_be_replaced(tmp_path, name) -> None:
    path = tmp_path / name
    if path.suffix:
        path.write_text("mine")
    else:
        path.mkdir()
        check_output(path, [], overwrite=False)
        (path / "notes.txt").write_text("mine")
    with pytest.raises(ResultsFileError, match=f"'{path}' exists. Replace it with --overwrite"):
        check_output(path, [], overwrite=False)
    check_output(path, [], overwrite=True)


def test_outputs_that_cannot_be_are_refused_before_anything_is_read(tmp_path) -> None:
    source = tmp_path / "a.json"
    source.write_text("{}")
    (tmp_path / "file").write_text("mine")
    for path, error, message in (
        (
            tmp_path / "r.gif",
            UsageError,
            r"End its name with \.html, \.tex, \.md, \.csv, \.json, \.svg, \.png or \.pdf",
        ),
        (source, UsageError, "is what the report is made of"),
        (tmp_path / "file", ResultsFileError, "is a file, and a report without ending is a folder"),
        (tmp_path / "no" / "r", ResultsFileError, "does not exist"),
        (tmp_path / "no" / "r.html", ResultsFileError, "does not exist"),
    ):
        with pytest.raises(error, match=message):
            check_output(path, [source], overwrite=True)


def test_cells_of_the_best_are_in_a_page_as_many_as_it_has_room_for(monkeypatch) -> None:
    arch_ids = [f"|{name}~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|" for name in ("nor_conv_3x3", "none")]
    both = draw_cells_of("nasbench201", arch_ids)
    assert list(both.markup) == arch_ids
    assert both.note == ""
    assert both.markup[arch_ids[0]].startswith('<svg class="cell" viewBox=')
    assert "conv" in both.markup[arch_ids[0]]
    monkeypatch.setattr("nasbench_toolkit.reports.forms.cells.LARGEST_SHOWN", 1)
    one = draw_cells_of("nasbench201", arch_ids)
    assert list(one.markup) == arch_ids[:1]
    assert "the cells of 1 of 2 architectures are in it, the most misjudged and the best ones" in one.note


def test_cells_that_cannot_be_drawn_are_said_and_stop_nothing() -> None:
    assert "is not installed here" in draw_cells_of("nowhere", ["a"]).note
    wrong = draw_cells_of("nasbench201", ["arch-0"])
    assert wrong.markup == {}
    assert wrong.note.startswith("Cells are not shown: ")


def test_pictures_are_of_all_charts(evil_report, tmp_path) -> None:
    write_report(evil_report, tmp_path / "all.svg")
    svg = (tmp_path / "all.svg").read_text()
    for figure in evil_report.figures:
        assert isinstance(figure, Figure)
        assert figure.title in svg
    assert "<script" not in svg


def test_control_characters_of_labels_reach_no_chart(results, evaluator, tmp_path) -> None:
    label, shown = "tab:mode=a\x1b[31mb\nc\ud800", "tab:mode=a\\x1b[31mb\nc\\ud800"
    truth = {Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent"): range(10)}
    report = run_report(results(evaluator(label, *range(10)), evaluator("b", *range(10)), truth=truth), None, "worst")
    report = replace(report, figures=tuple(each for each in report.figures if each.name in ("correlations", "scores")))
    write_report(report, tmp_path / "all")
    for picture in (tmp_path / "all").rglob("*.svg"):
        assert r"a\x1b[31mb" in "".join(ElementTree.fromstring(picture.read_text()).itertext())
    data = json.loads(Page((tmp_path / "all/report.html").read_text()).scripts[0])
    assert data["evaluators"][0]["label"] == shown
    assert {row["evaluator"] for row in data["figures"]["correlations"]["rows"]["correlations"]} == {shown, "b"}
    rows = csv.DictReader((tmp_path / "all/figures/correlations.csv").open())
    assert {row["evaluator"] for row in rows} == {shown, "b"}


def test_a_folder_that_is_written_again_has_nothing_of_the_earlier_report_and_all_of_the_user(tmp_path, evil_report):
    short = replace(evil_report, figures=evil_report.figures[:1])
    folder, name = tmp_path / "all", evil_report.figures[0].name
    for earlier in (
        "figures/ranks.svg", "figures/stops.csv", "run1/tables.csv", "run1/figures/cost.pdf", "searches/tables.md",
        "run2/figures/cost.pdf",
    ):  # fmt: skip
        (folder / earlier).parent.mkdir(parents=True, exist_ok=True)
        (folder / earlier).write_text("earlier")
    own = ("notes.txt", "figures/mine.svg", "run2/notes.txt", "running/tables.csv", "run1x/figures/ranks.svg")
    for each in own:
        (folder / each).parent.mkdir(parents=True, exist_ok=True)
        (folder / each).write_text("mine")
    write_report(short, folder)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    made = {f"figures/{name}{suffix}" for suffix in (".csv", ".pdf", ".png", ".svg")}
    assert files == {
        *own, *made, "report.html", *(f"tables{suffix}" for suffix in (".csv", ".json", ".md", ".tex"))
    }  # fmt: skip
    assert {(folder / each).read_text() for each in own} == {"mine"}
    assert not (folder / "run1").exists()
    assert not (folder / "searches").exists()


def test_names_of_all_charts_are_known_to_the_folder() -> None:
    modules = Path(style.__file__).parent.glob("*.py")
    names = [found[1] for path in modules if (found := re.search('^NAME = "(.*)"', path.read_text(), re.MULTILINE))]
    assert sorted(outputs._CHART_NAMES) == sorted(names)


def has_siunitx() -> bool:
    """Whether columns that align numbers can be compiled: TeX Live may lack their package."""
    found = shutil.which("tectonic") or subprocess.run(["kpsewhich", "siunitx.sty"], capture_output=True).stdout
    return bool(found)


@pytest.mark.skipif(not shutil.which("tectonic") and not shutil.which("pdflatex"), reason="there is no LaTeX here")
def test_tables_compile_as_latex(written, tmp_path) -> None:
    table = (written / "tables.tex").read_text()
    packages = r"\usepackage{booktabs}"
    if has_siunitx():
        packages += r"\usepackage{siunitx}"
    else:
        table = re.sub(r"S\[[^]]*\]", "r", table)
    source = rf"\documentclass{{article}}{packages}\begin{{document}}" + "\n" + table + "\\end{document}\n"
    (tmp_path / "paper.tex").write_text(source)
    program = shutil.which("tectonic") or "pdflatex"
    options = ["paper.tex"] if "tectonic" in program else ["-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run([program, *options], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").exists()


def test_a_page_and_a_folder_of_several_runs_have_a_chapter_for_each(results, evaluator, tmp_path) -> None:
    from nasbench_toolkit.reports import runs_report

    truth = {Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent"): range(10)}
    one = results(evaluator("a", *range(10)), evaluator("b", *range(10, 0, -1)), truth=truth)
    other = replace(one, plan=replace(one.plan, space="another"))
    report = runs_report([(one, ()), (other, ())], None, "worst")
    write_report(report, tmp_path / "runs.html")
    text = (tmp_path / "runs.html").read_text()
    names = re.findall(r'<section id="([^"]*)"', text)
    figures = [figure.name for figure in report.parts[0].figures]
    chapters = [f"part{number}-{name}" for number in (1, 2) for name in ("tables", *figures)]
    assert names == ["tables", "runs", "ranks", *chapters]
    assert set(re.findall(r'<a href="#([^"]+)"', text)) == {*names, "part1-top", "part2-top"}
    assert set(json.loads(Page(text).scripts[0])["figures"]) == {name for name in names if "tables" not in name}
    write_report(replace(report, parts=tuple(replace(part, figures=()) for part in report.parts)), tmp_path / "runs")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "figures", "report.html", "run1", "run2", "tables.csv", "tables.json", "tables.md", "tables.tex",
    ]  # fmt: skip
    assert "another" in (tmp_path / "runs/run2/tables.csv").read_text()
