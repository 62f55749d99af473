"""NAS-Bench-201's and NATS-Bench's files, which hold the same records."""

import bz2
import copy
import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from nasbench_toolkit.benchmarks_data.formats.nasbench201_pth import read_nasbench201_pth
from nasbench_toolkit.benchmarks_data.formats.nats_bench import read_nats_bench
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.experiments.official_files import (
    nasbench201_content,
    write_nasbench201_pth,
    write_nats_bench_folder,
    write_packed_pickle,
)

SPLIT_OF = {
    "cifar10/test_accuracy": ("cifar10", "ori-test"),
    "cifar100/test_accuracy": ("cifar100", "x-test"),
    "imagenet16-120/test_accuracy": ("ImageNet16-120", "x-test"),
    "cifar10-valid/validation_accuracy": ("cifar10-valid", "x-valid"),
    "cifar100/validation_accuracy": ("cifar100", "x-valid"),
    "imagenet16-120/validation_accuracy": ("ImageNet16-120", "x-valid"),
}
DATASETS = {
    "cifar10": "cifar10",
    "cifar10-valid": "cifar10-valid",
    "cifar100": "cifar100",
    "imagenet16-120": "ImageNet16-120",
}
NUM_ARCHITECTURES = 2
TOTAL = 20


def write_legacy(folder, content):
    return write_nasbench201_pth(folder / "NAS-Bench-201-v1_1-096897.pth", content, zipped=False)


def write_zipped(folder, content):
    return write_nasbench201_pth(folder / "NAS-Bench-201-v1_1-096897.pth", content, zipped=True)


def write_packed(folder, content):
    return write_packed_pickle(folder / "NATS-tss-v1_0-3ffb9.pickle.pbz2", content)


def write_folder(folder, content):
    return write_nats_bench_folder(folder / "NATS-tss-v1_0-3ffb9-simple", content)


WRITERS = {"legacy": write_legacy, "zipped": write_zipped, "packed": write_packed, "folder": write_folder}


def keys_of(kind):
    return {"200": "full", "12": "less"} if kind in ("legacy", "zipped") else {"200": "200", "12": "12"}


def make_content(kind, rng_seed=0):
    keys = keys_of(kind)
    return nasbench201_content(
        NUM_ARCHITECTURES,
        seeds={keys["200"]: (777, 888, 999), keys["12"]: (777,)},
        epochs={keys["200"]: 200, keys["12"]: 12},
        total=TOTAL,
        rng_seed=rng_seed,
    )


def read(path):
    reader = read_nasbench201_pth if path.suffix == ".pth" else read_nats_bench
    return reader(path, lambda done, total: None)


def expected_columns(content, kind):
    """Return what the benchmark's own query gives with ``is_random=False``: the mean over the seeds' last epochs."""
    columns = {}
    for epochs, key in keys_of(kind).items():
        records = [info[key] for info in content["arch2infos"].values()]
        for metric, (dataset, split) in SPLIT_OF.items():
            columns[f"{metric}@{epochs}"] = [
                np.mean(
                    [
                        record["all_results"][dataset, seed]["eval_acc1es"][f"{split}@{int(epochs) - 1}"]
                        for seed in record["dataset_seed"][dataset]
                    ]
                )
                for record in records
            ]
        for name, dataset in DATASETS.items():
            columns[f"{name}/training_seconds@{epochs}"] = [
                np.mean(
                    [
                        sum(record["all_results"][dataset, seed]["train_times"].values())
                        for seed in record["dataset_seed"][dataset]
                    ]
                )
                for record in records
            ]
    return columns


@pytest.mark.parametrize("kind", WRITERS)
def test_table_has_the_means_of_the_last_epochs(tmp_path, kind) -> None:
    content = make_content(kind)
    table = read(WRITERS[kind](tmp_path, content))
    assert table.architectures == content["meta_archs"][:NUM_ARCHITECTURES]
    expected = expected_columns(content, kind)
    assert table.columns.keys() == expected.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(table.columns[key], values, rtol=1e-12, err_msg=key)
    key = "cifar100/test_accuracy@200"
    np.testing.assert_allclose(np.nanmean(table.runs[key], axis=1), expected[key])
    assert np.isfinite(table.runs[key]).sum(axis=1).tolist() == [3] * NUM_ARCHITECTURES
    assert np.isfinite(table.runs["cifar100/test_accuracy@12"]).sum(axis=1).tolist() == [1] * NUM_ARCHITECTURES
    assert table.reduction == "mean of the runs"
    assert table.row_name(1) == "architecture index 1"


