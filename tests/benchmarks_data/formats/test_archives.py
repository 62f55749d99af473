import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from nasbench_toolkit.benchmarks_data.formats.archives import climbs_out, is_archive, open_archive
from nasbench_toolkit.core.errors import DataError

MEMBERS = {"folder/large": b"1" * 3_000_000, "small": b"22"}


def write_tar(path: Path, members, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for member, data in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write_zip(path: Path, members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members:
            archive.writestr(member, data)
    return path


def special_member(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("special")
    info.type = kind
    info.linkname = "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")],
)
def test_tar_members_read_in_any_order(tmp_path, name, mode) -> None:
    path = write_tar(tmp_path / name, MEMBERS.items(), mode)
    assert is_archive(path)
    with open_archive(path) as archive:
        assert dict(archive.sizes) == {"folder/large": 3_000_000, "small": 2}
        assert {member: archive.read(member) for member in reversed(list(archive.sizes))} == MEMBERS


def test_zip_members_read_in_any_order(tmp_path) -> None:
    with open_archive(write_zip(tmp_path / "a.zip", [("folder/", b""), *MEMBERS.items()])) as archive:
        assert dict(archive.sizes) == {"folder/large": 3_000_000, "small": 2}
        assert {member: archive.read(member) for member in reversed(list(archive.sizes))} == MEMBERS
        assert archive.find("large") == "folder/large"
        assert archive.find("medium") is None


def test_archive_missing_member_is_named(tmp_path) -> None:
    with (
        open_archive(write_zip(tmp_path / "a.zip", MEMBERS.items())) as archive,
        pytest.raises(DataError, match=r"'a.zip' has no member 'absent'"),
    ):
        archive.open("absent")


@pytest.mark.parametrize(
    "name", ["../up", "/etc/passwd", "a/../../b", "..\\up", "C:\\windows", "C:up", "\\\\host\\share\\x", "a\0b", ""]
)
def test_climbing_path_is_recognised(name) -> None:
    assert climbs_out(name)


@pytest.mark.parametrize("name", ["a", "a/b..c", "..a/b", "a.b/c"])
def test_ordinary_path_is_accepted(name) -> None:
    assert not climbs_out(name)


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b"])
@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_path_that_climbs_out_is_refused(tmp_path, write, name) -> None:
    path = write(tmp_path / "archive", [("first", b"1"), (name, b"1")])
    with pytest.raises(DataError, match=f"member '{name}' has a path that leads out"), open_archive(path):
        pass


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_tar_link_or_device_is_refused(tmp_path, kind) -> None:
    path = write_tar(tmp_path / "a.tar", [(special_member(kind), b"")])
    with pytest.raises(DataError, match="member 'special' is a link, a device"), open_archive(path):
        pass


def test_zip_link_is_refused(tmp_path) -> None:
    info = zipfile.ZipInfo("special")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = write_zip(tmp_path / "a.zip", [(info, b"/etc/passwd")])
    with pytest.raises(DataError, match="member 'special' is a link, a device"), open_archive(path):
        pass


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_member_listed_twice_is_refused(tmp_path, write) -> None:
    path = write(tmp_path / "archive", [("same", b"1"), ("same", b"2")])
    with pytest.raises(DataError, match="member 'same' is there twice"), open_archive(path):
        pass


@pytest.mark.parametrize("write", [write_tar, write_zip])
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_member_bytes": 2_999_999}, "'folder/large' would unpack to 3,000,000 bytes; at most 2,999,999"),
        ({"max_total_bytes": 3_000_001}, "'small' and those before it would unpack to more than 3,000,001"),
    ],
)
def test_bomb_is_refused_by_its_declared_size(tmp_path, write, limits, message) -> None:
    path = write(tmp_path / "archive", MEMBERS.items())
    with pytest.raises(DataError, match=message), open_archive(path, **limits):
        pass


def test_zip_member_gives_no_more_bytes_than_it_declares(tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", [("bomb", b"0" * 1_000_000)])
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    for place in (14, central + 16):  # checksum, packed size and size in the local and the central header
        data[place : place + 4] = zlib.crc32(b"0" * 10).to_bytes(4, "little")
        data[place + 8 : place + 12] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with open_archive(path, max_member_bytes=100) as archive:
        assert archive.read("bomb") == b"0" * 10


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_tar_header_that_asks_for_much_memory_is_refused(tmp_path, kind) -> None:
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 4 << 30
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(4096))
    with pytest.raises(DataError, match="header of 4,294,967,296 bytes"), open_archive(tmp_path / "a.tar"):
        pass


@pytest.mark.parametrize(("name", "mode"), [("a.tar.gz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")])
def test_truncated_tar_is_refused(tmp_path, name, mode) -> None:
    path = write_tar(tmp_path / name, MEMBERS.items(), mode)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=f"Cannot read '{name}'"), open_archive(path) as archive:
        archive.read("small")


def test_damaged_zip_member_is_named(tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", [("text", bytes(range(256)))])
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with open_archive(path) as archive, pytest.raises(DataError, match="Cannot read 'a.zip', member 'text'"):
        archive.read("text")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06"])
def test_other_file_is_refused(tmp_path, content) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"\.zip and \.tar.*are read"), open_archive(tmp_path / "a.zip"):
        pass


