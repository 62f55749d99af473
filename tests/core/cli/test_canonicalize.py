import csv
import io

SPACE = ("--space", "nasbench201")
CELL = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|nor_conv_1x1~1|avg_pool_3x3~2|"


def rows(done):
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_spellings_are_translated_in_their_order(nasbench, tmp_path) -> None:
    (tmp_path / "mine.csv").write_text(f"id,architecture,acc\n7, {CELL} ,91.5\n")
    (tmp_path / "mine.txt").write_text(f"# cells of mine\n{CELL}\n")
    from_csv = nasbench("canonicalize", "--file", "mine.csv", *SPACE, "-f", "csv")
    from_text = nasbench("canonicalize", "--file", "mine.txt", *SPACE, "-f", "csv")
    assert from_csv.returncode == from_text.returncode == 0
    (row,) = rows(from_csv)
    assert rows(from_text) == [row]
    assert row["given"] == CELL
    again = rows(nasbench("canonicalize", row["architecture"], CELL, *SPACE, "-f", "csv"))
    assert [each["architecture"] for each in again] == [row["architecture"]] * 2


def test_what_is_no_architecture_is_said_beside_the_others(nasbench) -> None:
    done = nasbench("canonicalize", CELL, "nonsense", *SPACE, "-f", "csv")
    assert done.returncode == 1
    good, bad = rows(done)
    assert good["problem"] == ""
    assert bad["architecture"] == ""
    assert "'nonsense'" in bad["problem"]
    assert nasbench("canonicalize", *SPACE).returncode == 2


def test_run_takes_the_csv_as_well(nasbench, tmp_path) -> None:
    (tmp_path / "mine.csv").write_text("architecture,acc\nwidth-3,1\nwidth-9,2\n")
    nasbench("run", "--space", "toy", "-e", "toy-width", "--architectures", "mine.csv", "-o", "r.h5")
    assert nasbench("inspect", "r.h5", "--architectures").stdout.split() == ["width-3", "width-9"]
