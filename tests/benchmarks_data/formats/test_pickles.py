import builtins
import collections
import io
import os
import pickle
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from nasbench_toolkit.benchmarks_data.formats import byte_stream
from nasbench_toolkit.benchmarks_data.formats.pickle_budget import Budget
from nasbench_toolkit.benchmarks_data.formats.pickles import load_plain
from nasbench_toolkit.core.errors import DataError

CIFAR10 = Path(__file__).parents[3] / "../shared/data/cifar10/cifar-10-batches-py"
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

SHARED = ["x-valid@0", "x-valid@1", "x-valid@2"]
PLAIN = {
    "nothing": None,
    "flags": [True, False],
    "integers": [0, 1, -1, 255, 256, 65_536, -(2**31), 2**31, 2**63, -(2**100)],
    "floats": [0.0, -1.5, 1e300, float("inf")],
    "texts": ["", "ascii", "größer", "𝛼", "\ud800", "line\nbreak", "quote'\"\\"],
    "bytes": [b"", b"x", b"\x00\xff\n'", b"long" * 1000],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "sets": [set(), {1, "a"}, frozenset({(1, "b")})],
    "epochs": {epoch: epoch / 3 for epoch in range(2500)},
    "named epochs": {f"x-valid@{epoch}": epoch / 3 for epoch in range(200)},
    "stored twice": [dict.fromkeys(SHARED, 1.0), dict.fromkeys(SHARED, 2.0)],
    "curve with a gap": {**dict.fromkeys(range(9), 0.5), 9: None, **dict.fromkeys(range(10, 20), 0.25)},
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    ("cifar10", 777): {"nested": {"deeply": [{}, [[]]]}},
}
ARRAYS = {
    **{
        dtype: np.arange(6, dtype=dtype).reshape(2, 3) for dtype in ("u1", "i1", "<u2", ">i4", "<i8", "f2", ">f4", "f8")
    },
    "flags": np.array([True, False]),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "empty": np.zeros((0, 3)),
    "scalar array": np.array(2.5),
}


def dumped_by_python(value: object, protocol: int) -> bytes:
    return pickle._dumps(value, protocol)


@pytest.mark.parametrize("dump", [pickle.dumps, dumped_by_python])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_data_read_as_pickle_reads_them(protocol, dump) -> None:
    data = dump(PLAIN, protocol)
    assert load_plain(io.BytesIO(data)) == PLAIN
    assert load_plain(io.BytesIO(data), size=len(data)) == PLAIN


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_arrays_read_as_pickle_reads_them(protocol) -> None:
    read = load_plain(io.BytesIO(pickle.dumps(ARRAYS, protocol)))
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array, strict=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_numbers_become_plain_numbers(protocol) -> None:
    read = load_plain(io.BytesIO(pickle.dumps([np.float64(2.5), np.int32(-7), np.bool_(True)], protocol)))
    assert read == [2.5, -7, True]
    assert [type(value) for value in read] == [float, int, bool]


def test_names_of_older_numpy_are_known() -> None:
    data = pickle.dumps(np.arange(3), 2).replace(b"numpy._core", b"numpy.core")
    np.testing.assert_array_equal(load_plain(io.BytesIO(data)), np.arange(3))


class Trickle:
    """A file that gives fewer bytes than it is asked for."""

    def __init__(self, data: bytes, piece: int) -> None:
        self.file, self.piece = io.BytesIO(data), piece

    def read(self, size: int = -1) -> bytes:
        return self.file.read(min(size, self.piece))


@pytest.mark.parametrize("piece", [5, 1009, 65_536, 1 << 22])
@pytest.mark.parametrize("protocol", [2, 4])
def test_long_pickle_is_read_across_the_pieces_of_its_file(protocol, piece) -> None:
    num_records = 20 if piece < 1000 else 600
    value = [
        {
            "curve": {f"x-valid@{epoch}": record / (epoch + 1) for epoch in range(60)},
            "epochs": {epoch: record / (epoch + 1) for epoch in range(60)},
            "again": dict.fromkeys(SHARED, float(record)),
            "bytes": bytes(record),
        }
        for record in range(num_records)
    ]
    assert load_plain(Trickle(pickle.dumps(value, protocol), piece)) == value


