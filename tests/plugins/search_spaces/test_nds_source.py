"""Importing released records, and the search space that has them."""

import copy
import functools
import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.cli import main
from nasbench_toolkit.core.data.data_home import Manifest, import_data, verify_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.plugins.search_spaces import other_records
from nasbench_toolkit.plugins.search_spaces.nds.counts import count
from nasbench_toolkit.plugins.search_spaces.nds.image_sets import IMAGENET_IMAGES
from nasbench_toolkit.plugins.search_spaces.nds.space import CellSpace

DATA = Path(__file__).parents[3] / "../shared/data/nds"

EDGES = [["sep_conv_3x3", 0], ["skip_connect", 1]] * 4
NET = {
    "aux": False, "depth": 4, "drop_prob": 0.0, "width": 16,
    "genotype": {"normal": EDGES, "normal_concat": [2, 3, 4, 5], "reduce": EDGES, "reduce_concat": [2, 3, 4, 5]},
}  # fmt: skip


def space(name: str = "nds-darts"):
    return installed_plugins().search_space(name).info.create()


def cifar_parameters(net: dict[str, object]) -> int:
    return count_parameters(json.dumps(net))


@functools.cache
def count_parameters(text: str) -> int:
    return count(space(), text, installed_plugins().dataset("cifar10").info, "benchmark")[0]


def record(error: float = 10.0, *, operation: str = "sep_conv_3x3", **changes: object) -> dict[str, object]:
    """Return a record of a cell with another operation on its first edge."""
    net = copy.deepcopy(NET)
    net["genotype"]["normal"][0][0] = operation
    fields = {
        "params": cifar_parameters(net),
        "flops": 10**8,
        "net": net,
        "optim": {"base_lr": 0.1, "max_ep": 2, "wd": 0.0005},
        "test_ep_top1": [50.0, error],
        "min_test_top1": error,
    }
    return fields | changes


def bring(folder: Path, *records: dict[str, object], name: str = "DARTS.json", to: str = "nds-darts",
          skip_wrong: bool = False) -> Manifest:  # fmt: skip
    path = folder / name
    path.write_text(json.dumps(records))
    return import_data(installed_plugins().data_source(to).info.create(), path, lambda *_: None, skip_wrong=skip_wrong)


def test_import_gives_ground_truth_to_the_space(tmp_path: Path) -> None:
    manifest = bring(tmp_path, record(10.0), record(20.0, operation="none"), record(12.0))
    assert manifest.items == 2
    assert manifest.notes[0] == "The parameters of 3 records were compared with those of the networks here: all equal."
    assert manifest.notes[1].startswith("Their flops are ")
    assert manifest.notes[2] == "3 rows became 2: the values of repeated trainings were averaged."
    made = space()
    table = made.ground_truth()
    assert [metric.key for metric in table.metrics] == [
        "cifar10/test_accuracy@2", "cifar10/test_accuracy@1", "cifar10/test_best_accuracy", "cifar10/parameters",
        "cifar10/flops",
    ]  # fmt: skip
    assert table.metrics[0].reduction == "mean of repeated trainings"
    first, second = (made.canonicalize(json.dumps(record(operation=name)["net"])) for name in ("sep_conv_3x3", "none"))
    assert table.values(table.metrics[0], [first, second]) == [89.0, 80.0]
    assert made.size == 2
    assert set(made.sample(2, np.random.default_rng(0))) == {first, second}
    assert "2 architectures of the imported table" in made.sampling
    verify_data(installed_plugins().data_source("nds-darts").info.create(), lambda *_: None)


def test_results_on_other_data_sets_are_kept(tmp_path: Path) -> None:
    bring(tmp_path, record(10.0), record(20.0, operation="none"))
    manifest = bring(
        tmp_path, record(30.0, params=1), record(40.0, operation="max_pool_3x3", params=1), name="DARTS_in.json"
    )
    assert manifest.items == 3
    assert "Kept from 'DARTS.json': results on cifar10." in manifest.notes
    table = space().ground_truth()
    assert [metric.key for metric in table.metrics][:2] == ["cifar10/test_accuracy@2", "imagenet/test_accuracy@2"]
    # Another file for a data set replaces what was there, and what only it had.
    manifest = bring(tmp_path, record(11.0))
    assert "Replaced from 'DARTS_in.json': results on cifar10." in manifest.notes
    assert manifest.items == 2
    values = {metric.key: space().ground_truth().all_values(metric).tolist() for metric in table.metrics}
    assert [value for value in values["cifar10/test_accuracy@2"] if not math.isnan(value)] == [89.0]
    assert sum(not math.isnan(value) for value in values["imagenet/test_accuracy@2"]) == 2


