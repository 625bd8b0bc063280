"""Rounding jumps, formulas do not: held to roundings of exact numbers by NumPy, and to errors in closed form."""

import numpy as np
import pytest

from geometry.arithmetic.formats import format_of, rounded
from rbo_ref.oracle.roughness import Line, Nature, courses_of

FORMATS = ["float32", "tf32", "float16", "bfloat16"]
PLACES = {f"place {seed}": np.random.RandomState(seed).uniform(0.5, 4, 3) for seed in range(20)}
TOLERANCE = 1e-15


def nature(error, unit):
    """Of a function of three numbers, asked at twenty places."""
    found = Nature()
    for name, place in PLACES.items():
        line = Line(name, unit)
        way = line.through(place)
        found.add(name, courses_of(line, lambda k, way=way: error(way[k])[None] / TOLERANCE, np.array([1e-3])))
    return found


ROUNDINGS = {
    "of the numbers": lambda f: lambda x: rounded(x, f).astype(float) - x,
    "of a product": lambda f: lambda x: rounded(x * x[::-1], f).astype(float) - x * x[::-1],
    "towards zero": lambda f: lambda x: np.sign(x) * -np.abs(x - np.trunc(x / f.unit) * f.unit),
    "of a factor": lambda f: lambda x: x * (float(rounded(x[0], f)) - x[0]),
}
FORMULAS = {
    "a share of the numbers": lambda x: 1e-4 * x,
    "a square": lambda x: 1e-5 * x * x,
    "a wave": lambda x: 1e-6 * np.sin(x),
    "a quotient": lambda x: 1e-3 / (1 + x @ x) * x,
    "a constant": lambda x: 0 * x + 1e-7,
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ROUNDINGS)
def test_rounding_is_rounding(kind, name):
    target = format_of(name)
    found = nature(ROUNDINGS[kind](target), target.unit)
    assert found.is_rounding
    assert not found.is_formula


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", FORMULAS)
def test_a_formula_is_a_formula(kind, name):
    found = nature(FORMULAS[kind], format_of(name).unit)
    assert found.is_formula
    assert not found.is_rounding
    assert len(found.formulas) >= 15


def test_an_error_that_begins_at_the_place_itself_decides_nothing():
    """As that of a port that does not follow a hyper-parameter: right at the place, and farther off along it."""
    found = Nature()
    for name in PLACES:
        line = Line(name, 2.0**-11)
        ask = lambda k, line=line: np.array([[5.0 + 1e6 * line.places[k]]])  # noqa: E731
        found.add(name, courses_of(line, ask, np.array([1.0])))
    assert (found.is_formula, found.is_rounding) == (False, False)


def test_errors_within_the_port_s_own_format_are_not_looked_at():
    asked = []

    def ask(k):
        asked.append(k)
        return np.full((1, 3), 2.0)

    assert courses_of(Line("bowl", 2.0**-24), ask, np.array([1.0])) == []
    assert len(asked) == 4
