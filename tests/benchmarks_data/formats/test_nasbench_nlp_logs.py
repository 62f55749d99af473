import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nasbench_toolkit.benchmarks_data.formats.nasbench_nlp_logs import read_nasbench_nlp_logs
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.experiments.official_files import nlp_log, write_nlp_logs

DATA = Path(__file__).parents[3] / "../shared/data/nasbench-nlp"
RECIPE = json.dumps(
    {"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["f"]}}
)


def read(path):
    return read_nasbench_nlp_logs(path, lambda done, total: None)


def test_losses_of_the_best_epoch_and_of_the_third(tmp_path) -> None:
    logs = [nlp_log(RECIPE, losses=[6.0, 5.0, 5.5, 5.2]), nlp_log("{}", losses=[6.0, 7.0])]
    table = read(write_nlp_logs(tmp_path / "logs.zip", logs))
    assert table.architectures == [RECIPE, "{}"]
    assert table.columns.keys() == {
        "wikitext-2/test_loss",
        "wikitext-2/validation_loss",
        "wikitext-2/validation_loss@3",
        "network/parameters",
    }
    np.testing.assert_allclose(table.columns["wikitext-2/test_loss"], [5.0, 6.0])
    np.testing.assert_allclose(table.columns["wikitext-2/validation_loss"], [5.1, 6.1])
    np.testing.assert_allclose(table.columns["wikitext-2/validation_loss@3"], [5.6, np.nan])
    np.testing.assert_array_equal(table.columns["network/parameters"], [15_066_078] * 2)
    assert table.row_name(1) == "member 'log_stats_model_1_2020-04-28_17-16-54_1.json'"
    assert table.notes == ()


def test_penn_treebank_is_another_data_set(tmp_path) -> None:
    logs = [nlp_log(RECIPE, losses=[5.0] * 3), nlp_log(RECIPE, losses=[4.0] * 3, data="data/ptb")]
    table = read(write_nlp_logs(tmp_path / "logs.zip", logs))
    np.testing.assert_array_equal(table.columns["wikitext-2/test_loss"], [5.0, np.nan])
    np.testing.assert_array_equal(table.columns["ptb/test_loss"], [np.nan, 4.0])


def test_unfinished_trainings_are_counted(tmp_path) -> None:
    failed = [nlp_log(RECIPE, losses=[float("nan")], status="loss is nan!")] * 2
    table = read(write_nlp_logs(tmp_path / "logs.zip", [nlp_log(RECIPE, losses=[5.0]), *failed]))
    assert len(table.architectures) == 1
    assert table.notes == ("Trainings that did not finish are left out: 2 with status 'loss is nan!'.",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recepie": None}, r"no recipe \('recepie'\)"),
        ({"num_params": "many"}, r"no number of parameters \('num_params'\)"),
        ({"num_params": 10**400}, r"no number of parameters \('num_params'\)"),
        ({"test_losses": [10**400]}, "'test_losses' of epoch 1 is 1000"),
        ({"data": "data/enwik8"}, "'data/enwik8' is neither of wikitext-2, ptb"),
        ({"test_losses": []}, r"no losses \('test_losses'\)"),
        ({"val_losses": None}, r"no losses \('val_losses'\)"),
        ({"val_losses": [5.0, float("nan")]}, "'val_losses' of epoch 2 is nan"),
        ({"test_losses": [5.0, "5"]}, "'test_losses' of epoch 2 is 5"),
    ],
)
def test_other_log_is_refused_by_name(tmp_path, changes, message) -> None:
    logs = [nlp_log(RECIPE, losses=[5.0]), {**nlp_log(RECIPE, losses=[5.0]), **changes}]
    with pytest.raises(DataError, match=rf"'logs.zip', member 'log_stats_model_1_.*': .*{message}"):
        read(write_nlp_logs(tmp_path / "logs.zip", logs))


@pytest.mark.parametrize(("content", "message"), [("{", "it is not JSON"), ("[]", "it is not a JSON object")])
def test_member_that_is_no_log_is_refused(tmp_path, content, message) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("train_logs/log_stats_model_1.json", content)
    with pytest.raises(DataError, match=rf"'logs.zip', member 'train_logs/log_stats_model_1.json': {message}"):
        read(tmp_path / "logs.zip")


def test_archive_without_logs_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("readme.txt", "text")
    with pytest.raises(DataError, match=r"'logs.zip' has no log of a finished training"):
        read(tmp_path / "logs.zip")


def test_bomb_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log_stats_model_1.json", " " * 2_000_000)
    with pytest.raises(DataError, match="would unpack to 2,000,000 bytes"):
        read(tmp_path / "logs.zip")


@pytest.mark.skipif(not DATA.is_dir(), reason="reads NAS-Bench-NLP's logs and table in ../shared/data")
def test_published_logs_agree_with_the_published_table() -> None:
    table = read(DATA / "train_logs_wikitext-2.zip")
    assert len(table.architectures) == 341
    assert table.notes == ("Trainings that did not finish are left out: 4 with status 'loss is nan!'.",)
    runs = pd.DataFrame({"architecture": table.architectures, **table.columns})
    runs["recipe_id"] = [int(table.row_name(row).split("_")[3]) for row in range(len(runs))]
    # One recipe was trained twice under the same id; the published table has its first run.
    first_runs = runs.drop_duplicates("recipe_id").set_index("recipe_id")
    assert len(first_runs) == 340
    published = pd.read_csv(DATA / "nasbench-nlp.csv.gz", index_col="recipe_id")
    published = published[published["status"] == "OK"].loc[first_runs.index]
    assert (published["architecture"] == first_runs["architecture"]).all()
    assert (published["num_parameters"] == first_runs["network/parameters"]).all()
    for key in ("wikitext-2/test_loss", "wikitext-2/validation_loss", "wikitext-2/validation_loss@3"):
        np.testing.assert_allclose(first_runs[key], published[key], rtol=1e-12)