@pytest.mark.parametrize("kind", ["legacy", "packed"])
def test_results_that_are_not_there_are_nan(tmp_path, kind) -> None:
    # As in version 1.0: 12 epochs on CIFAR-10's halves only, a value at the last epoch only, no times.
    content = make_content(kind)
    key = keys_of(kind)["12"]
    for info in content["arch2infos"].values():
        trials = info[key]["all_results"]
        info[key]["all_results"] = {name: trial for name, trial in trials.items() if name[0] == "cifar10-valid"}
        for trial in info[key]["all_results"].values():
            trial["train_times"] = None
            trial["eval_acc1es"] = {"x-valid@11": 81.5}
    table = read(WRITERS[kind](tmp_path, content))
    np.testing.assert_array_equal(table.columns["cifar10-valid/validation_accuracy@12"], [81.5] * NUM_ARCHITECTURES)
    assert np.isnan(table.columns["cifar10/test_accuracy@12"]).all()
    assert np.isnan(table.columns["cifar10-valid/training_seconds@12"]).all()
    assert np.isfinite(table.columns["cifar10/test_accuracy@200"]).all()


def change_trial(content, kind, change):
    changed = copy.deepcopy(content)
    change(changed["arch2infos"][1][keys_of(kind)["200"]]["all_results"]["cifar100", 888])
    return changed


BROKEN = {
    "nan": (lambda trial: trial["eval_acc1es"].update({"x-test@199": float("nan")}), r"no finite number \(nan\)"),
    "text": (lambda trial: trial["eval_acc1es"].update({"x-test@199": "good"}), r"no finite number \(good\)"),
    "epochs": (lambda trial: trial.update(epochs=90), "a run that is not one of 200 epochs"),
    "times": (lambda trial: trial["train_times"].update({0: "long"}), r"no finite number \(nan\)"),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("case", BROKEN)
def test_broken_trial_is_refused(tmp_path, kind, case) -> None:
    change, message = BROKEN[case]
    path = WRITERS[kind](tmp_path, change_trial(make_content(kind), kind, change))
    with pytest.raises(DataError, match=rf"'{path.name}' is not .* as published: .*{message}"):
        read(path)


@pytest.mark.parametrize("kind", ["legacy", "zipped", "packed"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("arch2infos"), r"no results by architecture \('arch2infos'\)"),
        (lambda content: content.pop("meta_archs"), r"no list of architectures \('meta_archs'\)"),
        (lambda content: content["arch2infos"].clear(), "it holds no results"),
        (lambda content: content["meta_archs"].reverse(), "the results at index 0 are not those of"),
        (
            lambda content: content["arch2infos"].update({99: copy.deepcopy(content["arch2infos"][0])}),
            "index 99, of 20 architectures",
        ),
        (lambda content: content["arch2infos"].update({1: None}), "the results at index 1 are not those of"),
    ],
    ids=["no results", "no list", "empty", "other order", "index", "no record"],
)
def test_other_content_is_refused(tmp_path, kind, change, message) -> None:
    content = make_content(kind)
    change(content)
    with pytest.raises(DataError, match=message):
        read(WRITERS[kind](tmp_path, content))


@pytest.mark.parametrize("zipped", [False, True])
def test_trained_weights_are_refused_by_name(tmp_path, zipped) -> None:
    content = change_trial(make_content("legacy"), "legacy", lambda trial: trial.update(net_state_dict=torch.ones(2)))
    path = write_nasbench201_pth(tmp_path / "full.pth", content, zipped=zipped)
    with pytest.raises(DataError, match=r"'full.pth', byte .*'torch\._utils\._rebuild_tensor_v2'.*Nothing .* was run"):
        read(path)


