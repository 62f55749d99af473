import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.formats import json_stream
from nasbench_toolkit.benchmarks_data.formats.nds_json import read_nds_json
from nasbench_toolkit.benchmarks_data.tables.raw import RawTable
from nasbench_toolkit.core.errors import DataError

DATA = Path(__file__).parents[3] / "../shared/data/nds"


def ignore(_done: int, _total: int) -> None:
    pass


def record(**changes: object) -> dict[str, object]:
    fields = {
        "job_id": "1",
        "params": 1000,
        "flops": 2000,
        "net": {"width": 16, "depth": 8},
        "optim": {"base_lr": 0.1, "wd": 0.0005, "max_ep": 4},
        "test_ep_top1": [60.0, 40.0, 9.5, 10.0],
        "min_test_top1": 9.25,
        "train_it_top1": [],
    }
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def read(folder: Path, *records: object, name: str = "DARTS.json") -> RawTable:
    path = folder / name
    path.write_text(json.dumps(list(records)))
    return read_nds_json(path, ignore)


def test_accuracies_of_last_best_and_early_epochs(tmp_path: Path) -> None:
    table = read(tmp_path, record())
    assert {key: values.tolist() for key, values in table.columns.items()} == {
        "cifar10/test_accuracy@1": [40.0],
        "cifar10/test_accuracy@2": [60.0],
        "cifar10/test_accuracy@3": [90.5],
        "cifar10/test_accuracy@4": [90.0],
        "cifar10/test_best_accuracy": [90.75],
        "cifar10/parameters": [1000.0],
        "cifar10/flops": [2000.0],
    }
    assert json.loads(table.architectures[0]) == {"width": 16, "depth": 8}
    assert (table.row_name(0), table.notes, table.problems) == ("record 1", (), ())


def test_of_a_hundred_epochs_the_first_ten_and_every_tenth_are_kept(tmp_path: Path) -> None:
    errors = [float(100 - epoch / 2) for epoch in range(1, 101)]
    table = read(tmp_path, record(test_ep_top1=errors, optim={"max_ep": 100}, min_test_top1=...))
    accuracies = {key: values[0] for key, values in table.columns.items() if "test_accuracy" in key}
    epochs = [*range(1, 11), *range(20, 101, 10)]
    assert accuracies == {f"cifar10/test_accuracy@{epoch}": epoch / 2 for epoch in epochs}
    assert table.columns["cifar10/test_best_accuracy"] == [50.0]


@pytest.mark.parametrize(
    ("name", "rates", "dataset"),
    [
        ("DARTS.json", (0.1, 0.1), "cifar10"),
        ("DARTS_in.json", (0.1, 0.1), "imagenet"),
        ("DARTS_lr-wd.json", (0.1, 0.2), "cifar10-lr-wd"),
        ("any_IN.json", (0.1, 0.2), "imagenet-lr-wd"),
    ],
)
def test_data_set_is_that_of_the_name_and_of_the_recipes(
    tmp_path: Path, name: str, rates: tuple[float, float], dataset: str
) -> None:
    table = read(tmp_path, *(record(optim={"base_lr": rate, "max_ep": 4}) for rate in rates), name=name)
    assert {key.partition("/")[0] for key in table.columns} == {dataset}


def test_lists_by_name_are_read_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "ResNet_reruns.json"
    path.write_text(json.dumps({"top": [record(), record()], "mid": [record(min_test_top1=9.0)]}, indent=1))
    table = read_nds_json(path, ignore)
    assert table.columns["cifar10-reruns/test_best_accuracy"].tolist() == [90.75, 90.75, 91.0]
    assert [table.row_name(row) for row in range(3)] == ["record 1 of 'top'", "record 2 of 'top'", "record 1 of 'mid'"]


