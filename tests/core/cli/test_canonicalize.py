import csv
import io
import json

import pytest

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


def test_lists_of_numbers_are_translated(nasbench, tmp_path) -> None:
    numbered = "|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
    (tmp_path / "numbers.txt").write_text("9  # of the benchmark\n(4, 1, 0, 1, 1, 2)\n15625\n")
    (tmp_path / "naslib.csv").write_text('architecture,acc\n"(4, 1, 0, 1, 1, 2)",91.5\n')
    done = nasbench("canonicalize", "--file", "numbers.txt", numbered, *SPACE, "-f", "csv")
    given, number, naslib, wrong = rows(done)
    assert number["architecture"] == naslib["architecture"] == given["architecture"]
    assert "numbered from 0 to 15624" in wrong["problem"]
    (row,) = rows(nasbench("canonicalize", "--file", "naslib.csv", *SPACE, "-f", "csv"))
    assert row == {"given": "(4, 1, 0, 1, 1, 2)", "architecture": given["architecture"]}


def test_json_lists_are_read(nasbench, tmp_path) -> None:
    entries = [CELL, 9, [4, 1, 0, 1, 1, 2], " (4, 1, 0, 1, 1, 2) "]
    (tmp_path / "cells.json").write_text(json.dumps(entries))
    (tmp_path / "keys.JSON").write_text(json.dumps({CELL: {"acc": 91.5}, "9": {"acc": 10.0}}))
    listed = rows(nasbench("canonicalize", "--file", "cells.json", *SPACE, "-f", "csv"))
    assert [row["given"] for row in listed] == [CELL, "9", "[4, 1, 0, 1, 1, 2]", "(4, 1, 0, 1, 1, 2)"]
    cell, *same = [row["architecture"] for row in listed]
    assert len(set(same)) == 1
    keyed = rows(nasbench("canonicalize", "--file", "keys.JSON", *SPACE, "-f", "csv"))
    assert [row["architecture"] for row in keyed] == [cell, same[0]]


def test_recipes_in_a_json_list_are_architectures(nasbench, tmp_path) -> None:
    sampled = ("run", "--space", "nasbench-nlp", "-e", "params", "-n", "2")
    nasbench(*sampled, "-o", "sampled.h5")
    recipes = nasbench("inspect", "sampled.h5", "--architectures").stdout.splitlines()
    (tmp_path / "recipes.json").write_text(json.dumps([json.loads(recipe) for recipe in recipes]))
    translated = nasbench("canonicalize", "--file", "recipes.json", "--space", "nasbench-nlp", "-f", "csv")
    assert [row["architecture"] for row in rows(translated)] == recipes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2", "'list.json' is no JSON file"),
        ("[" * 100_000, "'list.json' is no JSON file"),
        ("17", "'list.json' holds neither a list nor an object"),
        ("[]", "'list.json' lists no architecture"),
        ("[9, 15625]", "'list.json', entry 2: "),
        ("[9, null]", "'list.json', entry 2: "),
    ],
)
def test_a_json_file_that_is_no_list_is_refused(nasbench, tmp_path, content, message) -> None:
    (tmp_path / "list.json").write_text(content)
    done = nasbench("run", "--space", "nasbench201", "-e", "params", "--architectures", "list.json", "-o", "r.h5")
    assert (done.returncode, message in done.stderr) == (2, True)
