from pathlib import Path

import pytest
from nasbench_toolkit.benchmarks_data.text.alice import load_alice
from nasbench_toolkit.experiments.alice_text import chapters, parts
from nasbench_toolkit.plugins.datasets import ALICE

NOTE = Path(__file__).parents[3] / "benchmarks_data" / "alice.md"

BOOK = """
                 A BOOK

                            CHAPTER I

                      Down the Well

  `Oh dear!' said the WHITE
Rabbit--it had a waist-
coat, didn't it?

     *       *       *

  The end of it.

                            CHAPTER II

                      Up

  The well.

                            THE END
"""


def test_parts_are_as_large_as_the_note_and_the_description_say():
    ids = load_alice()
    sizes = {part: len(tokens) for part, tokens in ids.items()}
    assert sizes == {"train": 29_169, "valid": 2_506, "test": 2_759}
    assert all(f"{size:,}" in NOTE.read_text() for size in sizes.values())
    assert "29,169 tokens to train on, 2,759 to test on, 1,338 different ones" in ALICE.summary
    assert 1 + max(int(tokens.max()) for tokens in ids.values()) == ALICE.num_classes == 1_338


def test_a_chapter_is_its_paragraphs_in_words():
    assert chapters(BOOK) == [
        [
            ["`", "oh", "dear", "!", "'", "said", "the", "white", "rabbit", "--", "it", "had", "a", "waist-coat", ",",
             "didn't", "it", "?"],
            ["the", "end", "of", "it", "."],
        ],
        [["the", "well", "."]],
    ]  # fmt: skip


def test_words_that_occur_once_in_training_are_unknown_everywhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nasbench_toolkit.experiments.alice_text.NUM_TRAINING_CHAPTERS", 1)
    made = parts(BOOK)
    assert made["train"].splitlines()[1] == "the <unk> <unk> it <unk>"
    assert made["test"] == "the <unk> <unk>\n"
