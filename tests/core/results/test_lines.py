import os

import pytest
from nasbench_toolkit.core.errors import ResultsFileError, ResultsWriteError
from nasbench_toolkit.core.results import lines
from nasbench_toolkit.core.results.lines import LockedLines, decode_lines, encode_line, read_content


@pytest.fixture
def opened(tmp_path):
    made = LockedLines(tmp_path / "lines", "output")
    yield made
    made.close(remove=False)


class Disk:
    """A disk whose syncs take a given time and are counted."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.syncs, self.seconds = 1000.0, 0, seconds
        monkeypatch.setattr(lines, "_sync", self.sync)
        monkeypatch.setattr(lines.time, "monotonic", lambda: self.now)

    def sync(self, descriptor):
        assert os.fstat(descriptor).st_size > 0
        self.syncs += 1
        self.now += self.seconds


def test_the_first_line_is_synced(opened, monkeypatch) -> None:
    disk = Disk(monkeypatch, 0.01)
    opened.append_line({"a": 1})
    assert disk.syncs == 1


@pytest.mark.parametrize("seconds", [0.001, 0.01, 1.0])
def test_a_fiftieth_of_the_time_is_spent_on_syncs(opened, monkeypatch, seconds) -> None:
    disk = Disk(monkeypatch, seconds)
    start = disk.now
    for _ in range(10_000):
        opened.append_line({})
        disk.now += 0.01
    assert disk.syncs * seconds / (disk.now - start) <= 0.021
    assert disk.syncs >= 0.01 * (disk.now - start) / seconds


def test_lines_are_in_the_file_whether_they_are_synced_or_not(opened, monkeypatch) -> None:
    Disk(monkeypatch, 1.0)
    for number in range(3):
        opened.append_line({"number": number})
    assert decode_lines(opened.path, opened.path.read_bytes()) == [{"number": number} for number in range(3)]


def test_a_sync_that_fails_takes_back_its_line(opened, monkeypatch) -> None:
    opened.append_line({"number": 0})

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lines, "_sync", fail)
    monkeypatch.setattr(opened, "_next_sync", 0.0)
    with pytest.raises(ResultsWriteError, match=r"Cannot write '.*lines': No space left on device.*--resume"):
        opened.append_line({"number": 1})
    assert decode_lines(opened.path, opened.path.read_bytes()) == [{"number": 0}]


@pytest.mark.parametrize("kind", ["symbolic link", "pipe", "directory"])
def test_lines_are_neither_written_to_nor_read_from_anything_but_a_file(tmp_path, kind) -> None:
    path = tmp_path / "lines"
    if kind == "symbolic link":
        (tmp_path / "target").write_bytes(b"mine")
        path.symlink_to("target")
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "directory":
        path.mkdir()
    for use in (lambda: LockedLines(path, "output"), lambda: read_content(path)):
        with pytest.raises(ResultsFileError, match=f"lines.*(is a {kind}|Is a directory)"):
            use()
    assert kind != "symbolic link" or (tmp_path / "target").read_bytes() == b"mine"


def test_a_file_that_another_process_holds_is_said_to_be_held(opened) -> None:
    with pytest.raises(ResultsFileError, match="Another run is writing 'output' now. Wait for it"):
        LockedLines(opened.path, "output")


def test_a_file_too_large_for_lines_is_refused_before_it_is_read(tmp_path) -> None:
    path = tmp_path / "lines"
    with path.open("wb") as file:
        file.truncate(lines.MAX_BYTES + 1)
    with pytest.raises(ResultsFileError, match="has 536,870,913 bytes, which none that nasbench writes has"):
        read_content(path)


def test_lines_carry_their_checksum(tmp_path) -> None:
    line = encode_line({"a": "ü"})
    assert decode_lines(tmp_path, line) == [{"a": "ü"}]
    for place in range(len(line) - 1):
        damaged = bytearray(line)
        damaged[place] ^= 1
        with pytest.raises(ResultsFileError, match="is damaged at line 1"):
            decode_lines(tmp_path, bytes(damaged))
