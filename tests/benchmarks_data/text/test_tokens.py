import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.text.tokens import (
    StoredTokens,
    UnknownWordError,
    build_vocabulary,
    draw_token_batch,
    encode,
    write_tokens,
)
from nasbench_toolkit.core.errors import DataError

TRAIN = " the cat \n \n sat <unk> the \n"


def test_vocabulary_is_numbered_by_first_appearance():
    assert build_vocabulary(TRAIN) == {"the": 0, "cat": 1, "<eos>": 2, "sat": 3, "<unk>": 4}


def test_encode_ends_every_line():
    ids = encode(TRAIN, build_vocabulary(TRAIN))
    assert ids.tolist() == [0, 1, 2, 2, 3, 4, 0, 2]
    assert ids.dtype == np.int32


def test_encode_last_line_without_an_end():
    assert encode("the cat", build_vocabulary(TRAIN)).tolist() == [0, 1, 2]


def test_encode_breaks_lines_at_line_feeds_only():
    text = "a\u2028b\x0cc\r\nd\n"
    vocabulary = build_vocabulary(text)
    assert list(vocabulary) == ["a", "b", "c", "<eos>", "d"]


def test_encode_unknown_words():
    assert encode("the dog", build_vocabulary(TRAIN)).tolist() == [0, 4, 2]
    with pytest.raises(UnknownWordError, match="line 2 has 'dog', which the training text does not have"):
        encode("the\ndog", build_vocabulary("the cat"))


@pytest.fixture
def folder(tmp_path):
    vocabulary = build_vocabulary(TRAIN)
    write_tokens(tmp_path, vocabulary, {"train": encode(TRAIN, vocabulary), "test": encode("cat", vocabulary)})
    return tmp_path


def test_stored_tokens(folder):
    stored = StoredTokens.open(folder)
    assert stored.vocabulary == ("the", "cat", "<eos>", "sat", "<unk>")
    assert stored.splits == ("train", "test")
    assert [stored.vocabulary[token] for token in stored.ids("test")] == ["cat", "<eos>"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda folder: (folder / "vocabulary.txt").unlink(), "No such file", id="no-vocabulary"),
        pytest.param(lambda folder: (folder / "vocabulary.txt").write_text("a\na"), "distinct words", id="twice"),
        pytest.param(lambda folder: (folder / "vocabulary.txt").write_bytes(b"\xff"), "damaged", id="not-utf-8"),
        pytest.param(lambda folder: (folder / "train_ids.npy").unlink(), "No such file", id="no-ids"),
        pytest.param(lambda folder: np.save(folder / "train_ids.npy", np.array([9], np.int32)), "ids of", id="id-9"),
        pytest.param(lambda folder: np.save(folder / "train_ids.npy", np.array([0.5])), "ids of", id="half"),
        pytest.param(lambda folder: np.save(folder / "train_ids.npy", np.zeros(0, np.int32)), "ids of", id="none"),
    ],
)
def test_damage_is_refused(folder, damage, message):
    damage(folder)
    with pytest.raises(DataError, match=message):
        StoredTokens.open(folder).ids("train")


def test_token_batch_targets_are_the_next_tokens():
    tokens = np.arange(100, dtype=np.int32)
    batch = draw_token_batch(tokens, size=12, length=7, seed=3)
    assert batch.inputs.shape == (12, 7)
    assert np.array_equal(batch.targets, batch.inputs + 1)
    assert np.array_equal(np.diff(batch.inputs, axis=1), np.ones((12, 6)))
    assert len(set(batch.inputs[:, 0].tolist())) == 12


def test_token_batch_depends_on_its_seed():
    tokens = np.arange(100, dtype=np.int32)
    first, again, other = (draw_token_batch(tokens, 12, 7, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.inputs, again.inputs)
    assert not np.array_equal(first.inputs, other.inputs)


def test_token_batch_may_use_the_whole_text():
    batch = draw_token_batch(np.arange(10, dtype=np.int32), size=3, length=7, seed=0)
    assert sorted(batch.targets[:, -1].tolist()) == [7, 8, 9]


def test_token_batch_of_a_text_that_is_too_short():
    with pytest.raises(DataError, match="4 pieces of 7 tokens were asked for, and the text has 10 tokens"):
        draw_token_batch(np.arange(10, dtype=np.int32), size=4, length=7, seed=0)
