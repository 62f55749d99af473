import pytest
from nasbench_toolkit.plugins.weight_sharing.schedules import learning_rate_at, temperature_at


def test_half_a_cosine_does_not_reach_its_end_in_the_last_epoch() -> None:
    assert learning_rate_at(0, 50, 0.025, 0.001) == 0.025
    assert learning_rate_at(25, 50, 0.025, 0.001) == pytest.approx(0.013)
    assert learning_rate_at(49, 50, 0.025, 0.001) == pytest.approx(0.0010237, abs=1e-7)


def test_beyond_its_period_it_rises_again() -> None:
    rates = [learning_rate_at(epoch, 10, 0.05, 0.0005) for epoch in (0, 5, 10, 15, 20)]
    assert rates == pytest.approx([0.05, 0.02525, 0.0005, 0.02525, 0.05])


def test_the_temperature_falls_from_the_first_epoch_to_the_last() -> None:
    assert [temperature_at(epoch, 3, 10.0, 0.1) for epoch in range(3)] == pytest.approx([10.0, 5.05, 0.1])
    assert temperature_at(0, 1, 10.0, 0.1) == 10.0
