from fractions import Fraction

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.checked_evaluation import MAX_CURVE_POINTS, MAX_CURVES, checked_evaluation
from nasbench_toolkit.core.domain import Evaluation
from nasbench_toolkit.core.errors import DivergedError, InvalidEvaluationError


class OddFloat(float):
    def __reduce__(self):
        raise AssertionError("it is to be made plain before it is sent")


@pytest.mark.parametrize(
    ("given", "score"),
    [
        (1.5, 1.5),
        (3, 3.0),
        (-0.0, 0.0),
        (Fraction(1, 4), 0.25),
        (OddFloat(1.5), 1.5),
        (np.float32(1.5), 1.5),
        (np.int64(7), 7.0),
        (np.array(2.5), 2.5),
        (torch.tensor(1.5), 1.5),
        (torch.tensor(3), 3.0),
        (torch.tensor(1.5, requires_grad=True), 1.5),
        (torch.tensor(1.5, dtype=torch.bfloat16), 1.5),
    ],
)
@pytest.mark.parametrize("wrap", [lambda score: score, Evaluation], ids=["number", "evaluation"])
def test_score_becomes_a_plain_float(given, score, wrap) -> None:
    checked = checked_evaluation(wrap(given)).score
    assert (type(checked), checked) == (float, score)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "the score must be a real number, it is None"),
        (True, "the score must be a real number, it is True"),
        ("5", "the score must be a real number, it is the text '5'"),
        (1j, "the score must be a real number, it is 1j"),
        ([1.0], "the score must be a real number, it is a list"),
        (10**400, "the score is a whole number that is too large for a float"),
        (np.bool_(True), "the score must be of real numbers, it is of the type bool"),
        (np.array([1.0]), r"the score has the shape \(1,\), it must be one number"),
        (torch.tensor([1.0, 2.0]), r"the score has the shape \(2,\), it must be one number"),
        (torch.tensor(True), "the score must be of real numbers, it is of the type torch.bool"),
        (torch.tensor(1j), "the score must be of real numbers, it is of the type torch.complex64"),
    ],
)
def test_score_that_is_no_real_number_is_refused(given, message) -> None:
    with pytest.raises(InvalidEvaluationError, match=f"^{message}$"):
        checked_evaluation(Evaluation(given))


@pytest.mark.parametrize("given", [float("nan"), float("inf"), torch.tensor(float("-inf")), np.float32("nan")])
def test_score_that_is_not_finite_is_diverged(given) -> None:
    with pytest.raises(DivergedError, match="the score is "):
        checked_evaluation(given)


@pytest.mark.parametrize(
    "points",
    [
        (1.0, 0.5),
        [1, 0.5],
        np.array([1.0, 0.5], np.float32),
        torch.tensor([1.0, 0.5]),
        [torch.tensor(1.0), OddFloat(0.5)],
    ],
)
def test_curve_becomes_a_tuple_of_plain_floats(points) -> None:
    (curve,) = checked_evaluation(Evaluation(1.0, {"loss": points})).curves.values()
    assert (type(curve), [type(point) for point in curve], curve) == (tuple, [float, float], (1.0, 0.5))


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        (None, "its curves must be numbers by name, they are None"),
        ({"": (1.0,)}, "the name of a curve must be a text that is not empty"),
        ({3: (1.0,)}, "the name of a curve must be a text that is not empty, it is an int"),
        ({"n" * 101: (1.0,)}, "the name of a curve has 101 characters, at most 100 are kept"),
        ({"n": "12"}, "its curve 'n' must be a sequence of numbers, it is the text '12'"),
        ({"n": ((1.0, 2.0),)}, "point 0 of its curve 'n' must be a real number, it is a tuple"),
        ({"n": np.ones((2, 2))}, r"its curve 'n' has the shape \(2, 2\), it must have one dimension"),
        ({"n": (1.0, True)}, "point 1 of its curve 'n' must be a real number, it is True"),
        ({"n": (1.0, float("nan"))}, "its curve 'n' has NaN at point 1"),
        ({"n": np.ones(MAX_CURVE_POINTS + 1)}, "its curve 'n' has 10,001 points, at most 10,000 are kept"),
        ({str(n): (1.0,) for n in range(MAX_CURVES + 1)}, "it has 65 curves, at most 64 are kept"),
    ],
)
def test_curve_that_cannot_be_stored_is_refused(curves, message) -> None:
    with pytest.raises(InvalidEvaluationError, match=message):
        checked_evaluation(Evaluation(1.0, curves))


def test_names_of_curves_are_printable_and_stay_different() -> None:
    names = ["train/loss", ".", "a\0b", r"a\x00b", "\udce9", "損失"]
    checked = checked_evaluation(Evaluation(1.0, dict.fromkeys(names, (1.0,)))).curves
    assert list(checked) == ["train/loss", ".", r"a\x00b", r"a\\x00b", r"\udce9", "損失"]
