"""Every function that a user may write, with every argument, on boxes: against NumPy's own values, and against balls.

The cases are those of the recorder's tests, which are one for each function, and one for each argument of NumPy's.
"""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from geometry import FunctionGraph, certified
from geometry.arithmetic._forms import Record, box_form, differentiated, point_form
from geometry.expressions import record
from geometry.expressions._recorder import RecordingError
from tests.geometry.expressions.test_functions import CASES, THETA, weighed
from tests.geometry.expressions.test_recording import FIRST, MATRIX, signatures

NUMBERS = np.array([0.3, 1.7, 0.9])


def check(function, theta):
    """Enclosures at a point and over boxes hold what NumPy gives at places of the boxes, and what balls give."""
    expression, random = record(function, len(theta)), np.random.default_rng(0)
    for radius in (0.0, 1e-7, 0.04):
        notes, center = Record(), theta[None, :]
        with np.errstate(all="ignore"):
            form = point_form(center, notes) if radius == 0 else box_form(center, np.full_like(center, radius), notes)
            whole = differentiated(expression, form, 0)[0].range()
        for place in theta + radius * random.uniform(-1, 1, (4 if radius else 1, len(theta))):
            with np.errstate(all="ignore"):
                value = float(function(place))
            slack = 1e-11 * (1 + abs(value))
            assert notes.partial or whole.lo[0] - slack <= value <= whole.hi[0] + slack
            ball = expression.balls([arb(float(x)) for x in place])[0][()]
            if ball.is_finite():
                assert not arb(float(whole.lo[0])) > ball
                assert not arb(float(whole.hi[0])) < ball
        if radius == 0 and not notes.irregular:
            assert whole.hi[0] - whole.lo[0] <= 1e-10 * (1 + abs(value))


@pytest.mark.parametrize("name", CASES)
def test_every_function(name):
    check(lambda t: weighed(CASES[name](np if isinstance(t, np.ndarray) else t.__array_namespace__(), t)), THETA)


@pytest.mark.parametrize(("function", "options"), list(signatures()))
def test_every_argument(function, options):
    def value(t):
        array = np.stack([t, t**2, np.cos(t)]) if function in MATRIX else t
        result = function(array, *FIRST.get(function, ()), **options)
        return np.sum(result * np.arange(1.0, result.size + 1).reshape(result.shape))

    try:
        value(NUMBERS)
        record(value, 3)
    except (TypeError, ValueError):
        pytest.skip("NumPy or the recorder refuses it")
    check(value, NUMBERS)


# (function, query, distance)
FORMER = {
    "clip by keywords": (lambda t: np.clip(t[..., 0], a_min=-1.0, a_max=1.0), [3.0, 3.0], 2.0),
    "the norm of sums": (lambda t: np.linalg.norm(t, ord=1, axis=-1), [1.0, 1.0, 0.0], 2 / 3**0.5),
    "truths that are equal": (
        lambda t: np.where((t[..., 0] > 0) == (t[..., 1] > 0), 1 + 0 * t[..., 0], 5 + 0 * t[..., 0]),
        [1.0, 1.0, 0.0],
        1.0,
    ),
    "truths that differ": (
        lambda t: np.where((t[..., 0] > 0) != (t[..., 1] > 0), 1 + 0 * t[..., 0], 5 + 0 * t[..., 0]),
        [1.0, 1.0, 4.0],
        1.0,
    ),
    "a sum that begins elsewhere": (lambda t: np.sum(t, axis=-1, initial=2.0), [0.0, 0.0], 2**0.5),
    "a method's": (lambda t: t.max(-1, initial=1.0), [0.0, 0.0], 1.0),
    "digits": (lambda t: np.round(t[..., 0], 1), [0.25, 2.0], 1.45**0.5),
}


@pytest.mark.parametrize("name", FORMER)
def test_distances_to_functions_whose_arguments_matter(name):
    function, query, truth = FORMER[name]
    try:
        found = certified.distance(FunctionGraph(function), query, tolerance=1e-3, max_boxes=5000)
    except TypeError as error:
        assert isinstance(error.__cause__, RecordingError)  # noqa: PT017
        return
    assert found.lower <= truth + 1e-9
    assert found.upper >= truth - 1e-9