def test_unfinished_trainings_are_counted(tmp_path: Path) -> None:
    table = read(tmp_path, record(), record(test_ep_top1=[60.0, 50.0]))
    assert len(table.architectures) == 1
    assert table.notes == ("Trainings that ended before their last epoch are left out: 1.",)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (3, "it is 3, expected an object"),
        (record(net=...), "'net' is missing"),
        (record(net="x"), "'net' is missing"),
        (record(net={"genotype": "x" * 30_000}), "'net' has 30,016 characters, more than any network's"),
        (record(optim=[]), "'optim' is [], expected an object"),
        (record(optim={"max_ep": "4"}), "'optim.max_ep' is '4', expected a number of epochs"),
        (record(optim={"max_ep": 3}), "'test_ep_top1' has 4 epochs, more than the 3 of 'optim.max_ep'"),
        (record(test_ep_top1=...), "'test_ep_top1' has no test error, so that there is no accuracy"),
        (record(test_ep_top1=[]), "'test_ep_top1' has no test error"),
        (record(test_ep_top1=[50.0, float("nan"), 1.0, 1.0]), "'test_ep_top1' of epoch 2 is nan, expected an error in"),
        (record(test_ep_top1=[50.0, 1.0, 1.0, float("inf")]), "'test_ep_top1' of epoch 4 is inf"),
        (record(test_ep_top1=[50.0, None, 1.0, 1.0]), "'test_ep_top1' of epoch 2 is None"),
        (record(test_ep_top1=[50.0, True, 1.0, 1.0]), "'test_ep_top1' of epoch 2 is True"),
        (record(test_ep_top1=[50.0, 1.0, 1.0, 100.5]), "'test_ep_top1' of epoch 4 is 100.5, expected an error in perc"),
        (record(test_ep_top1=[50.0, -1, 1.0, 1.0]), "'test_ep_top1' of epoch 2 is -1"),
        (record(min_test_top1=float("nan")), "'min_test_top1' is nan"),
        (record(params=-5), "'params' is -5, expected a whole number above 0"),
        (record(params=1.5), "'params' is 1.5"),
        (record(flops=None), "'flops' is None"),
    ],
)
def test_wrong_records_are_named_with_the_field(tmp_path: Path, wrong: object, problem: str) -> None:
    table = read(tmp_path, record(), wrong, record())
    assert len(table.architectures) == 2
    assert [table.row_name(row) for row in range(2)] == ["record 1", "record 3"]
    (named,) = table.problems
    assert named.startswith("record 2: ")
    assert problem in named


def test_counts_need_not_be_there(tmp_path: Path) -> None:
    table = read(tmp_path, record(params=..., flops=...), record())
    assert np.isnan(table.columns["cifar10/parameters"][0])
    assert table.columns["cifar10/parameters"][1] == 1000.0


def test_a_file_that_ends_within_a_record_gives_those_before(tmp_path: Path) -> None:
    path = tmp_path / "DARTS.json"
    text = json.dumps([record(), record(), record()])
    for length in (len(text) - 1, len(text) - 40, text.rindex("{")):
        path.write_text(text[:length])
        table = read_nds_json(path, ignore)
        whole = 3 if length == len(text) - 1 else 2
        assert len(table.architectures) == whole
        assert table.problems == (f"record {whole + 1}: it is cut short",)


@pytest.mark.parametrize("rest", ["tru", "Na", "-", "8", "8.", "8.5e", "8.5e-", '"x', '"\\', '"\\u00', '{"a"', "[1,"])
def test_a_file_may_end_anywhere_in_a_value(tmp_path: Path, rest: str) -> None:
    path = tmp_path / "DARTS.json"
    path.write_text(f'[{json.dumps(record())}, {{"iter_time": {rest}')
    table = read_nds_json(path, ignore)
    assert (len(table.architectures), table.problems) == (1, ("record 2: it is cut short",))