def test_samples_have_the_metric_that_is_asked_for(tmp_path: Path) -> None:
    names = ("sep_conv_3x3", "none", "skip_connect", "max_pool_3x3")
    bring(tmp_path, *(record(10.0, operation=name) for name in names[:3]))
    bring(tmp_path, *(record(10.0, operation=name, params=1) for name in names[2:]), name="DARTS_in.json")
    for metric, size in ((None, 3), ("imagenet/test_accuracy", 2), ("cifar10/test_best_accuracy", 3)):
        plan = make_plan(RunRequest("nds-darts", ("params",), "photos", samples=size, metric=metric),
                         installed_plugins())  # fmt: skip
        assert not any(math.isnan(value) for value in plan.ground_truth[0].values)
        assert f"uniform over the {size} architectures" in plan.header.sampling


def test_counts_that_differ_are_told(tmp_path: Path) -> None:
    expected = cifar_parameters(NET)
    manifest = bring(tmp_path, record(10.0), record(20.0, operation="none", params=5))
    assert manifest.notes[0].startswith(
        "Of 2 records whose networks were built, 1 state other parameters than these have, such as record 2: 5, and "
    )
    assert manifest.items == 2
    assert expected != 5


def test_networks_for_imagenet_are_known_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = DATA / "DARTS_in.json.gz"
    if not path.is_file():
        pytest.skip("reads nds in ../shared/data")
    records = json.loads(gzip.decompress(path.read_bytes()))[:2]
    manifest = bring(tmp_path, *records, name="mine.json")
    assert manifest.notes[:2] == (
        "The networks are those for imagenet, whatever the file's name says, and so are the metrics.",
        "The parameters of 2 records were compared with those of the networks here: all equal.",
    )
    assert space().ground_truth().metrics[0].key == "imagenet/test_accuracy@50"


def test_released_file_is_imported_whole() -> None:
    path = DATA / "DARTS_in.json.gz"
    if not path.is_file():
        pytest.skip("reads nds in ../shared/data")
    manifest = import_data(installed_plugins().data_source("nds-darts").info.create(), path, lambda *_: None)
    assert manifest.items == 121
    assert manifest.notes[0] == "The parameters of 12 records were compared with those of the networks here: all equal."


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"test_ep_top1": []}, "record 2: 'test_ep_top1' has no test error"),
        ({"test_ep_top1": [50.0, float("nan")]}, "record 2: 'test_ep_top1' of epoch 2 is nan"),
        ({"net": {"ds": [1, 2]}}, "record 2: Architecture of 'nds-darts': 'net' has no 'genotype'"),
        ({"net": {**NET, "width": 17}}, "record 2: Architecture of 'nds-darts': the width is 17"),
    ],
)
def test_wrong_records_are_refused_or_left_out(tmp_path: Path, wrong: dict[str, object], problem: str) -> None:
    records = [record(10.0), record(20.0, **wrong), record(30.0, operation="none")]
    with pytest.raises(DataError) as raised:
        bring(tmp_path, *records)
    assert problem in str(raised.value)
    assert space().ground_truth() is None
    manifest = bring(tmp_path, *records, skip_wrong=True)
    assert manifest.items == 2
    (note,) = (note for note in manifest.notes if "left out" in note)
    assert note.startswith("Records that are wrong and were left out: 1.")
    assert problem in note


def test_command_line_says_how_to_use_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "DARTS.json"
    path.write_text(json.dumps([record(), record(test_ep_top1=[]), record(test_ep_top1=[])]))
    with pytest.raises(SystemExit, match="2"):
        main(["data", "import", "nds-darts", str(path)])
    refused = capsys.readouterr().err
    assert "accuracy. 1 more record is wrong. Correct the file, or get it again; '--skip-wrong' leaves out" in refused
    with pytest.raises(SystemExit, match="0"):
        main(["data", "import", "nds-darts", str(path), "--skip-wrong"])
    assert "Imported 1 architectures" in capsys.readouterr().out


def test_a_file_without_any_record_of_the_space_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="record 1: Architecture of 'nds-enas': the normal cell has 4 nodes, expected"):
        bring(tmp_path, record(), record(), name="mine.json", to="nds-enas", skip_wrong=True)


def test_files_of_other_spaces_are_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is, by its name, the file of 'nds-darts-f', and is imported for 'nds-darts'"):
        bring(tmp_path, record(), name="DARTS_fix-w-d.json")


