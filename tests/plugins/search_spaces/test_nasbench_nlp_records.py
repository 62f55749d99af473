"""Searches among the recurrent cells of a table."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.core.interfaces import SearchSpace
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.search.outcome import TableSummary
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH_NLP_EMBEDDING_SOURCE, NASBENCH_NLP_SOURCE
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.canonical import canonical_recipe
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.records import RecordedCells, cell_parts


def cell(*activations: str) -> str:
    """Return a chain of linear maps with these activations."""
    nodes, value = {}, "h_prev_0"
    for number, activation in enumerate(activations):
        nodes[f"f{number}"] = {"op": "linear", "input": ["x", value]}
        value = f"a{number}"
        nodes[value] = {"op": f"activation_{activation}", "input": [f"f{number}"]}
    nodes["h_new_0"] = nodes.pop(value)
    return canonical_recipe(json.dumps(nodes))


CELLS = [cell("tanh"), cell("sigm"), cell("tanh", "tanh"), cell("tanh", "tanh", "sigm"), cell("sigm", "sigm", "sigm")]


def test_parts_are_operations_and_their_inputs_by_kind() -> None:
    assert cell_parts(CELLS[2]) == Counter(
        {
            ("linear",): 2,
            ("activation_tanh",): 2,
            ("output", "activation_tanh"): 1,
            ("linear", "x", ""): 2,
            ("linear", "state", ""): 1,
            ("linear", "activation_tanh", ""): 1,
            ("activation_tanh", "linear", "0"): 2,
        }
    )


def test_a_mutant_is_the_nearest_record_of_those_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    records = RecordedCells(CELLS)
    monkeypatch.setattr("nasbench_toolkit.plugins.search_spaces.other_records.DRAWN_SHARE", 1.0)
    rng = np.random.default_rng(0)
    # The first has six parts, all of them among the eleven of the third, and three in common with the second's six.
    assert records.mutate(CELLS[0], rng) == CELLS[2]
    # Six of its six are among the sixteen of both the fourth and the fifth.
    assert records.mutate(CELLS[1], rng) == CELLS[3]
    # A cell that is no record, with an activation that no record has.
    assert records.mutate(cell("tanh", "leaky_relu", "sigm"), rng) == CELLS[3]


def test_of_a_small_table_a_tenth_is_drawn() -> None:
    records, rng = RecordedCells(CELLS), np.random.default_rng(0)
    assert {records.mutate(CELLS[0], rng) for _ in range(60)} == set(CELLS[1:])
    assert RecordedCells(CELLS[:1]).mutate(CELLS[0], rng) == CELLS[0]


def test_in_the_embedding_a_mutant_has_the_smallest_angle_to_a_noisy_vector() -> None:
    angles = np.radians([0, 20, 90, 200])
    vectors = {text: 2 * np.array([np.cos(a), np.sin(a)]) for text, a in zip(CELLS, angles, strict=False)}
    records = RecordedCells(CELLS, vectors)
    observed = Counter(records.mutate(CELLS[0], np.random.default_rng(seed)) for seed in range(2000))
    # Written out: the first of the five deviations whose noise leads to another cell.
    low, high = np.array(list(vectors.values())).min(0), np.array(list(vectors.values())).max(0)
    expected: Counter[str] = Counter()
    rng = np.random.default_rng(0)
    for _ in range(20_000):
        for deviation in (0.5, 1, 2, 4, 8):
            x, y = np.clip(vectors[CELLS[0]] + rng.normal(0, deviation, 2), low, high)
            turned = np.abs((np.arctan2(y, x) - angles + np.pi) % (2 * np.pi) - np.pi)
            if turned.argmin() != 0:
                break
        expected[CELLS[turned.argmin()]] += 1
    for text in CELLS[:4]:
        assert observed[text] / 2000 == pytest.approx(expected[text] / 20_000, abs=0.04)
    # A cell without a vector moves by its parts.
    assert {records.mutate(CELLS[4], np.random.default_rng(seed)) for seed in range(60)} == set(CELLS[:4])


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SearchSpace:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path / "data"))
    table = tmp_path / "table.csv"
    quoted = [text.replace('"', '""') for text in CELLS]
    rows = [f'{100 + i},"{text}",{5 + i},{4 + i if i < 3 else ""}' for i, text in enumerate(quoted)]
    table.write_text("\n".join(["recipe_id,architecture,ptb/test_loss,wikitext-2/test_loss", *rows]))
    import_data(NASBENCH_NLP_SOURCE.create(), table, lambda done, total: None)
    return installed_plugins().search_space("nasbench-nlp").info.create()


def test_with_a_table_a_search_stays_among_its_cells(space: SearchSpace) -> None:
    rng, text = np.random.default_rng(1), CELLS[0]
    for _ in range(20):
        mutant = space.mutate(text, rng)
        assert mutant in CELLS
        assert mutant != text
        text = mutant
    assert space.neighbours(text) is None
    respelled = json.dumps(json.loads(text), indent=1)
    assert space.mutate(respelled, np.random.default_rng(2)) == space.mutate(text, np.random.default_rng(2))


def test_with_a_metric_only_cells_that_have_it_are_sampled(space: SearchSpace) -> None:
    table = space.ground_truth()
    assert table is not None
    metric = next(metric for metric in table.metrics if metric.dataset == "wikitext-2")
    compared = space.compared_by(metric)
    assert (space.size, compared.size) == (5, 3)
    assert set(compared.sample(3, np.random.default_rng(0))) == set(CELLS[:3])
    assert "3 cells of the imported table with the metric" in compared.sampling
    assert {compared.mutate(CELLS[0], np.random.default_rng(seed)) for seed in range(20)} == set(CELLS[1:3])


def test_regret_on_penn_treebank_is_measured_from_the_lstm(space: SearchSpace) -> None:
    """As in section 4.4 of the GenNAS paper; the best cell of this table has a loss of 5."""
    table = space.ground_truth()
    assert table is not None
    regrets = {metric.key: TableSummary.read(table, metric).regret(6.0) for metric in table.metrics}
    assert regrets == {"ptb/test_loss": pytest.approx(6.0 - 4.36), "wikitext-2/test_loss": pytest.approx(6.0 - 4.0)}


def test_a_search_says_what_its_regret_is_measured_from(space: SearchSpace, nasbench, tmp_path: Path) -> None:
    command = ("search", "--space", space.name, "--metric", "ptb/test_loss", "-e", "oracle", "-s", "random-search")
    done = nasbench(*command, "-n", 5, "-o", "s.h5")
    assert done.returncode == 0, done.stderr
    printed = " ".join(done.stdout.split())
    assert "best of the table: 5 nats regret from: 4.36 nats rank: 1 of 5 regret: 0.64 nats" in printed
    found = json.loads(nasbench(*command, "-n", 5, "-o", "s.h5", "--resume", "-f", "json").stdout)
    assert found["metric"]["optimum"] == 4.36
    assert found["searches"][0]["regret_curve"][-1] == pytest.approx(0.64)
    report = " ".join(nasbench("report", "s.h5").stdout.split())
    assert "measured with ptb/test_loss, nats, regret from 4.36" in report


def import_embedding(folder: Path, text: str) -> None:
    path = folder / "doc2vec_features_lowdim.csv"
    path.write_text(text)
    import_data(NASBENCH_NLP_EMBEDDING_SOURCE.create(), path, lambda done, total: None)


def test_an_imported_embedding_decides_what_is_near(space: SearchSpace, tmp_path: Path) -> None:
    """The first and the last cell lie in one direction, whatever their parts; 999 is a recipe of another table."""
    lines = ["recepie_id,v00,v01", "104,3,0.1", "101,-1,2", "100,3,0", "102,-2,-1", "103,-2,2", "999,1,1"]
    import_embedding(tmp_path, "\n".join(lines))
    fresh = installed_plugins().search_space("nasbench-nlp").info.create()
    mutants = Counter(fresh.mutate(CELLS[0], np.random.default_rng(seed)) for seed in range(100))
    assert set(mutants) <= set(CELLS)
    assert mutants[CELLS[4]] > 60
    # As in the benchmark's code, it is the cell itself if no noise leads elsewhere.
    assert mutants[CELLS[0]] < 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not begin with a line 'recepie_id,v00,v01,..'"),
        ("id,v00\n1,2", "does not begin with a line"),
        ("recepie_id,v00\n", "has no vectors"),
        ("recepie_id,v00,v01\n1,2", "line 2: it has 1 numbers, the first line names 2"),
        ("recepie_id,v00\n1,2\nx,2", "line 3: invalid literal"),
        ("recepie_id,v00\n1,two", "line 2: could not convert"),
        ("recepie_id,v00\n1,0_1", "line 2: not a number: '0_1'"),
        ("recepie_id,v00\n\n1,nan", "line 3: its numbers are not finite"),
        ("recepie_id,v00\n1,0", "all zero, which is no direction"),
        ("recepie_id,v00\n1,2\n1,3", "two lines for the recipe 1"),
        ('recepie_id,v00\n"1,2', "is no CSV in UTF-8"),
    ],
)
def test_what_is_no_embedding_is_refused(text: str, message: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=message):
        import_embedding(tmp_path, text)
    assert not (tmp_path / "data/nasbench-nlp-embedding").exists()
