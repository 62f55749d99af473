import pytest
from nasbench_toolkit.plugins.search_spaces.index_lists import read_index_list


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("12", (12,)),
        ("-1", (-1,)),
        ("(4, 0, 3, 1, 4, 3)", (4, 0, 3, 1, 4, 3)),
        ("[4,0,3]", (4, 0, 3)),
        ("4, 0, 3", (4, 0, 3)),
        ("(7,)", (7,)),
        ("([7])", (7,)),
    ],
)
def test_lists_of_whole_numbers_are_read(text, numbers):
    assert read_index_list(text) == numbers


@pytest.mark.parametrize("text", ["", "()", "4 0", "4.5", "(4", "4)", "[4)", "٣", "1_0", "|none~0|", "1,,2"])
def test_other_texts_are_no_lists(text):
    assert read_index_list(text) is None


def test_a_number_of_many_digits_stays_large():
    assert read_index_list("9" * 10_000)[0] >= 10**9