def test_python2_texts_are_bytes() -> None:
    # What Python 2 wrote for {'labels': [3], 'data': '\xff'}.
    data = b"\x80\x02}q\x00(U\x06labelsq\x01]q\x02K\x03aU\x04dataq\x03U\x01\xffq\x04u."
    assert load_plain(io.BytesIO(data)) == {b"labels": [3], b"data": b"\xff"}
    assert load_plain(io.BytesIO(b"(dp0\nS'labels'\np1\n(lp2\nI3\nasS'data'\nS'\\xff'\ns.")) == {
        b"labels": [3],
        b"data": b"\xff",
    }


@pytest.mark.skipif(not CIFAR10.is_dir(), reason="reads CIFAR-10 in ../shared/data")
@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "batches.meta"])
def test_cifar10_batch_read_as_pickle_reads_it(name) -> None:
    with (CIFAR10 / name).open("rb") as file:
        read = load_plain(file)
        file.seek(0)
        expected = pickle.load(file, encoding="bytes")
    assert read.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(read[key], value)


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


class Plain:
    pass


FORBIDDEN = {
    "shell": (Calls(os.system, "touch run"), f"{os.system.__module__}.system"),
    "process": (Calls(subprocess.Popen, ["touch", "run"]), r"(subprocess|commands)\.Popen"),
    "eval": (Calls(eval, "open('run', 'w')"), "eval"),
    "exec": (Calls(exec, "open('run', 'w')"), "exec"),
    "getattr": (Calls(getattr, "text", "upper"), "getattr"),
    "import": (Calls(builtins.__import__, "antigravity"), "__import__"),
    "open": (Calls(open, "run", "w"), r"(_io|io)\.open"),
    "instance": (Plain(), r"(Plain|_reconstructor)"),
    "tensor": (torch.zeros(2), r"torch\._utils\._rebuild_tensor_v2"),
    "torch class": (torch.float32, r"torch\.\w+"),
    "path": (Path("x"), r"pathlib\.\w+"),
    "array of objects": (np.array([{}], dtype=object), "type 'O8'"),
    "array of texts": (np.array(["a"]), "type 'U1'"),
    "array with fields": (np.zeros(1, dtype=[("a", "f8")]), "type 'V8'"),
    "numpy load": (Calls(np.load, "run"), r"numpy\.load"),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("case", FORBIDDEN)
def test_anything_else_is_refused_by_name_and_not_run(tmp_path, monkeypatch, protocol, case) -> None:
    monkeypatch.chdir(tmp_path)
    value, name = FORBIDDEN[case]
    try:
        data = pickle.dumps({"innocent": value}, protocol)
    except (pickle.PicklingError, TypeError):
        pytest.skip("Python cannot pickle it with this protocol")
    with pytest.raises(DataError, match=f"'bad.pth', byte .*{name}.*Nothing in the file was run"):
        load_plain(io.BytesIO(data), name="bad.pth")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "data",
    [
        b"ios\nsystem\n.",
        b"(ios\nsystem\n.",
        b"(cos\nsystem\nS'touch run'\no.",
        b"\x80\x02cos\nsystem\n)\x81.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x03runR.",
    ],
    ids=["INST", "INST with a mark", "OBJ", "NEWOBJ", "STACK_GLOBAL"],
)
def test_every_way_to_name_a_function_is_refused(data) -> None:
    with pytest.raises(DataError, match=r"the class or function 'os\.system'"):
        load_plain(io.BytesIO(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends within an item"),
        (b"}", "ends within an item"),
        (b".", "taken where there is none"),
        (b"(.", "taken where there is none"),
        (b"K\x01u.", "closed where none is open"),
        (b"}(K\x01u.", "not a whole pickle"),
        (b"]K\x01K\x02s.", "items for something that is no dict"),
        (b"}K\x01a.", "items for something that is no list"),
        (b"h\x05.", "not a whole pickle"),
        (b"\x80\x09N.", "protocol 9"),
        (b"P1\n.", "opcode b'P'"),
        (b"NQ.", "opcode b'Q'"),
        (b"\x82\x01.", r"opcode b'\\x82'"),
        (b"X\x03\x00\x00\x00\xff\xfe\xfd.", "not a whole pickle"),
        (b"I12x\n.", "not a whole pickle"),
        (b"Iendless", "a line of text without an end"),
        (b"ccollections\nOrderedDict\n.", r"the name 'collections\.OrderedDict' as a value"),
        (b"}]K\x01s.", "a key that is neither a text nor a number"),
        (b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR.", "unfinished NumPy type"),
        (b"cnumpy\ndtype\n(U\x03f16tR.", "type 'f16'"),
    ],
)
def test_damaged_pickle_is_refused(data, message) -> None:
    with pytest.raises(DataError, match=message):
        load_plain(io.BytesIO(data))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_truncation_is_refused(protocol) -> None:
    data = pickle.dumps([{"a": [1, 2.5, "text"]}, np.arange(3), dict.fromkeys(range(5), 0.5)], protocol)
    for length in range(len(data)):
        with pytest.raises(DataError, match="Cannot read 'short'"):
            load_plain(io.BytesIO(data[:length]), name="short")


MANY_PAIRS = b"".join(b"J%sK\x01\x86N" % struct.pack("<i", number) for number in range(1001))
"""Opcodes of keys and values whose keys are pairs of numbers: such pairs can share a hash."""

MANY_ITEMS = b"".join(b"J%sK\x01\x86N\x86" % struct.pack("<i", number) for number in range(1001))
"""The same as pairs of key and value."""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x8e" + struct.pack("<Q", 2**62) + b"x.", "ends within an item of 4,611,686,018,427,387,904 bytes"),
        (b"X" + struct.pack("<I", 2**32 - 1) + b"x.", "ends within an item of 4,294,967,295 bytes"),
        (b"T" + struct.pack("<i", -5) + b"x.", "ends within an item of -5 bytes"),
        (b"\x8b" + struct.pack("<i", 2**30) + b"x.", "an integer of 1,073,741,824 bytes"),
        (b"I" + b"9" * 5000 + b"\n.", "an integer of 5,000 digits"),
        (b"(" * 5000 + b".", "nested more than 1000 deep"),
        (b"N" + b"\x85" * 100 + b".", "nested more than 64 deep"),
        (b"]" * 100 + b"a" * 99 + b".", "nested more than 64 deep"),
        (b"}(\x8a\x09" + b"\x01" * 9 + b"Nu.", "a key that is a number beyond 60 bits"),
        (b"N" + b"\x85q\x00h\x00\x86" * 40 + b"}h\x00Ns.", "a key that is a long or nested tuple"),
        (b"}(" + MANY_PAIRS + b"u.", "more than 1,000 keys with tuples among them"),
        (b"}" + b"".join(b"J%sK\x01\x86Ns" % struct.pack("<i", n) for n in range(1001)) + b".", "more than 1,000 keys"),
        (b"\x8f(" + MANY_PAIRS + b"\x90.", "more than 1,000 keys with tuples among them"),
        (b"(" + MANY_PAIRS + b"\x91.", "more than 1,000 keys with tuples among them"),
        (b"ccollections\nOrderedDict\n](" + MANY_ITEMS + b"e\x85R.", "more than 1,000 keys"),
    ],
    ids=[
        "bytes8",
        "text",
        "negative",
        "long4",
        "digits",
        "marks",
        "tuples",
        "lists",
        "hash collisions",
        "hash blow-up",
        "pairs as keys at once",
        "pairs as keys one by one",
        "pairs of a set",
        "pairs of a frozenset",
        "pairs of an ordered dict",
    ],
)
def test_bomb_is_refused_at_once(data, message) -> None:
    with pytest.raises(DataError, match=message):
        load_plain(io.BytesIO(data))


