import pytest
from nasbench_toolkit.core.data.data_home import data_home, import_data, verify_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.plugins.search_spaces import NASBENCH101
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH101_SOURCE
from nasbench_toolkit.plugins.search_spaces.nasbench101 import source
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import parse_cell
from nasbench_toolkit.plugins.search_spaces.nasbench101.reference import reference_hash

# Rows of the benchmark's own table.
ROWS = (
    (
        "00005c142e6f48ac74fdcf73e3439874",
        "100110100001001010101:conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu",
        8_555_530,
        92.060632,
    ),
    (
        "0000718c96730a92ea6d5242f8ce77e2",
        "100000100001000111101:conv1x1-bn-relu,conv1x1-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu,conv3x3-bn-relu",
        5_878_154,
        88.645166,
    ),
    (
        "0000cb5372fad9d62c470df699ac6d52",
        "100010100101000101101:conv3x3-bn-relu,maxpool3x3,conv1x1-bn-relu,maxpool3x3,conv1x1-bn-relu",
        3_729_162,
        92.264289,
    ),
)
# Another row, and a spelling of its cell in which other vertices share the output's channels unequally: by itself that
# one has 2,490,930 parameters.
UNEQUAL_SHARES = (
    "000191735c964ed3522167de6c847cfe",
    "100000100011100001101:conv1x1-bn-relu,conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,maxpool3x3",
    2_479_416,
    90.137553,
)
RENUMBERED = "100000100011010100011:conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3,maxpool3x3"


@pytest.fixture
def import_rows(tmp_path):
    """Import rows of (hash, cell, parameters, accuracy)."""

    def run(rows):
        path = tmp_path / "cells.csv"
        lines = [f'{module_hash},"{cell}",{count},{accuracy}' for module_hash, cell, count, accuracy in rows]
        header = "module_hash,architecture,trainable_parameters,cifar10/test_accuracy@108"
        path.write_text("\n".join([header, *lines]) + "\n")
        return import_data(NASBENCH101_SOURCE.create(), path, lambda done, total: None)

    return run


def test_import_stores_one_row_a_cell_and_says_what_is_missing(import_rows):
    manifest = import_rows(ROWS)
    assert manifest.items == 3
    assert any("3 of the 423,624" in note for note in manifest.notes)


def test_verify_recomputes_the_hash_of_every_cell(import_rows):
    import_rows(ROWS)
    told = []
    assert verify_data(NASBENCH101_SOURCE.create(), lambda *counts: told.append(counts)).items == 3
    assert told[-1] == (3, 3)
    assert [reference_hash(parse_cell(cell)) for _, cell, *_ in ROWS] == [module_hash for module_hash, *_ in ROWS]


def test_verify_refuses_a_hash_that_two_codes_disagree_on(import_rows, monkeypatch):
    import_rows(ROWS)
    monkeypatch.setattr(source, "module_hash", lambda cell: "0" * 32)
    with pytest.raises(DataError, match=r"row 0: '1.*' has the hash 0{32}, expected 0000[0-9a-f]{28}\."):
        verify_data(NASBENCH101_SOURCE.create(), lambda done, total: None)


def test_verify_refuses_one_cell_in_two_rows(import_rows, monkeypatch):
    import_rows(ROWS)
    spellings = [UNEQUAL_SHARES[1], RENUMBERED]
    monkeypatch.setattr(source.StoredTable, "arch_ids", spellings)
    message = rf"row 1: '{spellings[1]}' and '{spellings[0]}' are one cell with the hash {UNEQUAL_SHARES[0]}"
    with pytest.raises(DataError, match=message):
        verify_data(NASBENCH101_SOURCE.create(), lambda done, total: None)


def test_import_refuses_parameters_of_another_cell(import_rows):
    swapped = (ROWS[0], (*ROWS[1][:2], ROWS[2][2], ROWS[1][3]))
    with pytest.raises(
        DataError, match=r"cells.csv', line 3: trainable_parameters is 3729162, but .* has 5878154\. .* get it again"
    ):
        import_rows(swapped)
    assert list(data_home().iterdir()) == []


def test_import_refuses_the_hash_of_another_cell(import_rows):
    swapped = (ROWS[0], (ROWS[2][0], *ROWS[1][1:]))
    with pytest.raises(DataError, match="line 3: module_hash is 0000cb5372fad9d62c470df699ac6d52, but .* 0000718c9673"):
        import_rows(swapped)


def test_import_takes_another_numbering_of_the_vertices(import_rows):
    import_rows([(UNEQUAL_SHARES[0], RENUMBERED, *UNEQUAL_SHARES[2:])])
    space = NASBENCH101.create()
    assert space.canonicalize(RENUMBERED) == UNEQUAL_SHARES[1]
    table = space.ground_truth()
    assert table.values(table.metrics[0], [UNEQUAL_SHARES[1]]) == [UNEQUAL_SHARES[3]]


def test_import_names_the_line_of_a_cell_that_is_none(import_rows):
    broken = ROWS[2][1].replace("conv1x1-bn-relu", "conv1x1", 1)
    with pytest.raises(DataError, match=r"cells.csv', line 4: .*unknown operation 'conv1x1' at vertex 3. Did you mean"):
        import_rows((*ROWS[:2], (ROWS[2][0], broken, *ROWS[2][2:])))