@pytest.mark.parametrize("missing", [1, 8, 20])
def test_a_gzipped_file_that_ends_too_early_gives_the_records_before(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "DARTS.json.gz"
    path.write_bytes(gzip.compress(json.dumps([record()] * 2000).encode())[:-missing])
    table = read_nds_json(path, ignore)
    count = len(table.architectures)
    assert 1900 < count <= 2000
    assert table.problems == (f"record {count + 1:,}: it is cut short, as the compressed file is",)


def test_a_large_record_of_a_gzipped_file_is_parsed_no_more_often_than_of_an_unpacked_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps([record(train_it_top1=np.random.default_rng(0).random(80_000).tolist())])
    (tmp_path / "DARTS.json").write_text(text)
    (tmp_path / "DARTS.json.gz").write_bytes(gzip.compress(text.encode()))
    decoder = json.JSONDecoder()
    starts = []

    class Counted:
        def raw_decode(self, text: str, position: int) -> tuple[object, int]:
            starts.append(position)
            return decoder.raw_decode(text, position)

    monkeypatch.setattr(json_stream, "_DECODER", Counted())
    counts = []
    for path in (tmp_path / "DARTS.json", tmp_path / "DARTS.json.gz"):
        starts.clear()
        assert len(read_nds_json(path, ignore).architectures) == 1
        counts.append(len(starts))
    assert counts[1] <= counts[0] < 20


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "has no record of a finished training. The first problem: record 1: it is cut short"),
        (b"[", "record 1: it is cut short"),
        (b"[]", "has no record of a finished training. Get the file again"),
        (b"{}", "has no record of a finished training. Get the file again"),
        (b"\x00\x01", "record 1: '\x00' stands where '[' is expected. This is no file of NDS"),
        (b"\xff\xfe", "is damaged"),
        (b"<html>", "record 1: '<' stands where '[' is expected"),
        (b'[{"net": }]', "record 1: Expecting value at character 10. This"),
        (b"[1," + b" " * 300_000 + b"]", "record 2: Expecting value at character 300,004. This"),
        (b"[1] 2", "record 2: '2' follows where it should end"),
        (b'{"top": 3}', "record 1: '3' stands where '[' is expected"),
        (b"[" * 100_000, "record 1: it is nested too deeply"),
        (b"[" + b"1" * 10_000 + b"]", "record 1: it has a number of thousands of digits"),
        (b'{"top": [] "mid": []}', "record 1: '\"' stands where '}' is expected"),
        (b'{"top": [],}', "record 1: Expecting value"),
        (b"{3: []}", "record 1: 3 stands where the name of a group is expected"),
        (b"[1," + b" " * 3_000_000, "has no record of a finished training. The first problem: record 1: it is 1"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "DARTS.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_nds_json(path, ignore)
    assert problem in str(raised.value)
    assert str(path) in str(raised.value)


def test_too_many_wrong_records_end_the_reading(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="more than 1,000 records are wrong, the first in this way: record 1: 'net' is"):
        read(tmp_path, *[record(net=...)] * 1_100)


def test_damaged_gzip_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "DARTS.json.gz"
    packed = gzip.compress(json.dumps([record()] * 2000).encode())
    path.write_bytes(packed)
    assert len(read_nds_json(path, ignore).architectures) == 2000
    for content in (packed[:200] + b"\x00" * 50 + packed[250:], b"no gzip"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="is damaged"):
            read_nds_json(path, ignore)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = tmp_path / "DARTS.json"
    path.write_text(json.dumps([record()] * 5000))
    read_nds_json(path, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][1] == path.stat().st_size


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"train_it_top1": [12.345] * 5_000}, 60_000_000),
        ({"test_ep_top1": [12.5] * 50, "optim": {"max_ep": 50}}, 20_000_000),
    ],
    ids=["long records", "many records"],
)
def test_a_large_file_takes_little_memory(tmp_path: Path, fields: dict[str, object], size: int) -> None:
    path = tmp_path / "DARTS.json"
    text = json.dumps(record(**fields))
    count = size // len(text)
    with path.open("w") as file:
        file.write("[" + text)
        for _ in range(count - 1):
            file.write("," + text)
        file.write("]")
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from nasbench_toolkit.benchmarks_data.formats.nds_json import read_nds_json\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "rows = len(read_nds_json(Path(sys.argv[1]), lambda done, total: None).architectures)\n"
        "print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    rows, kilobytes = map(int, run.stdout.split())
    assert rows == count
    assert kilobytes / (1024 if sys.platform == "darwin" else 1) < 30_000


@pytest.mark.parametrize(
    ("name", "rows", "dataset", "epochs"),
    [
        ("DARTS_in", 121, "imagenet", 50),
        ("DARTS_fix-w-d_in", 499, "imagenet", 5),
        ("DARTS_lr-wd_in", 515, "imagenet-lr-wd", 50),
        ("ResNet_reruns", 200, "cifar10-reruns", 100),
    ],
)
def test_released_files(name: str, rows: int, dataset: str, epochs: int) -> None:
    path = DATA / f"{name}.json.gz"
    if not path.is_file():
        pytest.skip("reads nds in ../shared/data")
    table = read_nds_json(path, ignore)
    assert len(table.architectures) == rows
    assert (table.problems, table.notes) == ((), ())
    last = table.columns[f"{dataset}/test_accuracy@{epochs}"]
    assert not np.isnan(last).any()
    assert np.max(table.columns[f"{dataset}/test_best_accuracy"]) >= np.max(last)
    records = json.loads(gzip.decompress(path.read_bytes()))
    records = records["top"] + records["mid"] if isinstance(records, dict) else records
    assert last.tolist() == [100.0 - record["test_ep_top1"][-1] for record in records]
    assert table.columns[f"{dataset}/test_accuracy@3"].tolist() == [100.0 - r["test_ep_top1"][2] for r in records]
    if name == "ResNet_reruns":
        assert round(float(np.max(last)), 2) == 95.26