def test_records_of_fixed_size_have_one(tmp_path: Path) -> None:
    assert bring(tmp_path, record(), name="mine.json", to="nds-darts-f").items == 1
    records = [record(net={**NET, "depth": 8}), record(), record(operation="none")]
    with pytest.raises(DataError, match="record 1: width and depth are w16d8, those of most records w16d4, and 'nds-d"):
        bring(tmp_path, *records, name="mine.json", to="nds-darts-f")
    assert bring(tmp_path, *records, name="mine.json", to="nds-darts-f", skip_wrong=True).items == 2


def test_one_record_does_not_decide_the_data_set(tmp_path: Path) -> None:
    path = DATA / "DARTS_in.json.gz"
    if not path.is_file():
        pytest.skip("reads nds in ../shared/data")
    records = json.loads(gzip.decompress(path.read_bytes()))[:5]
    records[0]["params"] += 1
    notes = bring(tmp_path, *records, name="mine.json").notes
    assert notes[0] == "The networks are those for imagenet, whatever the file's name says, and so are the metrics."
    assert notes[1].startswith("Of 5 records whose networks were built, 1 state other parameters")
    assert {metric.dataset for metric in space().ground_truth().metrics} == {"imagenet"}


def test_data_sets_that_a_table_names_stay(tmp_path: Path) -> None:
    nets = [record(operation=name)["net"] for name in ("sep_conv_3x3", "none")]
    texts = [space().canonicalize(json.dumps(net)) for net in nets]
    for_imagenet = [count(space(), text, IMAGENET_IMAGES, "imagenet")[0] for text in texts]
    path = tmp_path / "mine.csv"
    path.write_text(
        "architecture,cifar10/test_accuracy@2,cifar10/parameters,imagenet/test_accuracy@3,imagenet/parameters,mine/accuracy,"
        f'mine/parameters\n"{texts[0]}",90,{count_parameters(texts[0])},70,{for_imagenet[0]},1,5\n'
        f'"{texts[1]}",80,,60,{for_imagenet[1] + 1},2,6\n'
    )
    manifest = import_data(installed_plugins().data_source("nds-darts").info.create(), path, lambda *_: None)
    assert manifest.notes[0] == "The parameters of 1 record were compared with those of the networks here: all equal."
    assert manifest.notes[1].startswith("Of 2 records whose networks were built, 1 state other parameters")
    table = space().ground_truth()
    values = {metric.key: table.values(metric, texts) for metric in table.metrics}
    assert values["cifar10/test_accuracy@2"] == [90.0, 80.0]
    assert values["imagenet/test_accuracy@3"] == [70.0, 60.0]
    assert values["cifar10/parameters"][0] == count_parameters(texts[0])
    assert values["mine/parameters"] == [5.0, 6.0]


@pytest.mark.parametrize("columns", ["mine/parameters", "cifar10/parameters"])
def test_a_table_without_counts_to_compare_is_taken(tmp_path: Path, columns: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f'architecture,cifar10/test_accuracy@2,{columns}\n"{space().example()}",90,\n')
    manifest = import_data(installed_plugins().data_source("nds-darts").info.create(), path, lambda *_: None)
    assert manifest.notes[0] == "No record says how many parameters it has: they could not be compared."


def test_trainings_of_other_recipes_have_data_sets_of_their_own(tmp_path: Path) -> None:
    def datasets(*recipes: object, grouped: bool = False) -> set[str]:
        records = [record(optim={"max_ep": 2} | recipe) for recipe in recipes]
        path = tmp_path / "mine.json"
        path.write_text(json.dumps({"top": records} if grouped else records))
        import_data(installed_plugins().data_source("nds-darts").info.create(), path, lambda *_: None)
        return {metric.dataset for metric in space().ground_truth().metrics}

    assert datasets({"base_lr": 1, "wd": 0.0005}, {"base_lr": 1.0}, {}) == {"cifar10"}
    assert datasets({"base_lr": 1}, {"base_lr": 0.1}) == {"cifar10", "cifar10-lr-wd"}
    # Networks that were trained many times do not take the place of the benchmark's.
    assert datasets({"base_lr": 1}, grouped=True) == {"cifar10", "cifar10-lr-wd", "cifar10-reruns"}
    with pytest.raises(DataError, match="record 1: 'optim.base_lr' is \\[1\\], expected a number of at least 0"):
        datasets({"base_lr": [1]}, {"base_lr": 1})


def test_operations_that_no_record_has_are_told(tmp_path: Path) -> None:
    path = DATA / "ENAS_in.json.gz"
    if not path.is_file():
        pytest.skip("reads nds in ../shared/data")
    records = json.loads(gzip.decompress(path.read_bytes()))
    notes = bring(tmp_path, *records, name="mine.json", to="nds-amoeba").notes
    assert notes[-1].startswith("No record has sep7 or dilsep3 or conv7x1, operations of 'nds-amoeba': is it a file of")


