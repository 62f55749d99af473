import hashlib
import http.server
import json
import re
import threading
from functools import partial

import pytest


@pytest.fixture
def numbers(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("1\n2\n3\n")
    return path


def test_data_list_says_what_where_and_how(nasbench) -> None:
    done = nasbench("data", "list")
    assert done.returncode == 0
    block = done.stdout[done.stdout.index("toy-numbers") :].split("\n\n")[0]
    assert "toy-numbers (table): Numbers." in block
    assert "here:     no" in block
    assert "licence:  CC0" in block
    assert "official: numbers.txt (6 bytes), letters.txt" in block
    assert "from:     https://example.org" in block
    assert "get it:   nasbench data import toy-numbers PATH" in block
    assert "mnist (images)" in done.stdout
    assert "nasbench201-tiny (table)" in done.stdout


def test_data_list_for_machines(nasbench) -> None:
    rows = {row["name"]: row for row in json.loads(nasbench("data", "list", "-f", "json").stdout)}
    assert rows["toy-numbers"]["here"] == "no"
    assert nasbench("data", "list", "-f", "csv").stdout.startswith(
        "name,content,what,here,licence,official,from,get it\n"
    )


def test_data_import_makes_it_available_and_says_so(nasbench, numbers, data_directory) -> None:
    done = nasbench("data", "import", "toy-numbers", numbers)
    assert done.returncode == 0
    assert done.stdout == f"Imported 3 numbers of 'toy-numbers' into '{data_directory}/toy-numbers' (6 bytes).\n"
    assert done.stderr == "Note: There are no letters.\n"
    assert "yes, 3 numbers, 6 bytes" in nasbench("data", "list").stdout
    explained = nasbench("data", "list", "toy-numbers").stdout
    assert re.search(r"imported: +numbers.txt, 20\d\d-", explained)
    assert "There are no letters." in explained
    assert nasbench("data", "path", "toy-numbers").stdout == f"{data_directory}/toy-numbers\n"


def test_data_import_bad_file_exits_2_with_one_line(nasbench, numbers, data_directory) -> None:
    numbers.write_text("1\nx\n")
    done = nasbench("data", "import", "toy-numbers", numbers)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: '{numbers}', line 2: 'x' is no number.\n"
    assert list(data_directory.iterdir()) == []


def test_data_unknown_name_suggests_the_closest(nasbench, numbers) -> None:
    done = nasbench("data", "import", "toy-number", numbers)
    assert done.returncode == 2
    assert "Unknown data source 'toy-number'. Did you mean 'toy-numbers'?" in done.stderr
    assert "nasbench data list" in done.stderr


def test_data_path_is_the_data_directory(nasbench, data_directory) -> None:
    assert nasbench("data", "path").stdout == f"{data_directory}\n"
    done = nasbench("data", "path", "toy-numbers")
    assert done.returncode == 2
    assert "'toy-numbers' was not imported." in done.stderr


def test_data_verify_intact_and_damaged(nasbench, numbers, data_directory) -> None:
    assert "Nothing was imported yet" in nasbench("data", "verify").stderr
    nasbench("data", "import", "toy-numbers", numbers)
    done = nasbench("data", "verify")
    assert done.returncode == 0
    assert "intact" in done.stdout
    (data_directory / "toy-numbers" / "numbers.txt").write_text("4\n")
    done = nasbench("data", "verify", "-f", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["outcome"] == "DAMAGED"


def test_data_remove_frees_the_space(nasbench, numbers, data_directory) -> None:
    nasbench("data", "import", "toy-numbers", numbers)
    done = nasbench("data", "remove", "toy-numbers")
    assert done.stdout.startswith("Removed 'toy-numbers' (")
    assert list(data_directory.iterdir()) == []
    assert nasbench("data", "remove", "toy-numbers").returncode == 2


def test_data_download_without_a_link_says_how(nasbench) -> None:
    done = nasbench("data", "download", "toy-numbers")
    assert done.returncode == 2
    assert "get it by hand from https://example.org" in done.stderr


def test_data_download_checks_imports_and_clears_up(nasbench, tmp_path, data_directory) -> None:
    published, content = tmp_path / "published", b"1\n2\n"
    published.mkdir()
    (published / "numbers.txt").write_bytes(content)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=published)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        environment = {
            "TOY_NUMBERS_URL": f"http://127.0.0.1:{server.server_port}/numbers.txt",
            "TOY_NUMBERS_CHECKSUM": f"sha256:{hashlib.sha256(content).hexdigest()}",
        }
        done = nasbench("data", "download", "toy-numbers", env=environment)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert "Imported 2 numbers" in done.stdout
    assert "Downloading http://127.0.0.1" in done.stderr
    assert [path.name for path in (data_directory / ".downloads").iterdir()] == []


def test_run_says_which_data_are_missing_and_uses_them_once_there(nasbench, numbers) -> None:
    command = ("run", "--space", "toy-imported", "-e", "toy-random", "-n", "3", "-o", "r.h5", "--overwrite")
    done = nasbench(*command)
    assert done.returncode == 0, done.stderr
    assert "the dataset 'imported-noise' is not here, so evaluators see 'noise'" in done.stderr
    assert "the table of 'toy-numbers' is not here, so there is no ground truth" in done.stderr
    assert "compared with: nothing" in done.stderr
    nasbench("data", "import", "toy-numbers", numbers)
    done = nasbench(*command, "--metric", "test_cross_entropy")
    assert "Note:" not in done.stderr
    assert "data: imported-noise, compared with: noise/test_cross_entropy@5" in done.stderr
    assert "compared with noise/test_cross_entropy@5" in done.stdout


def test_run_metric_of_a_table_that_is_missing_says_how_to_get_it(nasbench) -> None:
    done = nasbench("run", "--space", "toy-imported", "-e", "toy-width", "-n", "3", "--metric", "test_accuracy")
    assert done.returncode == 2
    assert "the table of 'toy-imported' is not at hand. Run 'nasbench data list toy-numbers'" in done.stderr


def test_run_dataset_that_is_missing_says_how_to_get_it(nasbench) -> None:
    done = nasbench("run", "--space", "toy-imported", "-e", "toy-width", "-n", "3", "--dataset", "imported-noise")
    assert done.returncode == 2
    assert "The dataset 'imported-noise' is not at hand. Run 'nasbench data list toy-numbers'" in done.stderr


def test_what_is_installed_is_called_what_it_is(run_nasbench) -> None:
    import json

    rows = json.loads(run_nasbench("data", "list", "-f", "json").stdout)
    content = {row["name"]: row["content"] for row in rows}
    assert content["mnist"] == "images"
    assert content["alice"] == "text"
    assert content["nasbench201-tiny"] == "table"
