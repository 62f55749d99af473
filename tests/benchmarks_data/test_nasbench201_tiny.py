import gzip
import hashlib
import json
from dataclasses import asdict

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data import nasbench201_tiny as table
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.plugins.search_spaces.nasbench201 import tiny_build as build
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import unique_arch_strs
from nasbench_toolkit.plugins.search_spaces.nasbench201.tiny_training import SEEDS, TrainingResult

NUM_ROWS = 12


def made_up_result(row, seed):
    """Results that rise with the row, with a little noise of the seed."""
    noise = float(np.random.default_rng([row, seed]).normal())
    return TrainingResult(50.0 + row + noise, 2.0 - 0.1 * row - 0.05 * noise, 1.0 + seed)


@pytest.fixture
def output(tmp_path):
    """A build's folder with twelve finished cells and a thirteenth that lacks a seed."""
    lines = []
    for row, cell in enumerate(build.sampled_arch_strs()[: NUM_ROWS + 1]):
        seeds = SEEDS if row < NUM_ROWS else SEEDS[:-1]
        lines += [
            json.dumps({"architecture": cell, "seed": seed} | asdict(made_up_result(row, seed))) for seed in seeds
        ]
    (tmp_path / "trainings.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def table_path(output):
    path = output / "made_up.csv.gz"
    assert build.write_table(output, path) == NUM_ROWS
    return path


@pytest.fixture(scope="module")
def shipped():
    if not table.TABLE_PATH.exists():
        pytest.skip(f"the embedded table {table.TABLE_PATH.name} has not been made yet")
    return table.read_table()


def rewrite(path, change, *, update_digest):
    """Change the text of a table, with or without the checksum beside it."""
    content = change(gzip.decompress(path.read_bytes()).decode()).encode()
    path.write_bytes(gzip.compress(content, mtime=0))
    if update_digest:
        edit_description(path, sha256=hashlib.sha256(content).hexdigest())


def edit_description(path, **changes):
    description = table.description_path(path)
    description.write_text(json.dumps(json.loads(description.read_text()) | changes))


def test_table_reads_what_the_build_wrote(table_path):
    read = table.read_table(table_path)
    assert read.arch_ids == tuple(build.sampled_arch_strs()[:NUM_ROWS])
    accuracy, cross_entropy = read.metric_names
    expected = [[made_up_result(row, seed) for seed in SEEDS] for row in range(NUM_ROWS)]
    np.testing.assert_allclose(
        list(read.values(accuracy).values()),
        [np.mean([result.test_accuracy for result in row]) for row in expected],
        atol=0.006,
    )
    np.testing.assert_allclose(
        list(read.values(cross_entropy).values()),
        [np.mean([result.test_cross_entropy for result in row]) for row in expected],
        atol=1e-6,
    )
    assert read.mean_seconds == (1.0 + np.mean(SEEDS),) * NUM_ROWS


def test_table_metric_names_state_dataset_split_and_epochs(table_path):
    read = table.read_table(table_path)
    epochs = read.description["setting"]["epochs"]
    assert read.metric_names == (f"mnist/test_accuracy@{epochs}", f"mnist/test_cross_entropy@{epochs}")


def test_table_noise_ceiling_is_the_reliability_of_the_mean(table_path):
    read = table.read_table(table_path)
    for metric, rows in zip(read.metric_names, read.results.values(), strict=True):
        ranks = np.argsort(np.argsort(np.array(rows), axis=0), axis=0)
        correlations = np.corrcoef(ranks, rowvar=False)
        r = correlations[np.triu_indices(len(SEEDS), k=1)].mean()
        assert read.seed_reliability(metric) == pytest.approx(r)
        assert read.noise_ceiling(metric) == pytest.approx(len(SEEDS) * r / (1 + (len(SEEDS) - 1) * r))


def test_spearman_brown_predicts_the_correlation_of_two_means():
    # 5,000 cells with true values of variance 1 and seed noise of variance 1: r = 0.5, so that the means of two sets
    # of 3 seeds correlate at 3 * 0.5 / (1 + 2 * 0.5) = 0.75. Normal values: Spearman is 6/pi asin(Pearson / 2).
    rng = np.random.default_rng(0)
    observed = rng.normal(size=(5000, 1)) + rng.normal(size=(5000, 6))
    made_up = table.TinyTable(
        arch_ids=tuple(map(str, range(5000))),
        results={"test_accuracy": tuple(map(tuple, observed[:, :3])), "test_cross_entropy": ()},
        mean_seconds=(),
        description={"setting": {"epochs": 1}},
    )
    means = np.argsort(np.argsort([observed[:, :3].mean(axis=1), observed[:, 3:].mean(axis=1)]))
    between_means = np.corrcoef(means)[0, 1]
    assert made_up.noise_ceiling("mnist/test_accuracy@1") == pytest.approx(between_means, abs=0.02)


def test_table_refuses_an_unknown_metric(table_path):
    with pytest.raises(DataError, match="no metric 'mnist/accuracy'; choose from mnist/test_accuracy@"):
        table.read_table(table_path).values("mnist/accuracy")


def test_table_refuses_altered_content(table_path):
    rewrite(table_path, lambda text: text.replace(",5", ",6", 1), update_digest=False)
    with pytest.raises(DataError, match=r"made_up\.csv\.gz: the content's SHA-256 is .* was altered. Reinstall"):
        table.read_table(table_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda text: text.replace("seed0", "seed9", 1), "columns are .*seed9", id="columns"),
        pytest.param(lambda text: text.rsplit("\n", 2)[0] + "\n", "11 rows, expected 12", id="rows"),
        pytest.param(lambda text: text.replace(",5", ",x5", 1), "could not convert .*x5", id="not-a-number"),
    ],
)
def test_table_refuses_wrong_content_with_right_digest(table_path, change, message):
    rewrite(table_path, change, update_digest=True)
    with pytest.raises(DataError, match=message):
        table.read_table(table_path)


