import numpy as np
import pytest
from nasbench_toolkit.core.statistics.influence import rho_influence, tau_influence


def sample(decimals):
    generator = np.random.default_rng(4)
    truth = generator.normal(size=60)
    return (truth + generator.normal(size=60)).round(decimals), truth.round(decimals)


def weighted_rho(scores, truth, weights):
    """Spearman's rho of a distribution that gives these weights to the items."""
    ranks = [np.array([weights[side < value].sum() + weights[side == value].sum() / 2 for value in side]) - 0.5
             for side in (scores, truth)]  # fmt: skip
    products = [(weights * first * second).sum() for first, second in (ranks, [ranks[0]] * 2, [ranks[1]] * 2)]
    return products[0] / np.sqrt(products[1] * products[2])


def weighted_tau_b(scores, truth, weights):
    """Kendall's tau-b of a distribution that gives these weights to the items."""
    by_score, by_truth = (np.sign(side[:, None] - side[None, :]) for side in (scores, truth))
    pairs = weights[:, None] * weights[None, :]
    untied = (pairs * by_score**2).sum() * (pairs * by_truth**2).sum()
    return (pairs * by_score * by_truth).sum() / np.sqrt(untied)


@pytest.mark.parametrize("decimals", [3, 0], ids=["no-ties", "many-ties"])
@pytest.mark.parametrize(
    ("influence", "coefficient"), [(rho_influence, weighted_rho), (tau_influence, weighted_tau_b)], ids=["rho", "tau"]
)
def test_influence_is_the_derivative_by_the_weight_of_an_item(influence, coefficient, decimals):
    scores, truth = sample(decimals)
    influences, step = influence(scores, truth), 1e-5
    assert influences.mean() == pytest.approx(0, abs=1e-12)
    for item in (0, 17, 59):
        values = []
        for moved in (step, -step):
            weights = np.full(60, (1 - moved) / 60)
            weights[item] += moved
            values.append(coefficient(scores, truth, weights))
        assert influences[item] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-6)
