"""What an evaluator returns, checked and made plain: a float, and curves that are tuples of floats."""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .domain import Evaluation
from .errors import DivergedError, InvalidEvaluationError
from .plain_text import distinct_printable, printable, shortened

MAX_CURVE_POINTS = 10_000
MAX_CURVES = 64
MAX_CURVE_NAME_LENGTH = 100
MAX_ESCAPED_NAME_LENGTH = 6 * MAX_CURVE_NAME_LENGTH

_MAX_SHOWN = 60


def checked_evaluation(result: object, max_points: int = MAX_CURVE_POINTS) -> Evaluation:
    """Return the evaluation with a finite float as its score, and with curves that are tuples of floats.

    Args:
        result: What an evaluator returned: a real number or an :class:`Evaluation`. Numbers may be Python's, NumPy's
            or tensors without dimensions, curves sequences, arrays or tensors with one. Curves without points are
            left out.
        max_points: How long a curve may be.

    Raises:
        DivergedError: The score is not finite.
        InvalidEvaluationError: It is anything else.
    """
    if not isinstance(result, Evaluation):
        return Evaluation(_checked_score(result))
    return Evaluation(_checked_score(result.score), _checked_curves(result.curves, max_points))


def _checked_score(value: object) -> float:
    score = value if type(value) is float else _real_number(value, "the score")
    if not math.isfinite(score):
        raise DivergedError(f"the score is {score}")
    return score


def _real_number(value: object, what: str) -> float:
    shape = _shape(value)
    if shape is not None:
        if shape:
            raise InvalidEvaluationError(f"{what} has the shape {shape}, it must be one number")
        value = _plain_values(value, what)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InvalidEvaluationError(f"{what} must be a real number, it is {_describe(value)}")
    try:
        return float(value)
    except OverflowError:
        raise InvalidEvaluationError(f"{what} is a whole number that is too large for a float") from None


def _checked_curves(curves: object, max_points: int) -> dict[str, tuple[float, ...]]:
    if not isinstance(curves, Mapping):
        raise InvalidEvaluationError(f"its curves must be numbers by name, they are {_describe(curves)}")
    if len(curves) > MAX_CURVES:
        raise InvalidEvaluationError(f"it has {len(curves)} curves, at most {MAX_CURVES} are kept")
    checked = {}
    for name, curve in curves.items():
        plain = _checked_name(name)
        points = _checked_points(curve, f"its curve '{shortened(plain, _MAX_SHOWN)}'", max_points)
        if points:
            checked[plain] = points
    return checked


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidEvaluationError(f"the name of a curve must be a text that is not empty, it is {_describe(name)}")
    if len(name) > MAX_CURVE_NAME_LENGTH:
        raise InvalidEvaluationError(
            f"the name of a curve has {len(name)} characters, at most {MAX_CURVE_NAME_LENGTH} are kept"
        )
    return distinct_printable(name)


def _checked_points(curve: object, what: str, max_points: int) -> tuple[float, ...]:
    shape = _shape(curve)
    if shape is None and (isinstance(curve, str | bytes) or not isinstance(curve, Sequence)):
        raise InvalidEvaluationError(f"{what} must be a sequence of numbers, it is {_describe(curve)}")
    if shape is not None and len(shape) != 1:
        raise InvalidEvaluationError(f"{what} has the shape {shape}, it must have one dimension")
    count = len(curve)  # type: ignore[arg-type]
    if count > max_points:
        raise InvalidEvaluationError(f"{what} has {count:,} points, at most {max_points:,} are kept: leave some out")
    values: Any = curve if shape is None else _plain_values(curve, what)
    points = tuple(
        value if type(value) is float else _real_number(value, f"point {position} of {what}")
        for position, value in zip(range(count), values, strict=False)
    )
    if any(map(math.isnan, points)):
        raise InvalidEvaluationError(f"{what} has NaN at point {list(map(math.isnan, points)).index(True)}")
    return points


def _shape(value: object) -> tuple[int, ...] | None:
    """Return the shape of a NumPy array or a tensor, None for anything else; NumPy's numbers are arrays without one."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        return tuple(value.shape)
    if torch is not None and isinstance(value, torch.Tensor):
        return tuple(value.shape)
    return None


def _plain_values(array: Any, what: str) -> Any:
    """Return the values of an array or a tensor as Python's: one, or a list."""
    kind = getattr(array.dtype, "kind", None)
    real = kind in "iuf" if kind else not (array.is_complex() or str(array.dtype) == "torch.bool")
    if not real:
        raise InvalidEvaluationError(f"{what} must be of real numbers, it is of the type {array.dtype}")
    if kind == "f" and array.dtype.itemsize > 8:
        array = array.astype("float64")
    return (array if kind else array.detach().cpu()).tolist()


def _describe(value: object) -> str:
    kind = type(value).__name__
    if isinstance(value, str):
        return f"the text '{printable(shortened(value, _MAX_SHOWN))}'"
    if value is None or isinstance(value, bool | complex):
        return repr(value)
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {printable(shortened(kind, _MAX_SHOWN))}"
