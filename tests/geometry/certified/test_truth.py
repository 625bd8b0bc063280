"""Comparisons over boxes: the logic is that of all outcomes that a box may have."""

from __future__ import annotations

import operator
from itertools import product

import numpy as np
import pytest

from geometry import FunctionGraph
from geometry.arithmetic._logic import Truth
from geometry.certified import distance

OUTCOMES = {"yes": (True,), "no": (False,), "open": (True, False)}
TRUTHS = {"yes": Truth(True, False), "no": Truth(False, True), "open": Truth(False, False)}
NAMES = {outcome: name for name, outcome in OUTCOMES.items()}


def name_of(truth):
    return next(name for name, t in TRUTHS.items() if (t.yes, t.no) == (truth.yes, truth.no))


def expected(function, *names):
    found = {bool(function(*values)) for values in product(*(OUTCOMES[n] for n in names))}
    return "open" if len(found) == 2 else "yes" if found == {True} else "no"


@pytest.mark.parametrize("function", [operator.and_, operator.or_])
@pytest.mark.parametrize("names", [*product(TRUTHS, repeat=2)])
def test_operators_of_truths(function, names):
    a, b = (TRUTHS[n] for n in names)
    assert name_of(function(a, b)) == expected(function, *names)
    for plain in (True, np.True_, np.array(True)):
        assert name_of(function(a, plain)) == name_of(function(plain, a)) == expected(function, names[0], "yes")


def test_not():
    for name, truth in TRUTHS.items():
        assert name_of(~truth) == expected(operator.not_, name)


@pytest.mark.parametrize(
    ("value", "query", "truth"),
    [
        (lambda t: np.clip(t[..., 0], a_min=-1.0, a_max=1.0), [3.0, 3.0], 2.0),
        (lambda t: np.linalg.norm(t, ord=1, axis=-1), [1.0, 1.0, 0.0], 2 / np.sqrt(3)),
        (lambda t: np.linalg.norm(t, ord=np.inf, axis=-1), [0.0, 0.0, -1.0], 1.0),
        (lambda t: np.where((t[..., 0] > 0) == (t[..., 1] > 0), 1 + 0 * t[..., 0], 5.0), [1.0, 1.0, 0.0], 1.0),
        (lambda t: np.where((t[..., 0] > 0) != (t[..., 1] > 0), 1 + 0 * t[..., 0], 5.0), [1.0, -1.0, 0.0], 1.0),
        (lambda t: np.where((t[..., 0] > 0) ^ (t[..., 1] > 0), 1 + 0 * t[..., 0], 5.0), [1.0, -1.0, 0.0], 1.0),
        (lambda t: np.sum(t, axis=-1, initial=2.0), [0.0, 0.0], np.sqrt(2)),
        (lambda t: t.max(axis=-1, initial=-1.0), [-3.0, 0.0], 1.0),
    ],
)
def test_distances_to_surfaces_by_such_functions(value, query, truth):
    found = distance(FunctionGraph(value), query, tolerance=1e-4)
    assert found.lower <= truth * (1 + 1e-15)
    assert found.upper >= truth * (1 - 1e-15)
    assert found.closed
