import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nasbench_toolkit.core.data.unfinished import put_in_place, working_folder

# Works in a folder until it is ended.
WORKER = """
import sys, time
from pathlib import Path
from nasbench_toolkit.core.data.unfinished import working_folder
with working_folder(Path(sys.argv[1]), sys.argv[2]) as folder:
    (folder / "half").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def start_working(tmp_path):
    """Start a process that works in a folder; return it and the folder."""
    started = []

    def start(name: str) -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), name], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_folder_of_a_killed_import_goes_with_the_next_import_of_anything(start_working, tmp_path) -> None:
    process, folder = start_working("a")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.is_dir()
    with working_folder(tmp_path, "b") as other:
        assert list(tmp_path.iterdir()) == [other]
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_an_import_at_work_stays(start_working, tmp_path) -> None:
    process, folder = start_working("a")
    with working_folder(tmp_path, "a") as other:
        assert sorted(tmp_path.iterdir()) == sorted([folder, other])
        assert (folder / "half").read_text() == "x"
    assert process.poll() is None


def test_what_was_replaced_by_a_killed_import_is_put_back(tmp_path) -> None:
    grave = tmp_path / ".replaced.toy.abcdefgh"
    (grave / "toy").mkdir(parents=True)
    (grave / "toy" / "manifest.json").write_text("old")
    with working_folder(tmp_path, "other"):
        pass
    assert (tmp_path / "toy" / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_what_was_replaced_completely_is_deleted(tmp_path) -> None:
    grave = tmp_path / ".replaced.toy.abcdefgh"
    for folder, text in ((grave / "toy", "old"), (tmp_path / "toy", "new")):
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(text)
    with working_folder(tmp_path, "toy"):
        pass
    assert (tmp_path / "toy" / "manifest.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_other_hidden_things_and_links_are_left_alone(tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / ".downloads").mkdir()
    (home / ".importing.a.abcdefgh").symlink_to(elsewhere)
    (home / ".importing.b.abcdefgh").write_text("a file")
    with working_folder(home, "a"):
        pass
    assert len(list(home.iterdir())) == 3
    assert elsewhere.is_dir()


def test_put_in_place_replaces_what_was_there(tmp_path) -> None:
    for text in ("old", "new"):
        with working_folder(tmp_path, "toy") as folder:
            (folder / "file").write_text(text)
            put_in_place(folder, tmp_path / "toy")
    assert (tmp_path / "toy" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]
    assert (tmp_path / "toy").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_an_import_that_is_ended_leaves_nothing_to_the_next(number, tmp_path, data_directory) -> None:
    # Blocks while it is read: the import waits in the middle of its work.
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    (plugin / "slow_plugin-1.0.dist-info").mkdir()
    (plugin / "slow_plugin-1.0.dist-info" / "METADATA").write_text("Name: slow-plugin\nVersion: 1.0\n")
    (plugin / "slow_plugin-1.0.dist-info" / "entry_points.txt").write_text("[nasbench]\nslow = slow_plugin\n")
    (plugin / "slow_plugin.py").write_text(SLOW_PLUGIN)
    (tmp_path / "file").write_text("x")
    command = [sys.executable, "-m", "nasbench_toolkit", "data", "import", "slow", str(tmp_path / "file")]
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(plugin)}, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )  # fmt: skip
    while not list(data_directory.glob(".importing.slow.*/half")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    expected = {signal.SIGKILL: -9, signal.SIGINT: 130}.get(number, 128 + number)
    assert process.returncode == expected
    assert bool(list(data_directory.iterdir())) is (number == signal.SIGKILL)
    with working_folder(data_directory, "toy"):
        pass
    assert list(data_directory.iterdir()) == []


SLOW_PLUGIN = """
import time
from nasbench_toolkit import DataSource, DataSourceInfo, ImportSummary, hookimpl

class Slow(DataSource):
    def import_from(self, path, folder, progress):
        (folder / "half").write_text("x")
        time.sleep(60)
        return ImportSummary(1, "things")

    def verify(self, folder, progress):
        return ImportSummary(1, "things")

@hookimpl
def nasbench_data_sources():
    return [
        DataSourceInfo(
            name="slow", content="table", summary="Never ends.", source="here", factory=Slow, homepage="nowhere",
            licence="none", accepts="A file.",
        )
    ]
"""
