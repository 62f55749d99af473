import os
import socket

import pytest
from nasbench_toolkit.core.errors import DataError, UsageError
from nasbench_toolkit.core.input_files import check_input, other_delimiter, problem_of, read_text


def make_special(path, kind):
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as server, pytest.MonkeyPatch.context() as patch:
                patch.chdir(path.parent)
                server.bind(path.name)
        case "device":
            try:
                os.mknod(path, 0o666 | 0o020000, os.makedev(1, 3))
            except PermissionError:
                pytest.skip("only root can make a device file")
        case "symbolic link that leads back to itself":
            path.symlink_to(path)
    return path


SPECIAL = ("pipe", "socket", "device", "symbolic link that leads back to itself")


@pytest.mark.parametrize("kind", SPECIAL)
def test_special_files_are_refused_without_being_opened(tmp_path, kind) -> None:
    path = make_special(tmp_path / "special", kind)
    with pytest.raises(DataError, match=f"'.*special' is a {kind}.* Name a table."):
        check_input(path, "Name a table.", folder=True, error=DataError)


def test_a_link_to_a_pipe_is_refused_like_the_pipe(tmp_path) -> None:
    make_special(tmp_path / "pipe", "pipe")
    (tmp_path / "link").symlink_to("pipe")
    assert "is a pipe" in str(problem_of(tmp_path / "link"))


def test_names_that_cannot_be_are_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="has a name that is too long for this file system. Name a table."):
        check_input(tmp_path / ("a" * 300), "Name a table.")
    assert problem_of(tmp_path / "a\0b") == "has a name that no file can have"


def test_regular_files_and_links_to_them_pass(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        check_input(tmp_path / name, "")
    check_input(tmp_path, "", folder=True)
    with pytest.raises(UsageError, match="is a directory. Name a table."):
        check_input(tmp_path, "Name a table.")
    with pytest.raises(UsageError, match="There is no file '.*other'. Name a table."):
        check_input(tmp_path / "other", "Name a table.")


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path) -> None:
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfa\r\n")
    assert read_text(tmp_path / "text") == "a\r\n"


@pytest.mark.parametrize("line", ["architecture,score", "architecture", "", "a;b,architecture", 'x,"architecture;y"'])
def test_commas_and_tables_of_something_else_are_no_other_delimiter(line) -> None:
    assert other_delimiter(line, "architecture") is None


def test_other_delimiters_are_named_with_the_remedy() -> None:
    assert "separated by semicolons (';')" in str(other_delimiter("architecture;x", "architecture"))
    assert "separated by tabs ('\\t')" in str(other_delimiter('"x"\t"architecture"', "architecture"))
    assert "pandas.read_csv(FILE, sep='|')" in str(other_delimiter("x | architecture", "architecture"))
