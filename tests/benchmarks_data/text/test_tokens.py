import re

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.text.tokens import (
    StoredTokens,
    UnknownWordError,
    build_vocabulary,
    encode,
    write_tokens,
)
from nasbench_toolkit.benchmarks_data.text.vocabulary_file import count_words
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


@pytest.mark.parametrize(
    ("training", "remedy"),
    [(TRAIN, "Write <unk> for words that it does not have"), ("the cat", "Write <unk> for rare words in all parts")],
)
def test_encode_unknown_words(training, remedy):
    message = f"line 2 has 'dog', which the training text does not have. {remedy}"
    with pytest.raises(UnknownWordError, match=re.escape(message)):
        encode("the\ndog", build_vocabulary(training))


@pytest.fixture
def folder(tmp_path):
    vocabulary = build_vocabulary(TRAIN)
    write_tokens(tmp_path, vocabulary, {"train": encode(TRAIN, vocabulary), "test": encode("cat", vocabulary)})
    return tmp_path


def test_words_are_counted_without_reading_the_text(folder, tmp_path):
    assert count_words(folder) == 5
    assert count_words(tmp_path / "nowhere") is None


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
