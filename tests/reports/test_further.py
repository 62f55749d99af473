import json

import numpy as np
import pytest
from nasbench_toolkit.core.documents.rendering import Format, render
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.statistics.correlation import pearson_r, weighted_tau
from nasbench_toolkit.core.statistics.top import best_of_top, ndcg, retrieving_rate
from nasbench_toolkit.reports import correlation_document, correlation_table

LOSS = Metric("mnist", "test", "cross_entropy", 3, Direction.MINIMIZE, "nats")


@pytest.fixture
def drawn():
    generator = np.random.default_rng(0)
    losses = generator.random(40)
    return losses, -losses + 0.3 * generator.normal(size=40)


def test_further_statistics_are_of_turned_sides(results, evaluator, drawn):
    losses, scores = drawn
    content = results(evaluator("proxy", Status.FAILED, *scores[1:]), truth={LOSS: losses})
    (row,) = correlation_table(content, further=True).further
    ranked = np.array([-np.inf, *scores[1:]])
    assert row.pearson == pearson_r(scores[1:], -losses[1:])
    assert (row.weighted_tau, row.ndcg) == (weighted_tau(ranked, -losses), ndcg(ranked, -losses))
    assert row.retrieval == retrieving_rate(ranked, -losses, top_fraction=0.1)
    assert row.best == best_of_top(ranked, -losses, 10)


def test_nothing_is_found_among_failures(results, evaluator):
    content = results(evaluator("proxy", *[Status.FAILED] * 20), truth={LOSS: range(20)})
    table = correlation_table(content, further=True)
    assert (table.further[0].retrieval, table.further[0].best, table.further[0].pearson) == (None, None, None)
    (parsed,) = json.loads(render(correlation_document(table), Format.JSON))["evaluators"]
    assert (parsed["retrieving_rate"], parsed["best_of_top"], parsed["regret"]) == (None, None, None)


def test_further_statistics_are_shown_on_request(results, evaluator, drawn):
    losses, scores = drawn
    content = results(evaluator("proxy", *scores.round(1)), truth={LOSS: losses})
    plain, table = correlation_table(content), correlation_table(content, further=True)
    assert "weighted tau" not in render(correlation_document(plain))
    text = render(correlation_document(table))
    assert max(map(len, text.splitlines())) <= 80
    assert "top 10% is an expectation over ties at the border: proxy." in text
    (parsed,) = json.loads(render(correlation_document(table), Format.JSON))["evaluators"]
    # As the metric has it: a loss, the lowest of ten.
    assert parsed["best_of_top"] == -table.further[0].best.value > 0
    assert parsed["retrieving_k"] == 4
    assert "regret" in render(correlation_document(table), Format.CSV).splitlines()[0]
