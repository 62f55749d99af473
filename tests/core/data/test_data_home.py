import json
from pathlib import Path

import pytest
from nasbench_toolkit.core.data.data_home import (
    data_home,
    import_data,
    read_manifest,
    remove_data,
    stored_folder,
    verify_data,
)
from nasbench_toolkit.core.errors import DataError, DataHomeError, UnsupportedImportError


@pytest.fixture
def numbers(toy_plugins):
    return toy_plugins.data_source("toy-numbers").info.create()


@pytest.fixture
def bring(numbers, tmp_path):
    """Import a text."""

    def bring(text: str):
        path = tmp_path / "numbers.txt"
        path.write_text(text)
        return import_data(numbers, path, lambda _done, _total: None)

    return bring


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_data_home_is_where_the_variable_says(monkeypatch, data_directory) -> None:
    assert data_home() == data_directory
    monkeypatch.setenv("NASBENCH_DATA", "~/there")
    assert data_home() == Path.home() / "there"
    monkeypatch.delenv("NASBENCH_DATA")
    assert data_home().name == "nasbench"


def test_import_data_stores_files_and_manifest_only(bring, data_directory) -> None:
    manifest = bring("1\n2\n3\n")
    assert read_manifest("toy-numbers") == manifest
    assert (manifest.items, manifest.unit, manifest.imported_from) == (3, "numbers", "numbers.txt")
    assert manifest.notes == ("There are no letters.",)
    assert sorted(contents(data_directory)) == ["toy-numbers/manifest.json", "toy-numbers/numbers.txt"]
    assert stored_folder("toy-numbers") == data_directory / "toy-numbers"


def test_import_data_refused_file_leaves_the_directory_as_it_was(bring, data_directory) -> None:
    bring("1\n2\n")
    before = contents(data_directory)
    with pytest.raises(DataError, match=r"line 2: 'x' is no number"):
        bring("1\nx\n")
    assert contents(data_directory) == before


def test_import_data_refused_first_file_leaves_nothing(bring, data_directory) -> None:
    with pytest.raises(DataError, match="is no number"):
        bring("x\n")
    assert contents(data_directory) == {}
    assert stored_folder("toy-numbers") is None


def test_import_data_replaces_an_earlier_import(bring, data_directory, numbers) -> None:
    bring("1\n2\n")
    bring("5\n")
    assert verify_data(numbers, lambda done, total: None).items == 1
    assert sorted(path.name for path in data_directory.iterdir()) == ["toy-numbers"]


def test_import_data_skip_wrong_needs_a_source_of_records(numbers, tmp_path, data_directory) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("1")
    with pytest.raises(UnsupportedImportError, match="Files of 'toy-numbers' are imported as a whole or not at all"):
        import_data(numbers, path, lambda _done, _total: None, skip_wrong=True)
    assert contents(data_directory) == {}


def test_import_data_missing_file_says_what_is_taken(numbers, tmp_path) -> None:
    with pytest.raises(DataError, match=r"There is no file or folder '.*nothing'. A text with one number a line."):
        import_data(numbers, tmp_path / "nothing", lambda _done, _total: None)


def test_import_data_unusable_directory_names_the_variable(monkeypatch, bring, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(DataHomeError, match="Name another one in the environment variable NASBENCH_DATA"):
        bring("1\n")


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_verify_data_notices_damage(bring, numbers, data_directory, damage: str) -> None:
    bring("1\n2\n")
    path = data_directory / "toy-numbers" / "numbers.txt"
    if damage == "changed":
        path.write_text("1\n3\n")
    else:
        path.unlink()
    with pytest.raises(DataError, match=r"numbers.txt' (was changed|is missing) since it was imported"):
        verify_data(numbers, lambda done, total: None)


def test_verify_data_without_import_says_how(numbers) -> None:
    with pytest.raises(DataError, match="nasbench data list toy-numbers"):
        verify_data(numbers, lambda done, total: None)


MANIFEST_DAMAGE = {
    "no json": "{",
    "other format": json.dumps({"format": "x", "format_version": 1, "name": "toy-numbers"}),
    "a list": "[]",
    "deep": "[" * 100_000,
    "climbing file name": json.dumps(
        {
            "format": "nasbench-data", "format_version": 1, "name": "toy-numbers", "imported_from": "x",
            "imported_at": "x", "items": 1, "unit": "x", "notes": [],
            "files": [{"name": "../../secret", "size_bytes": 1, "sha256": "x"}],
        }
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", MANIFEST_DAMAGE.values(), ids=MANIFEST_DAMAGE)
def test_read_manifest_damaged_is_refused(bring, data_directory, text: str) -> None:
    bring("1\n")
    (data_directory / "toy-numbers" / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="damaged or of a newer version"):
        read_manifest("toy-numbers")


def test_remove_data_deletes_the_import(bring, data_directory) -> None:
    bring("1\n2\n")
    assert remove_data("toy-numbers") > 4
    assert contents(data_directory) == {}
    with pytest.raises(DataError, match="was not imported"):
        remove_data("toy-numbers")
