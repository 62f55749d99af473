import dataclasses
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.documents.rendering import render
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.planning.aggregation import AggregateSpec, find_aggregate, match_components
from nasbench_toolkit.core.planning.evaluators import EvaluatorFactory
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.statistics.correlation import spearman_rho
from nasbench_toolkit.core.statistics.estimates import bootstrapped
from nasbench_toolkit.core.statistics.failures import FailurePolicy
from nasbench_toolkit.core.statistics.resampling import Resampling
from nasbench_toolkit.reports import correlation_document, correlation_table
from nasbench_toolkit.reports.aggregates import cohort_ranks, select_aggregate
from nasbench_toolkit.reports.select import select

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")
FAILED, PENDING = Status.DIVERGED, Status.PENDING


def spec(text) -> AggregateSpec:
    found = find_aggregate(text, installed_plugins())
    assert found is not None
    return found


@pytest.fixture
def three(results, evaluator):
    """Synflow and snip agree; jacob_cov disagrees on the order of the last two."""
    return results(
        evaluator("synflow", 1, 2, 3, 4),
        evaluator("jacob_cov", -4, -3, -1, -2),
        evaluator("snip", 0.1, 0.2, 0.3, 0.4),
        truth={ACCURACY: [10, 20, 30, 40]},
    )


def test_cohort_ranks_ties_and_failures_share_theirs():
    ranks = cohort_ranks([np.array([3.0, math.nan, 5.0, math.nan, 5.0])])
    assert ranks.tolist() == [[3.0, 1.5, 4.5, 1.5, 4.5]]


def test_vote_is_what_two_of_three_say(three):
    row = correlation_table(three, aggregates=[spec("vote")]).rows[-1]
    assert (row.label, row.rho.value, row.n, row.components) == ("vote", 1.0, 4, ("synflow", "jacob_cov", "snip"))
    assert list(row.figures.values()) == [1.0]


def test_vote_pair_agreement_counts_undecided_pairs_half(results, evaluator):
    # Pairs (1,2): all three right. (1,3): synflow ties, the others right: right. (2,3): synflow right, jacob_cov ties,
    # snip wrong: no majority, one half. Two and a half of three pairs.
    table = correlation_table(
        results(
            evaluator("synflow", 1, 0, 1),
            evaluator("jacob_cov", 3, 1, 1),
            evaluator("snip", 3, 2, 1),
            truth={ACCURACY: [30, 10, 20]},
        ),
        aggregates=[spec("vote")],
    )
    assert list(table.rows[-1].figures.values()) == [pytest.approx(5 / 6)]


def test_vote_pair_agreement_equals_the_loop_over_ordered_pairs():
    # As in the released code: a positive majority of differences says that the first is better, anything else that not.
    rng = np.random.default_rng(0)
    ranks, truth = rng.integers(4, size=(3, 30)).astype(float), rng.integers(8, size=30).astype(float)
    right = pairs = 0
    for first, second in itertools.permutations(range(30), 2):
        if truth[first] != truth[second]:
            says_better = (ranks[:, first] > ranks[:, second]).sum() >= 2
            right += says_better == (truth[first] > truth[second])
            pairs += 1
    made = installed_plugins().aggregate("vote").info.create()
    assert list(made.figures(ranks, truth).values()) == [pytest.approx(right / pairs, rel=1e-12)]


def test_vote_works_in_chunks(three, monkeypatch):
    whole = correlation_table(three, aggregates=[spec("vote")])
    monkeypatch.setattr("nasbench_toolkit.plugins.evaluators.aggregates.vote.CHUNK_PAIRS", 1)
    assert correlation_table(three, aggregates=[spec("vote")]).rows[-1] == whole.rows[-1]


def test_rank_sum_adds_oriented_ranks(results, evaluator):
    # Condition numbers 9, 1, 4 rank 1, 3, 2; regions 5, 6, 7 rank 1, 2, 3: sums 2, 5, 5.
    content = results(
        evaluator("te_nas_ntk", 9, 1, 4, direction=Direction.MINIMIZE),
        evaluator("te_nas_regions", 5, 6, 7),
        truth={ACCURACY: [1, 2, 3]},
    )
    row = correlation_table(content, aggregates=[spec("te_nas")]).rows[-1]
    assert row.ties == 2
    assert row.rho.value == pytest.approx(math.sqrt(3) / 2)  # ranks 1, 2.5, 2.5 with 1, 2, 3