def test_table_refuses_two_rows_of_one_architecture(table_path):
    first, second = build.sampled_arch_strs()[:2]
    rewrite(table_path, lambda text: text.replace(second, first), update_digest=True)
    with pytest.raises(DataError, match="an architecture has two rows"):
        table.read_table(table_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"format_version": 99}, "format version 99, this program reads 1", id="version"),
        pytest.param({"rows": 5}, "12 rows, expected 5", id="rows"),
    ],
)
def test_table_refuses_another_description(table_path, changes, message):
    edit_description(table_path, **changes)
    with pytest.raises(DataError, match=message):
        table.read_table(table_path)


def test_table_refuses_an_incomplete_description(table_path):
    table.description_path(table_path).write_text('{"format_version": 1}')
    with pytest.raises(DataError, match=r"made_up\.json: lacks rows, seeds, setting, sha256"):
        table.read_table(table_path)


def test_table_refuses_a_file_that_is_not_gzip(table_path):
    table_path.write_bytes(b"architecture")
    with pytest.raises(DataError, match="cannot be read as gzip"):
        table.read_table(table_path)


def test_table_refuses_a_missing_description(table_path):
    table.description_path(table_path).unlink()
    with pytest.raises(DataError, match=r"made_up\.json: cannot be read as JSON"):
        table.read_table(table_path)


def test_shipped_table_is_a_uniform_sample_of_at_least_1000_cells(shipped):
    assert len(shipped.arch_ids) >= 1000
    assert list(shipped.arch_ids) == build.sampled_arch_strs()[: len(shipped.arch_ids)]
    assert set(shipped.arch_ids) <= set(unique_arch_strs())


def test_shipped_table_values_are_in_range(shipped):
    accuracies, cross_entropies = map(np.array, shipped.results.values())
    assert accuracies.shape == cross_entropies.shape == (len(shipped.arch_ids), len(SEEDS))
    assert accuracies.min() >= 0.0
    assert accuracies.max() <= 100.0
    # 2,000 test images make steps of 0.05 percentage points.
    np.testing.assert_allclose(accuracies * 20, np.round(accuracies * 20), atol=1e-6)
    assert cross_entropies.min() > 0.0


def test_shipped_table_noise_ceilings_are_as_documented(shipped):
    # Cross-entropy is the more reliable of the two; nasbench201_tiny.md states both numbers.
    accuracy, cross_entropy = map(shipped.noise_ceiling, shipped.metric_names)
    assert accuracy == pytest.approx(0.905, abs=0.0005)
    assert cross_entropy == pytest.approx(0.925, abs=0.0005)


def test_shipped_table_describes_the_setting_of_this_code(shipped):
    now = build.describe(len(shipped.arch_ids), shipped.description["sha256"])
    keys = ("format_version", "rows", "seeds", "sample_seed", "setting")
    assert {key: now[key] for key in keys} == {key: shipped.description[key] for key in keys}