def test_mutants_are_the_nearest_of_some_other_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("sep_conv_3x3", "none", "skip_connect", "max_pool_3x3")
    bring(tmp_path, *(record(10.0, operation=name) for name in names))
    made = space()
    records = made.sample(4, np.random.default_rng(0))
    # A tenth of three is at least one, whichever it is.
    for parent in records:
        mutants = {made.mutate(parent, np.random.default_rng(seed)) for seed in range(30)}
        assert mutants == set(records) - {parent}
    monkeypatch.setattr(other_records, "DRAWN_SHARE", 1.0)
    other = made.canonicalize(records[0].replace("w16d4", "w32d20"))
    assert made.mutate(other, np.random.default_rng(0)) == records[0]


def test_a_lonely_record_is_its_own_mutant(tmp_path: Path) -> None:
    bring(tmp_path, record())
    (only,) = space().sample(1, np.random.default_rng(0))
    assert space().mutate(only, np.random.default_rng(0)) == only


def test_evolution_finds_the_best_of_few_records(tmp_path: Path) -> None:
    """As many as no mutation would leave its parent for, if the parent were among those drawn."""
    made = space()
    nets = made.sample(100, np.random.default_rng(1))
    rows = "".join(f'"{net}",{50 + place / 10}\n' for place, net in enumerate(nets))
    path = tmp_path / "mine.csv"
    path.write_text("architecture,cifar10/test_accuracy@2\n" + rows)
    import_data(installed_plugins().data_source("nds-darts").info.create(), path, lambda *_: None)
    output = tmp_path / "s.h5"
    command = ["search", "--space", "nds-darts", "-e", "oracle", "-n", "150", "-o", str(output), "-j", "1"]
    with pytest.raises(SystemExit, match="0"):
        main([*command, "-s", "regularized-evolution:population_size=5,tournament_size=3"])
    assert len(read_results(output).arch_ids) > 50


def nearest(made: CellSpace, parent: str, *records: str) -> str:
    made._records = [made.canonicalize(text) for text in records]
    made._record_scalars = np.array([made._scalars(text) for text in made._records])
    return records[made._records.index(made._nearest(parent, slice(None)))]


def test_nearest_counts_scalars_and_keeps_the_first() -> None:
    def darts(size: str, first: str) -> str:
        cell = f"{first},sep3~0+skip~1,sep3~0+skip~1,sep3~0+skip~1"
        return f"{size}/normal={cell}/reduce={cell.replace(first, 'sep3~0+skip~1')}"

    made = installed_plugins().search_space("nds-darts").info.create()
    parent = darts("w16d4", "sep3~0+skip~1")
    one, two, three = darts("w16d8", "sep3~0+skip~1"), darts("w16d4", "sep5~1+skip~1"), darts("w16d8", "sep5~1+skip~1")
    assert nearest(made, parent, three, two, one) is one
    assert nearest(made, parent, three, two) is two
    assert nearest(made, darts("w24d4", "sep3~0+skip~1"), two, three) is two
    assert nearest(made, parent, one, darts("w16d4", "sep3~0+skip~0")) is one


def test_nearest_counts_concatenated_nodes() -> None:
    def enas(last: str) -> str:
        cell = f"sep3~0+skip~1,sep3~0+skip~1,sep3~0+skip~1,sep3~0+skip~1,{last}"
        plain = "sep3~0+skip~1,sep3~0+skip~1,sep3~0+skip~1,sep3~0+skip~1,sep3~0+skip~1"
        return f"w16d4/normal={cell}/reduce={plain}"

    made = installed_plugins().search_space("nds-enas").info.create()
    # Concatenated are 2 to 6, or 3 to 6 and nothing in the fifth place: five more differences.
    parent, further, nearer = enas("sep3~0+skip~1"), enas("sep3~0+skip~2"), enas("sep5~1+avg3~0")
    assert nearest(made, parent, further, nearer) is nearer


def test_searches_of_all_kinds_stay_among_the_records(tmp_path: Path) -> None:
    bring(
        tmp_path, *(record(10.0, operation=name) for name in ("sep_conv_3x3", "none", "skip_connect", "max_pool_3x3"))
    )
    made = space()
    records = made.sample(4, np.random.default_rng(0))
    choices = made.choices()
    for parent in records:
        decided = made.definition.decisions(made._parse(parent))
        options = [names.index(option) for names, option in zip(choices, decided, strict=True)]
        assert made.assemble(options) == parent
        # The nearest record, whatever else is changed.
        assert made.assemble([len(choices[0]) - 1, len(choices[1]) - 1, *options[2:]]) == parent
    assert made.neighbours(records[0]) is None
