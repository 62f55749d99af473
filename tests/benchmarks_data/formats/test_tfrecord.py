import pytest
from nasbench_toolkit.benchmarks_data.formats.tfrecord import masked_checksum, read_records
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.experiments.official_files import crc32c, tfrecord

RECORDS = [b"first", b"", b"x" * 1000]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "small.tfrecord"
    path.write_bytes(b"".join(map(tfrecord, RECORDS)))
    return path


def test_crc32c_has_the_published_check_value() -> None:
    # RFC 3720, appendix B.4: 32 bytes of zeros; the check value of the CRC catalogue for "123456789".
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("data", RECORDS)
def test_masked_checksum_is_the_rotated_crc(data) -> None:
    crc = crc32c(data)
    assert masked_checksum(data) == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def test_records_are_read_in_order(path) -> None:
    calls = []
    assert list(read_records(path, lambda done, total: calls.append((done, total)))) == RECORDS
    assert calls[0] == (path.stat().st_size, path.stat().st_size)


def test_every_truncation_within_a_record_is_refused(path) -> None:
    whole = path.read_bytes()
    ends = {0, 21, 37, len(whole)}
    for length in set(range(80)) | {500, len(whole) - 1, len(whole)}:
        path.write_bytes(whole[:length])
        if length in ends:
            assert list(read_records(path, lambda done, total: None)) == RECORDS[: sorted(ends).index(length)]
            continue
        with pytest.raises(DataError, match=r"'small.tfrecord' is damaged or cut off at record [123] "):
            list(read_records(path, lambda done, total: None))


@pytest.mark.parametrize("place", [0, 7, 8, 12, 16, 17, 20, 21, 1000])
def test_changed_byte_is_refused(path, place) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"damaged or cut off at record [123] \(byte (0|21|37)\)"):
        list(read_records(path, lambda done, total: None))


def test_huge_length_is_refused(path) -> None:
    length = (1 << 40).to_bytes(8, "little")
    path.write_bytes(length + masked_checksum(length).to_bytes(4, "little") + b"rest")
    with pytest.raises(DataError, match="damaged or cut off at record 1 "):
        list(read_records(path, lambda done, total: None))


def test_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match=r"Cannot open '.*absent.tfrecord': No such file"):
        list(read_records(tmp_path / "absent.tfrecord", lambda done, total: None))