def test_zip_member_without_a_name_is_refused(tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", [("?", b"1")])
    path.write_bytes(path.read_bytes().replace(b"?", b"\0"))
    with pytest.raises(DataError, match="member '' has a path that leads out"), open_archive(path):
        pass


def test_missing_archive_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="Cannot read 'absent.zip'"), open_archive(tmp_path / "absent.zip"):
        pass


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.xz", "a.zip"])
def test_member_that_no_archive_of_this_size_has_is_refused(tmp_path, monkeypatch, name) -> None:
    monkeypatch.setattr("nasbench_toolkit.benchmarks_data.formats.archive_streams.FLOOR_BYTES", 500_000)
    write = write_zip if name.endswith("zip") else partial(write_tar, mode=f"w:{name[-2:]}")
    path = write(tmp_path / name, [("bomb", bytes(3_000_000))])
    with (
        pytest.raises(DataError, match=r"would unpack to 3,000,000 bytes; at most 500,000 are accepted"),
        open_archive(path),
    ):
        pass


@pytest.mark.parametrize("write", [write_tar, write_zip])
@pytest.mark.parametrize("name", ["{}", "{}/"])
def test_too_many_members_are_refused(tmp_path, monkeypatch, write, name) -> None:
    monkeypatch.setattr("nasbench_toolkit.benchmarks_data.formats.archives.MAX_MEMBERS", 100)
    monkeypatch.setattr("nasbench_toolkit.benchmarks_data.formats.archive_streams.MAX_MEMBERS", 100)
    members = [(folder(name.format(number)), b"") for number in range(101)]
    with pytest.raises(DataError, match="more than (the )?100"), open_archive(write_members(write, tmp_path, members)):
        pass


def folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
    return info


def write_members(write, tmp_path, members) -> Path:
    if write is write_zip:
        members = [(f"{info.name}/" if info.isdir() else info.name, data) for info, data in members]
    return write(tmp_path / "a", members)


def test_list_of_members_of_many_bytes_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("nasbench_toolkit.benchmarks_data.formats.archive_streams.MAX_DIRECTORY_BYTES", 1 << 20)
    path = write_zip(tmp_path / "a.zip", [(f"{number}" + "n" * 60_000, b"") for number in range(20)])
    with pytest.raises(DataError, match=r"'a\.zip' has a list of members of 1,20\d,\d\d\d bytes"), open_archive(path):
        pass


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_method_that_is_unpacked_at_once_is_refused(tmp_path, method) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("text", b"1")
    with (
        pytest.raises(DataError, match=f"'text' is packed by method {method}; only 'store' and 'deflate' are read"),
        open_archive(tmp_path / "a.zip"),
    ):
        pass


def test_attributes_for_all_members_are_few(tmp_path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", pax_headers={f"a{n}": "" for n in range(101)}) as archive:
        archive.addfile(tarfile.TarInfo("x"))
    with (
        pytest.raises(DataError, match="'a.tar' has 101 attributes for all of its members"),
        open_archive(tmp_path / "a.tar"),
    ):
        pass


def test_attributes_for_all_members_as_git_writes_them_are_read(tmp_path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", pax_headers={"comment": "0" * 40}) as archive:
        archive.addfile(tarfile.TarInfo("x"))
    with open_archive(tmp_path / "a.tar") as archive:
        assert dict(archive.sizes) == {"x": 0}


def test_headers_of_one_member_are_bounded_together(tmp_path) -> None:
    longname = tarfile.TarInfo("x")
    longname.type, longname.size = tarfile.GNUTYPE_LONGNAME, 512
    (tmp_path / "a.tar").write_bytes((longname.tobuf() + b"n" * 511 + b"\0") * 200)
    with (
        pytest.raises(DataError, match="has a header of 131,584 bytes"),
        open_archive(tmp_path / "a.tar"),
    ):
        pass


def test_names_in_messages_are_short_and_printable(tmp_path) -> None:
    path = write_zip(tmp_path / "a.zip", [("../\x1b[31m" + "n" * 5000, b"")])
    with pytest.raises(DataError) as caught, open_archive(path):
        pass
    assert r"../\x1b[31mnn" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("streams", [1, 3])
def test_xz_of_several_streams_is_read_in_any_order(tmp_path, streams) -> None:
    data = write_tar(tmp_path / "a.tar", MEMBERS.items()).read_bytes()
    cuts = [len(data) * number // streams for number in range(streams + 1)]
    pieces = [lzma.compress(data[start:end]) + bytes(8) for start, end in pairwise(cuts)]
    (tmp_path / "a.tar.xz").write_bytes(b"".join(pieces))
    with open_archive(tmp_path / "a.tar.xz") as archive:
        assert {member: archive.read(member) for member in reversed(list(archive.sizes))} == MEMBERS


def test_xz_that_asks_for_much_memory_is_refused(tmp_path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    (tmp_path / "a.tar.xz").write_bytes(lzma.compress(bytes(10_240), filters=filters))
    with pytest.raises(DataError, match="Memory usage limit exceeded"), open_archive(tmp_path / "a.tar.xz"):
        pass
