import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from nasbench_toolkit.benchmarks_data.text.alice import load_alice
from nasbench_toolkit.core.batches import batch_digest, draw_batch, split_parts
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.core.errors import DataError, EvaluationError, PluginError
from nasbench_toolkit.plugins.datasets import ALICE, DATA_SOURCES, PIECE_LENGTH, nasbench_datasets
from nasbench_toolkit.plugins.datasets.texts import OwnText

OWN = next(info for info in DATA_SOURCES if info.name == "own-text")


def described(name: str):
    return next(info for info in nasbench_datasets() if info.name == name)


def import_own(folder: Path, **parts: str) -> None:
    folder.mkdir()
    for part, text in parts.items():
        (folder / f"{part}.txt").write_text(text)
    import_data(OWN.create(), folder, lambda done, total: None)


def test_pieces_are_the_text_and_labels_the_tokens_that_follow() -> None:
    text = load_alice()["train"]
    dataset = ALICE.create()
    labels = dataset.labels()
    pieces = dataset.inputs(np.arange(len(labels)))
    assert pieces.shape == labels.shape == (len(text) // PIECE_LENGTH, PIECE_LENGTH)
    assert np.array_equal(pieces.flatten(), text[: pieces.size])
    assert np.array_equal(labels.flatten(), text[1 : labels.size + 1])
    assert np.array_equal(dataset.inputs(np.array([7, 3])), pieces[[7, 3]])


def test_a_batch_has_pieces_and_is_what_it_always_was() -> None:
    batch = draw_batch(ALICE, ALICE.create(), 8, seed=5)
    assert batch.inputs.dtype == batch.labels.dtype == torch.int64
    assert torch.equal(batch.inputs[:, 1:], batch.labels[:, :-1])
    # Stored scores depend on these very tokens.
    assert batch_digest(batch) == "02f5ea9bb14070fa"
    with pytest.raises(EvaluationError, match="a batch of 417 pieces of 70 tokens and the dataset 'alice' has 416"):
        draw_batch(ALICE, ALICE.create(), 417, seed=5)


def test_the_test_part_is_held_out() -> None:
    training, held_out = split_parts(ALICE, ALICE.create(), seed=0)
    assert held_out.inputs.flatten().tolist() == load_alice()["test"][: held_out.inputs.numel()].tolist()
    assert len(training.labels) == 416


def test_own_text_is_described_by_what_was_imported(tmp_path: Path) -> None:
    assert described("own-text").num_classes == 0
    import_own(tmp_path / "first", train="a b c\n" * 40, test="a b\n" * 30)
    info = described("own-text")
    assert info.num_classes == 4
    dataset = info.create()
    assert (dataset.labels().shape, dataset.held_out().labels().shape) == ((2, 70), (1, 70))


def test_a_text_that_is_too_short_or_has_no_test_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'own-text' was not imported. Run 'nasbench data list own-text'"):
        OwnText().labels()
    import_own(tmp_path / "short", train="a b c\n" * 40, test="a b\n")
    with pytest.raises(DataError, match="The test part of the text has 3 tokens, which is less than a piece of 70"):
        OwnText().held_out().labels()
    import_own(tmp_path / "alone", train="a b c\n" * 40)
    with pytest.raises(DataError, match="without a part to test on"):
        OwnText().held_out()


def test_tokens_beyond_the_vocabulary_are_a_fault_of_the_plugin() -> None:
    info = dataclasses.replace(ALICE, num_classes=1_000)
    with pytest.raises(PluginError, match="expected those of"):
        info.create().inputs(np.arange(400))