def test_log_rank_sum_punishes_one_bad_rank():
    made = installed_plugins().aggregate("az_nas").info.create()
    ranks = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert made.combine(ranks).tolist() == pytest.approx([math.log(1 / 3), 2 * math.log(2 / 3), math.log(1 / 3)])
    # Ranks are compared with the number of architectures, also where the best share theirs.
    assert made.combine(np.array([[1.0, 2.5, 2.5]])).tolist() == pytest.approx(np.log([1 / 3, 5 / 6, 5 / 6]).tolist())


def test_aggregates_depend_on_the_cohort(results, evaluator):
    evaluators = (evaluator("naswot", 1, 2, 3, 9), evaluator("synflow", 3, 2, 1, 9))
    all_known = correlation_table(
        results(*evaluators, truth={ACCURACY: [1, 2, 3, 4]}), aggregates=[spec("rank_sum:naswot+synflow")]
    )
    fewer = correlation_table(
        results(*evaluators, truth={ACCURACY: [1, 2, 3, math.nan]}), aggregates=[spec("rank_sum:naswot+synflow")]
    )
    assert all_known.rows[-1].rho.value is not None
    assert fewer.rows[-1].note == "undefined (constant score)"


@pytest.mark.parametrize(("policy", "n", "failures"), [("worst", 4, 1), ("omit", 2, 2)])
def test_failed_components(results, evaluator, policy, n, failures):
    content = results(
        evaluator("naswot", 1, FAILED, 3, FAILED),
        evaluator("synflow", 1, 2, 3, FAILED),
        truth={ACCURACY: [1, 2, 3, 4]},
    )
    row = correlation_table(content, failures=policy, aggregates=[spec("rank_sum:naswot+synflow")]).rows[-1]
    assert (row.n, row.num_failures) == (n, failures)
    assert set(row.failures) == {FAILED}


def test_pending_components_leave_the_aggregate_pending(results, evaluator):
    content = results(evaluator("naswot", 1, PENDING, 3), evaluator("synflow", 1, 2, 3), truth={ACCURACY: [1, 2, 3]})
    row = correlation_table(content, aggregates=[spec("rank_sum:naswot+synflow")]).rows[-1]
    assert (row.n, row.pending) == (2, 1)


def test_seconds_of_an_aggregate_are_those_of_its_components(results, evaluator):
    content = results(evaluator("naswot", 1, 1), evaluator("synflow", 2, 2), truth={ACCURACY: [1, 2]})
    assert correlation_table(content, aggregates=[spec("rank_sum:naswot+synflow")]).rows[-1].median_seconds == 3.5


@pytest.mark.parametrize("policy", ["worst", "omit"])
@pytest.mark.parametrize("name", ["vote", "rank_sum:synflow+jacob_cov+snip"])
def test_intervals_are_of_aggregates_made_again_in_each_resample(results, evaluator, monkeypatch, name, policy):
    few = Resampling(60)
    monkeypatch.setattr("nasbench_toolkit.reports.correlation.Resampling", lambda: few)
    generator = np.random.default_rng(0)
    truth = generator.normal(size=12)
    scores = {
        label: (truth + generator.normal(size=12)).round(1).tolist() for label in ("synflow", "jacob_cov", "snip")
    }
    scores["snip"][3] = FAILED
    scores = {label: [*values[:5], FAILED, *values[6:]] for label, values in scores.items()}
    content = results(*[evaluator(label, *values) for label, values in scores.items()], truth={ACCURACY: truth})
    row = correlation_table(content, failures=policy, aggregates=[spec(name)]).rows[-1]

    kept = np.arange(12) if policy == "worst" else np.delete(np.arange(12), [3, 5])
    drawn = np.concatenate(list(few.draws(kept.size)))
    expected = []
    for each in drawn:
        part = results(
            *[evaluator(label, *[values[arch] for arch in kept[each]]) for label, values in scores.items()],
            truth={ACCURACY: truth[kept[each]]},
        )
        selected = select_aggregate(spec(name), select(part), FailurePolicy(policy)).selection
        ranked = np.where(selected.ok, selected.scores, -math.inf)
        expected.append(spearman_rho(ranked, truth[kept[each]]))
    resampled = np.array([math.nan if value is None else value for value in expected])
    assert row.rho == bootstrapped(row.rho.value, resampled, kept.size)
    assert (row.n, row.tau.low) == (kept.size, None)