@pytest.mark.parametrize("kind", WRITERS)
def test_truncated_file_is_refused(tmp_path, kind) -> None:
    path = WRITERS[kind](tmp_path, make_content(kind))
    file = path / "000001.pickle.pbz2" if path.is_dir() else path
    whole = file.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 4):
        file.write_bytes(whole[:length])
        with pytest.raises(DataError, match=file.name):
            read(path)


def test_zip_archive_without_a_pickle_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("readme", "text")
    with pytest.raises(DataError, match=r"a zip archive without 'data.pkl'"):
        read(tmp_path / "a.pth")


def test_other_pickle_is_refused(tmp_path) -> None:
    (tmp_path / "a.pth").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(DataError, match=r"it was not written by torch.save"):
        read(tmp_path / "a.pth")


def test_legacy_file_is_the_one_of_torch(tmp_path) -> None:
    content = make_content("legacy")
    path = write_legacy(tmp_path, content)
    loaded = torch.load(io.BytesIO(path.read_bytes()), weights_only=False)
    assert loaded["arch2infos"][1]["less"]["all_results"] == content["arch2infos"][1]["less"]["all_results"]


@pytest.mark.parametrize("kind", ["packed", "folder"])
def test_size_search_space_is_refused_by_name(tmp_path, kind) -> None:
    path = WRITERS[kind](tmp_path, make_content(kind))
    renamed = path.rename(tmp_path / path.name.replace("tss", "sss"))
    with pytest.raises(DataError, match=r"'NATS-sss.*' is NATS-Bench's size search space"):
        read(renamed)


def test_size_search_space_is_refused_by_content(tmp_path) -> None:
    content = make_content("packed")
    content["meta_archs"] = ["8:8:8:8:8"] * TOTAL
    with pytest.raises(DataError, match="is NATS-Bench's size search space"):
        read(write_folder(tmp_path, content))
    content["arch2infos"] = {0: {"01": {}, "12": {}, "90": {}}}
    with pytest.raises(DataError, match="is NATS-Bench's size search space"):
        read(write_packed(tmp_path, content))


def test_folder_without_its_list_is_refused(tmp_path) -> None:
    path = write_folder(tmp_path, make_content("folder"))
    (path / "meta.pickle.pbz2").unlink()
    with pytest.raises(DataError, match=r"'NATS-tss-v1_0-3ffb9-simple' has no 'meta.pickle.pbz2'"):
        read(path)


@pytest.mark.parametrize("kind", WRITERS)
def test_progress_is_told(tmp_path, kind) -> None:
    path, calls = WRITERS[kind](tmp_path, make_content(kind)), []
    reader = read_nasbench201_pth if path.suffix == ".pth" else read_nats_bench
    reader(path, lambda done, total: calls.append((done, total)))
    assert calls
    assert all(0 <= done <= total for done, total in calls)
    assert calls == sorted(calls)


ENDLESS = b"N" + b"2\x86" * 60  # a pair of twice the same pair of twice the same: 2 ** 60 parts as a text or an array
RESULTS = b"}(\x8c\x08arch_str%b\x8c\x0ball_results}u"


@pytest.mark.parametrize(
    "row",
    [
        b")",
        b"(\x8c\x01a" + b"G\x7f\xf0" + bytes(6) + b"t",
        b"(\x8c\x01a" + (b"G" + bytes(8)) * 20 + b"t",
        b"(\x8c\x01a" + ENDLESS * 20 + b"t",
        b"}(\x8c\x03200" + RESULTS % ENDLESS + b"\x8c\x0212" + RESULTS % ENDLESS + b"u",
    ],
    ids=["nothing", "infinity", "like our own", "endless", "endless name"],
)
def test_record_of_another_kind_is_refused(tmp_path, row) -> None:
    path = tmp_path / "a.pickle.pbz2"
    data = b"\x80\x04}(\x8c\x0ameta_archs](\x8c\x01ae\x8c\x0aarch2infos}(K\x00" + row + b"uu."
    path.write_bytes(bz2.compress(data))
    with pytest.raises(DataError, match="the results at index 0 are not those of 'a'"):
        read_nats_bench(path, lambda done, total: None)
