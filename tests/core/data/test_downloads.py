import hashlib
import http.server
import threading
from dataclasses import dataclass, field
from functools import partial

import pytest
from nasbench_toolkit import DataSourceInfo, OfficialFile
from nasbench_toolkit.core.data.downloads import choose_file, download_file, downloads_folder
from nasbench_toolkit.core.errors import DownloadError, UnknownNameError, UsageError

CONTENT = bytes(range(256)) * 20_000
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@dataclass
class Behaviour:
    """How the server behaves, and what it was asked."""

    content: bytes = CONTENT
    stop_after: int | None = None
    knows_ranges: bool = True
    status: int = 200
    starts: list[int] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, behaviour: Behaviour, *args) -> None:
        self.behaviour = behaviour
        super().__init__(*args)

    def do_GET(self) -> None:
        behaviour = self.behaviour
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and behaviour.knows_ranges else 0
        behaviour.starts.append(start)
        if behaviour.status != 200:
            self.send_error(behaviour.status)
            return
        self.send_response(206 if start else 200)
        body = behaviour.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: behaviour.stop_after])

    def log_message(self, *_args) -> None:
        pass


@pytest.fixture
def server():
    behaviour = Behaviour()
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, behaviour))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield behaviour, f"http://127.0.0.1:{httpd.server_port}/data.bin"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def download(url: str, checksum: str | None = CHECKSUM):
    reports: list[tuple[int, int]] = []
    path = download_file(OfficialFile("data.bin", url, None, checksum), lambda *report: reports.append(report))
    return path, reports


def test_download_file_checks_and_reports_bytes(server) -> None:
    _, url = server
    path, reports = download(url)
    assert path.read_bytes() == CONTENT
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    assert [file.name for file in downloads_folder().iterdir()] == ["data.bin"]


def test_download_file_continues_where_it_stopped(server) -> None:
    behaviour, url = server
    behaviour.stop_after = 3_000_000
    with pytest.raises(DownloadError, match="run the same command again to continue"):
        download(url)
    behaviour.stop_after = None
    path, _ = download(url)
    assert path.read_bytes() == CONTENT
    assert behaviour.starts[0] == 0
    assert behaviour.starts[1] > 1_000_000


def test_download_file_starts_again_where_the_server_cannot_continue(server) -> None:
    behaviour, url = server
    behaviour.stop_after = 3_000_000
    with pytest.raises(DownloadError, match="What has arrived is kept"):
        download(url)
    behaviour.stop_after, behaviour.knows_ranges = None, False
    path, _ = download(url)
    assert path.read_bytes() == CONTENT


def test_download_file_wrong_checksum_is_thrown_away(server) -> None:
    behaviour, url = server
    behaviour.content = CONTENT[:-1] + b"x"
    with pytest.raises(DownloadError, match="is not the official file"):
        download(url)
    assert list(downloads_folder().iterdir()) == []
    behaviour.content = CONTENT
    assert download(url)[0].read_bytes() == CONTENT


def test_download_file_server_error_is_named(server) -> None:
    behaviour, url = server
    behaviour.status = 404
    with pytest.raises(DownloadError, match="404"):
        download(url)


LINKED = OfficialFile("a.bin", "https://example.org/a.bin", None, None)
UNLINKED = OfficialFile("b.bin", None, None, None)


def info(*files: OfficialFile) -> DataSourceInfo:
    return DataSourceInfo(
        name="things", summary="Things.", source="the tests", factory="nowhere:Nothing", files=files,
        homepage="https://example.org", accepts="The file b.bin.",
    )  # fmt: skip


def test_choose_file_takes_the_first_with_a_link() -> None:
    assert choose_file(info(UNLINKED, LINKED), None) == LINKED


@pytest.mark.parametrize(("files", "name"), [((UNLINKED,), None), ((LINKED, UNLINKED), "b.bin"), ((), None)])
def test_choose_file_without_a_link_says_how_to_get_it(files, name) -> None:
    with pytest.raises(UsageError, match=r"by hand from https://example.org, then run 'nasbench data import things"):
        choose_file(info(*files), name)


def test_choose_file_unknown_name_lists_files() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'a.bin'"):
        choose_file(info(LINKED), "a.bim")