def test_memo_with_a_huge_number_needs_no_memory() -> None:
    assert load_plain(io.BytesIO(b"\x80\x02K\x07r\xff\xff\xff\xff0j\xff\xff\xff\xff.")) == 7


def test_number_of_the_memo_may_be_used_again() -> None:
    # A text, a list and again a text under number 0, each asked for; then texts under falling numbers.
    assert load_plain(io.BytesIO(b"(X\x01\x00\x00\x00aq\x00h\x00]q\x00h\x00X\x01\x00\x00\x00bq\x00h\x00t.")) == (
        *("a", "a", [], [], "b", "b"),
    )
    assert load_plain(io.BytesIO(b"(X\x01\x00\x00\x00aq\x05X\x01\x00\x00\x00bq\x02h\x05h\x02t.")) == (
        "a",
        "b",
        "a",
        "b",
    )


# The smallest budget there is, so that small pickles exceed it.
@pytest.fixture
def small_budget(monkeypatch) -> None:
    monkeypatch.setattr("nasbench_toolkit.benchmarks_data.formats.pickle_budget.FLOOR_BYTES", 100_000)
    monkeypatch.setattr("nasbench_toolkit.benchmarks_data.formats.pickle_budget.BYTES_A_BYTE", 0)


CALL_ENCODE = b"c_codecs\nencode\nq\x02"
TOO_LARGE = {
    "numbers": b"(" + b"K\x01" * 2000 + b"t",
    "a number, stored": b"K\x01" + b"\x94" * 1000,
    "a list, stored": b"]" + b"\x94" * 1000,
    "a list, stored under far numbers": b"]" + b"".join(b"r" + struct.pack("<I", 1000 * n) for n in range(1000)),
    "texts, stored": b"(" + b"".join(b"\x8c\x04%04d\x94" % n for n in range(1000)) + b"t",
    "learning curves": b"}(" + (b"K\x01G" + bytes(8)) * 1000 + b"u",
    "learning curves with names": b"}("
    + b"".join(b"X\x04\x00\x00\x00%04dr%sG%s" % (n, struct.pack("<I", n), bytes(8)) for n in range(1000))
    + b"u",
    "sets": b"(" + b"\x8f" * 500 + b"t",
    "a value, repeated": b"(N" + b"2" * 2000 + b"t",
    "pairs of the same": b"N" + b"2\x86" * 1000,
    "bytes": b"B" + struct.pack("<I", 60_000) + bytes(60_000),
    "a text in wide characters": b"X" + struct.pack("<I", 30_004) + "\U0001f600".encode() + b"x" * 30_000,
    "a line": b"V" + b"x" * 110_000 + b"\n",
    "copies of a text": b"("
    + b"U\x05hello"
    + b"V"
    + b"x" * 10_000
    + b"\nq\x00\x8c\x06latin1q\x01"
    + CALL_ENCODE
    + b"h\x00h\x01\x86R"
    + b"h\x02h\x00h\x01\x86R" * 20
    + b"t",
    "copies of a list": b"]("
    + b"".join(b"K" + bytes([n]) for n in range(200))
    + b"eq\x00(cbuiltins\nset\nq\x01"
    + b"h\x00\x85R"
    + b"h\x01h\x00\x85R" * 5
    + b"t",
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_more_than_the_budget_is_refused_whatever_asks_for_it(small_budget, case) -> None:
    with pytest.raises(DataError, match=r"'bad', byte .*: what it holds takes more than 100,000 bytes of memory"):
        load_plain(io.BytesIO(TOO_LARGE[case] + b"."), name="bad")


def test_bytes_that_are_not_there_are_refused_where_the_size_of_the_file_is_not_known(small_budget) -> None:
    with pytest.raises(DataError, match="more than 100,000 bytes of memory"):
        load_plain(Trickle(b"\x8e" + struct.pack("<Q", 2**40) + b"x.", 10))


def test_budget_grows_with_the_file_up_to_a_limit() -> None:
    limits = [Budget(size).limit for size in (None, 0, 10**6, 10**7, 10**12)]
    assert limits == [2**27, 2**27, 2**27, 160_000_000, 2**31]


RECORD = b"}(X\x04\x00\x00\x00goneN%su"  # opcodes of a dict that is let go of, with room for more


def let_go(container):
    return 0 if "gone" in container else container


def test_a_packed_file_unpacks_to_a_hundred_times_its_size_at_most(monkeypatch) -> None:
    monkeypatch.setattr(byte_stream, "UNPACKED_FLOOR_BYTES", 2**21)
    filler = RECORD % (b"K\x02" + b"N0" * 50_000 + b"N")
    small, large = (b"(" + filler * count + b"t." for count in (10, 50))
    assert load_plain(io.BytesIO(small), file_bytes=10, reduce=let_go) == (0,) * 10
    with pytest.raises(DataError, match="it unpacks to more than 2,097,152 bytes, which no such file of its size does"):
        load_plain(io.BytesIO(large), file_bytes=10, reduce=let_go)
    assert load_plain(io.BytesIO(large), file_bytes=10**5, reduce=let_go) == (0,) * 50
    assert load_plain(io.BytesIO(large), size=len(large), reduce=let_go) == (0,) * 50


def test_records_that_are_let_go_of_make_room(small_budget) -> None:
    filled = RECORD % (b"K\x02(" + b"]\x94" * 200 + b"t")
    read = load_plain(io.BytesIO(b"(" + filled * 50 + b"t."), reduce=let_go)
    assert read == (0,) * 50


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        (b"]q\xc8", b"K\x02h\xc8(" + b"N" * 10 + b"e"),
        (b"]q\xc8", b"K\x02h\xc82(" + b"N" * 10 + b"eK\x03\x86"),
        (b"]q\xc8", b"K\x02h\xc8Na"),
        (b"}q\xc8", b"K\x02h\xc8(K\x01Nu"),
        (b"}q\xc8", b"K\x02h\xc8K\x01Ns"),
        (b"\x8fq\xc8", b"K\x02h\xc8(K\x01\x90"),
        (
            b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btRq\xc8",
            b"K\x02h\xc8(K\x01(K\x01tcnumpy\ndtype\n(U\x02u1tR\x89C\x01xtb",
        ),
    ],
    ids=["list", "list, repeated", "append", "dict", "set item", "set", "array"],
)
def test_a_record_cannot_give_anything_to_what_outlives_it(before, inside) -> None:
    with pytest.raises(DataError, match="items for something that was complete already"):
        load_plain(io.BytesIO(b"(" + before + RECORD % inside + b"t."), reduce=let_go)