def test_an_aggregate_that_fails_in_a_resample_has_no_correlation_there(three):
    made = select_aggregate(spec("vote"), select(three), FailurePolicy.WORST)

    class Fails(type(made.made)):
        def combine_resamples(self, ranks, counts):
            return None

        def combine(self, ranks):
            return ranks[0] if len(set(ranks[0])) > 2 else np.full(ranks.shape[1], math.nan)

    resampled = dataclasses.replace(made, made=Fails()).resampled(
        spearman_rho, np.arange(4.0), np.ones(4, bool), Resampling(50)
    )
    drawn = np.concatenate(list(Resampling(50).draws(4)))
    assert [not math.isnan(rho) for rho in resampled] == [len(set(row.tolist())) > 2 for row in drawn]


TASK = Path(__file__).parents[2] / "examples/my-task.json"


def headers(*texts):
    """Return evaluators as a run of nasbench201-tiny plans them."""
    plugins = installed_plugins()
    space, dataset = plugins.search_space("nasbench201-tiny").info, plugins.dataset("mnist").info
    return [EvaluatorFactory(space, dataset, plugins).make(text).header for text in texts]


@pytest.mark.parametrize(
    ("aggregate", "evaluators", "expected"),
    [
        ("vote", ["snip:batch_size=8", "snip", "synflow", "jacob_cov:batch_size=8"], (2, 3, 1)),
        # The same settings in other words: a default that is given, a number in another form, another order.
        ("rank_sum:synflow+params", ["synflow:network=narrow", "params", "synflow:network=benchmark"], (2, 1)),
        ("rank_sum:cls:epochs=1+params", ["params", "cls@ep1"], (1, 0)),
        ("rank_sum:cls@ep10+params", ["cls@ep1", "params", "cls"], (2, 1)),
        (
            "rank_sum:zen:repeats=2,batch_size=4+params",
            ["zen:repeats=3", "zen:batch_size=04,repeats=2", "params"],
            (1, 2),
        ),
    ],
)
def test_match_components_finds_the_same_settings(aggregate, evaluators, expected):
    assert match_components(spec(aggregate), headers(*evaluators)) == expected


def test_match_components_takes_the_only_one_of_a_name_that_needs_settings():
    with_task, params = headers(f"gennas:task={TASK}", "params")
    assert match_components(spec("rank_sum:gennas+params"), [params, with_task]) == (1, 0)


def test_match_components_leaves_the_metric_to_the_space():
    (first, second), (params,) = headers("synflow", "synflow:network=narrow"), headers("params")
    early, other = (
        dataclasses.replace(header, name="halfway", label=f"halfway:{place}", settings={**settings, "metric": "a/b@1"})
        for place, (header, settings) in enumerate(((first, {"epochs": None}), (second, {"epochs": 5})))
    )
    assert match_components(spec("rank_sum:halfway+params"), [other, early, params]) == (1, 2)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["synflow", "snip"], "'jacob_cov' is needed, and the file does not have it. It has synflow, snip. Score the"),
        (["synflow", "snip", "jacob_cov:batch_size=8", "jacob_cov:batch_size=9"], "has 2 of them, none with these se"),
    ],
)
def test_match_components_refuses(labels, message):
    with pytest.raises(UsageError, match=message):
        match_components(spec("vote"), headers(*labels))


def test_reports_say_what_the_interval_of_an_aggregate_is_of(results, evaluator):
    scores = [3, 1, 2, 5, 4, 7, 6, 9, 8, 10, 12, 11]
    made = results(
        *(evaluator(name, *scores) for name in ("synflow", "jacob_cov", "snip")), truth={ACCURACY: sorted(scores)}
    )
    text = render(correlation_document(correlation_table(made, aggregates=[spec("vote")])), "markdown")
    assert "compared here, and for its interval among those of each resample." in text


def test_reports_name_components_and_figures(three):
    table = correlation_table(three, aggregates=[spec("vote")])
    text = render(correlation_document(table), "markdown")
    assert "made of the ranks of synflow, jacob\\_cov, snip among the architectures compared here." in text
    assert "vote: 1.000 is the share of pairs that two of three order as the metric does" in text
    last = json.loads(render(correlation_document(table), "json"))["evaluators"][-1]
    assert last["components"] == ["synflow", "jacob_cov", "snip"]
    assert list(last["figures"].values()) == [1.0]
    assert len(table.pairwise) == 3
    assert render(correlation_document(table), "csv").count("\n") == 5
    assert "vote" in render(correlation_document(table, pairwise=True), "table")
