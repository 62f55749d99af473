import tarfile

import pytest
from nasbench_toolkit.benchmarks_data.named_files import open_named_files
from nasbench_toolkit.core.errors import DataError

NAMES = ("one.txt", "two.txt")


def contents(path):
    with open_named_files(path, NAMES) as found:
        return {name: file.read(100) for name, file in found.items()}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "one.txt").write_text("1")
    (tmp_path / "below/two.txt").write_text("2")
    (tmp_path / "below/three.txt").write_text("3")
    (tmp_path / ".hidden/one.txt").write_text("hidden")
    return tmp_path


def test_files_in_a_folder_and_one_level_below(folder):
    assert contents(folder) == {"one.txt": b"1", "two.txt": b"2"}


def test_files_in_an_archive(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "all.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder / "below", "deep/er/below")
    assert contents(path) == {"two.txt": b"2"}


def test_one_of_the_files(folder):
    assert contents(folder / "below/two.txt") == {"two.txt": b"2"}


def test_something_else(folder):
    assert contents(folder / "below/three.txt") == {}


def test_the_same_name_twice(folder):
    (folder / "below/one.txt").write_text("1")
    with pytest.raises(DataError, match="has two files named one.txt"):
        contents(folder)


def test_the_same_name_twice_in_an_archive(folder, tmp_path):
    path = tmp_path / "all.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(folder / "one.txt", "a/one.txt")
        archive.add(folder / "one.txt", "b/one.txt")
    with pytest.raises(DataError, match="has two files named one.txt: 'a/one.txt' and 'b/one.txt'"):
        contents(path)


def test_archive_that_is_none(tmp_path):
    (tmp_path / "all.zip").write_text("nothing")
    with pytest.raises(DataError, match="all.zip"):
        contents(tmp_path / "all.zip")


def test_read_too_much(folder):
    with open_named_files(folder, NAMES) as found:
        assert found["one.txt"].read(1) == b"1"
        with pytest.raises(DataError, match="has 1 bytes, no official file has more than 0"):
            found["one.txt"].read(0)


def test_read_a_file_that_went_away(folder):
    with open_named_files(folder, NAMES) as found:
        (folder / "one.txt").unlink()
        with pytest.raises(DataError, match="Cannot read .*one.txt.*No such file"):
            found["one.txt"].read(100)