def test_what_a_record_stores_under_an_older_number_goes_with_it() -> None:
    data = b"(]q\x05" + RECORD % b"K\x02(NN\x86Nlq\x05" + b"h\x05t."
    with pytest.raises(DataError, match="refers back to a part that was already let go of"):
        load_plain(io.BytesIO(data), reduce=let_go)


def test_texts_that_records_store_are_charged_to_the_end(small_budget) -> None:
    stored = [b"K\x02(" + b"".join(b"\x8c\x04%04d\x94" % (100 * n + k) for k in range(100)) + b"t" for n in range(20)]
    with pytest.raises(DataError, match="more than 100,000 bytes of memory"):
        load_plain(io.BytesIO(b"(" + b"".join(RECORD % part for part in stored) + b"t."), reduce=let_go)


@pytest.mark.parametrize("protocol", range(1, 6))
def test_reduced_dict_takes_the_place_of_the_dict(protocol) -> None:
    records = {index: {"name": f"n{index}", "curve": {epoch: 0.5 * epoch for epoch in range(50)}} for index in range(9)}

    def last(container):
        return container["curve"][49] if "curve" in container else container

    read = load_plain(io.BytesIO(pickle.dumps({"all": records}, protocol)), reduce=last)
    assert read == {"all": dict.fromkeys(range(9), 24.5)}


def test_reduced_container_is_let_go_of() -> None:
    kept = {"half": [1.0]}
    data = pickle.dumps([{"whole": kept, "other": 1}, kept], 4)
    with pytest.raises(DataError, match="refers back to a part that was already let go of"):
        load_plain(io.BytesIO(data), reduce=lambda container: 0 if "whole" in container else container)


@pytest.mark.parametrize("protocol", range(1, 6))
def test_texts_types_and_keys_outlive_reduced_containers(protocol) -> None:
    texts, key = ["x-valid@0", "x-valid@1"], ("cifar10", 777)
    records = [{"curve": dict.fromkeys(texts, 1.0), "flop": np.float64(2.0), key: b"b"} for _ in range(3)]
    data = pickle.dumps([*records, texts], protocol)
    read = load_plain(io.BytesIO(data), reduce=lambda container: 0 if "flop" in container else container)
    assert read == [0, 0, 0, texts]
