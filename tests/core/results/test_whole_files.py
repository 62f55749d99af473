import os
import socket
import stat

import pytest
from nasbench_toolkit.core.errors import ResultsFileError, ResultsWriteError
from nasbench_toolkit.core.results import whole_files
from nasbench_toolkit.core.results.whole_files import check_target, target_of, write_whole


@pytest.fixture
def make_special(tmp_path, monkeypatch):
    """Make something that is no file, and return its path; the device is a copy of /dev/null."""
    monkeypatch.chdir(tmp_path)  # names of sockets are short

    def make(kind):
        path = tmp_path / "special"
        if kind == "a pipe":
            os.mkfifo(path)
        if kind == "a socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("special")
        if kind == "a device":
            try:
                os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            except PermissionError:
                pytest.skip("only root can make a device file")
        return path

    return make


@pytest.mark.parametrize("through_link", [False, True])
@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a device"])
@pytest.mark.parametrize("use", [check_target, target_of, lambda path: write_whole(path, b"x")])
def test_what_is_no_file_is_refused_and_stays(make_special, tmp_path, use, kind, through_link) -> None:
    special = path = make_special(kind)
    if through_link:
        path = tmp_path / "link"
        path.symlink_to(special.name)
    mode = special.lstat().st_mode
    with pytest.raises(ResultsFileError, match=rf"'{path}' is {kind}, which a file would take the place of"):
        use(path)
    assert special.lstat().st_mode == mode
    assert sorted(tmp_path.iterdir()) == sorted({special, path})


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_a_symbolic_link_stays_and_its_target_is_written(tmp_path, exists, steps) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    if exists:
        target.write_text("old")
    before = target
    for step in range(steps):
        path = tmp_path / f"link-{step}"
        path.symlink_to(os.path.relpath(before, tmp_path))
        before = path
    check_target(path)
    write_whole(path, b"new")
    assert target.read_text() == path.read_text() == "new"
    assert path.is_symlink()
    assert [left.name for left in target.parent.iterdir()] == ["target"]


def test_a_link_that_leads_back_to_itself_is_refused(tmp_path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ResultsFileError, match="a symbolic link that leads back to itself|cannot be written"):
        write_whole(tmp_path / "a", b"x")
    assert (tmp_path / "a").is_symlink()


def test_a_link_into_a_directory_that_is_not_there_is_refused(tmp_path) -> None:
    path = tmp_path / "link"
    path.symlink_to("absent/target")
    with pytest.raises(ResultsFileError, match=rf"The directory '{tmp_path}/absent' does not exist"):
        check_target(path)
    with pytest.raises(ResultsWriteError, match="Cannot write .*No such file or directory"):
        write_whole(path, b"x")


def test_content_is_on_disk_before_its_name_and_the_name_before_the_end(tmp_path, monkeypatch) -> None:
    path, steps = tmp_path / "file", []

    def fsync(descriptor):
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        steps.append(("directory" if is_directory else "content", path.exists()))

    monkeypatch.setattr(whole_files.os, "fsync", fsync)
    write_whole(path, b"x")
    assert steps == [("content", False), ("directory", True)]


def test_a_disk_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fsync(descriptor):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(whole_files.os, "fsync", fsync)
    with pytest.raises(
        ResultsWriteError, match=r"Cannot write '.*file': Input/output error\. What was computed is kept"
    ):
        write_whole(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_of_the_same_number_left_is_no_hindrance(tmp_path) -> None:
    left = tmp_path / f".file.{os.getpid()}.tmp"
    left.write_text("half")
    write_whole(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
