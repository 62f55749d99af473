"""Downloads official files: resumed where they stopped, checked against their checksum."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..descriptions import DataSourceInfo, OfficialFile
from ..errors import DownloadError, UnknownNameError, UsageError
from ..interfaces import Progress
from .data_home import data_home

CHUNK_BYTES = 1 << 20
CONNECT_SECONDS, READ_SECONDS = 15, 60


def choose_file(info: DataSourceInfo, name: str | None) -> OfficialFile:
    """Return the official file to download: the named one, or the first that has a direct link.

    Raises:
        UsageError: There is no such file, or it has no direct link.
    """
    linked = {file.name: file for file in info.files if file.url}
    if name is None and linked:
        return next(iter(linked.values()))
    if not linked or name in {file.name for file in info.files if not file.url}:
        raise UsageError(
            f"There is no direct link to {name or f'a file of {info.name!r}'}: get it by hand from {info.homepage}, "
            f"then run 'nasbench data import {info.name} PATH'. {info.accepts}"
        )
    if name not in linked:
        raise UnknownNameError("file", str(name), linked, f"Run 'nasbench data list {info.name}' to see the files.")
    return linked[name]


def download_file(file: OfficialFile, progress: Progress) -> Path:
    """Download an official file into the data directory, or take it from there if it is there already.

    An interrupted download is continued at the next call, if the server can do that.

    Raises:
        DownloadError: The file cannot be had or is not what its checksum says.
    """
    import pooch
    import requests

    folder = downloads_folder()
    if file.url is None:
        raise ValueError(f"'{file.name}' has no direct link")
    pooch.get_logger().setLevel("ERROR")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = pooch.retrieve(
            file.url, known_hash=file.checksum, fname=file.name, path=folder,
            downloader=_ResumingDownloader(folder / f"{file.name}.part", progress),
        )  # fmt: skip
    except requests.RequestException as error:
        raise DownloadError(
            f"Cannot download {file.url}: {error}. What has arrived is kept; run the same command again to continue, "
            "or download the file by hand and use 'nasbench data import'."
        ) from error
    except ValueError as error:
        raise DownloadError(
            f"What {file.url} sent is not the official file: {error}. It was thrown away; run the same command again."
        ) from error
    except OSError as error:
        raise DownloadError(f"Cannot write to '{folder}': {error}.") from error
    return Path(path)


def downloads_folder() -> Path:
    """Return where downloads are kept until they are imported."""
    return data_home() / ".downloads"


@dataclass
class _ResumingDownloader:
    """What pooch calls to fetch a file; pooch checks the checksum and puts the file in place.

    Attributes:
        part: Keeps what has arrived, from one call to the next.
        progress: Told the bytes that are there.
    """

    part: Path
    progress: Progress

    def __call__(self, url: str, output_file: Any, _pooch: object) -> None:
        import requests

        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                # The part is as long as the file, or longer: its checksum will tell.
                shutil.move(self.part, output_file)
                return
            response.raise_for_status()
            resumes = response.status_code == requests.codes.partial_content
            have = have if resumes else 0
            total = have + int(response.headers.get("Content-Length", 0))
            with self.part.open("ab" if resumes else "wb") as target:
                for chunk in response.iter_content(CHUNK_BYTES):
                    target.write(chunk)
                    have += len(chunk)
                    self.progress(have, max(have, total))
        if have < total:
            raise requests.ConnectionError(f"the connection ended after {have:,} of {total:,} bytes")
        shutil.move(self.part, output_file)
