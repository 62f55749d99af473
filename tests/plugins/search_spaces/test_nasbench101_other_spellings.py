import numpy as np
import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces import NASBENCH101
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import OPERATIONS, parse_cell
from nasbench_toolkit.plugins.search_spaces.nasbench101.other_spellings import own_notation

# NASLib's own list of names, by which it writes a cell's operations.
NAMES = ["input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu"]


def naslib_numbers(text):
    """Write a cell as NASLib's `convert_spec_to_tuple` does."""
    cell = parse_cell(text)
    matrix = np.zeros((cell.num_vertices, cell.num_vertices), int)
    for edge in cell.edges:
        matrix[edge] = 1
    return str((*matrix.flatten().tolist(), *map(NAMES.index, ["input", *cell.ops, "output"])))


def test_naslib_numbers_are_read():
    numbers = "(0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 2, 1)"
    assert own_notation(numbers) == "101101:conv3x3-bn-relu,maxpool3x3"
    assert own_notation("101:maxpool3x3") == "101:maxpool3x3"


def test_every_entry_of_the_space_reads_them():
    space = NASBENCH101.create()
    texts = space.sample(20, np.random.default_rng(0))
    assert space.canonicalize_many([naslib_numbers(text) for text in texts]) == texts
    numbers = naslib_numbers(texts[0])
    assert space.neighbours(numbers) == space.neighbours(texts[0])
    assert space.cell_graphs(numbers) == space.cell_graphs(texts[0])
    assert space.mutate(numbers, np.random.default_rng(1)) == space.mutate(texts[0], np.random.default_rng(1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(0, 1, 0, 0, 0, 1, 1)", "has 7 numbers. NASLib writes n \\* n \\+ n of them .* one of 6, 12, 20, 30, 42, 56"),
        ("(0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 4, 1)", "row 1, column 2 of its matrix is 2; expected 0, or 1"),
        ("(0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 4, 1)", "row 1, column 0 of its matrix is 1"),
        ("(0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1)", r"ends in the operations \[0, 1, 1\]; expected input, inner"),
        ("(0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 5, 1)", r"operations \[0, 5, 1\]; .* 4 conv3x3-bn-relu"),
        ("(0, x)", r"has no ':'"),
    ],
)
def test_what_are_not_naslib_numbers_is_refused(text, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        NASBENCH101.create().canonicalize(text)


def test_operations_are_those_of_the_space():
    assert set(NAMES[2:]) == set(OPERATIONS)
