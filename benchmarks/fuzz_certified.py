"""A search for certified answers that are false: random questions, from a seed, and everything that truth is known of.

Kinds of checks:

shapes       distances to random polynomials, from all roots of the equation of stationary points (python-flint), and of
             planes, paraboloids, cones, caps and rings, from closed forms
boxes        a random function with kinks, poles, jumps and saturations at places of random boxes, by NumPy; where that
             seems to be outside, python-flint's balls decide
balls        the same with first and second derivatives, by balls alone
polynomials  the polynomials of models at random places, by balls
verbs        distances, offsets, radii and reaches of random functions, which no sample may contradict, with and without
             a model

    python benchmarks/fuzz_certified.py --checks 10000000 --seed 0
    python benchmarks/fuzz_certified.py --checks 1 --seed 17 --kind verbs    # one round
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from flint import arb

from geometry import FunctionGraph, LevelSet, certified
from geometry.arithmetic._forms import Record, box_form, differentiated, point_form
from geometry.certified import _landscape
from geometry.certified._complex import is_analytic
from geometry.certified._model import Model
from geometry.certified._polynomials import DEGREES, fitted
from geometry.expressions import record
from geometry.expressions.expression import Expression
from rbo_ref import landscapes

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the truths of the tests
from tests.geometry.certified.truths import polynomial, polynomial_distance

Count = tuple[int, int]  # violations, checks
SLACK = 1e-9  # of NumPy's values, where balls are asked
BOXES, PLACES = 400, 25
SIZES = (-9.0, 0.5)  # decimal logarithms of radii of boxes
INSIDE = 1 - 1e-5  # of a radius: the rounded end of a box is not always in it


# Shapes.


def shapes(random: np.random.Generator) -> Count:
    found = [polynomials_with_roots(random) for _ in range(4)]
    found += [closed_forms(random, 2000), rings(random)]
    return sum(bad for bad, _ in found), sum(count for _, count in found)


def polynomials_with_roots(random: np.random.Generator) -> Count:
    """Twenty queries of one random polynomial."""
    coefficients = [int(c) for c in random.integers(-4, 5, random.integers(2, 7))]
    points = random.integers(-40, 41, (20, 2))
    low, high = np.array([polynomial_distance(coefficients, int(x), int(y)) for x, y in points]).T
    found = certified.footpoint(polynomial(coefficients), points / 8, tolerance=10.0 ** random.uniform(-12, 0))
    return int(np.sum((found.distance.lower > high) | (found.distance.upper < low))), len(points)


def closed_forms(random: np.random.Generator, count: int) -> Count:
    """`count` queries each of plane, paraboloid, cone, cap. Truths are good to 1e-13."""

    def wrong(found: certified.Enclosure, truth: np.ndarray) -> int:
        slack = 1e-13 * (1 + np.abs(truth))
        return int(np.sum((found.lower > truth + slack) | (found.upper < truth - slack)))

    d = int(random.integers(1, 3))
    tolerance, slope = 10.0 ** random.uniform(-4, -1), random.normal(size=d)
    options: dict[str, Any] = {"tolerance": tolerance, "max_boxes": int(random.choice([10, 100, 2000]))}
    points = random.normal(size=(count, d + 1))
    plane = landscapes.plane(slope)
    truth = np.abs(points[:, -1] - points[:, :-1] @ slope) / np.sqrt(1 + slope @ slope)
    bad = wrong(certified.distance(plane, points, **options), truth)

    k = random.uniform(0.3, 3)
    r, y = np.linalg.norm(points[:, :-1], axis=1), points[:, -1]
    s = r + np.sqrt(np.maximum(2 * (y - 1 / k) / k, 0)) + 1  # right of the largest root, where the cubic is convex
    for _ in range(60):
        s = s - (k**2 / 2 * s**3 + (1 - k * y) * s - r) / (1.5 * k**2 * s**2 + 1 - k * y)
    truth = np.hypot(s - r, k / 2 * s**2 - y)
    bad += wrong(certified.distance(landscapes.paraboloid(k), points, **options), truth)

    radius, m = random.uniform(0.1, 3, count), random.uniform(0.1, 3)
    cone = FunctionGraph(lambda t: m * np.sqrt(np.sum(t**2, axis=-1)))
    found = certified.offset_function(cone, points[:, :-1], radius, **options)
    bad += wrong(found, m * r + radius * np.hypot(1, m))

    inside = points[:, :-1] / np.maximum(r, 1)[:, None] * 0.9
    cap = FunctionGraph(lambda t: np.sqrt(1 - np.sum(t**2, axis=-1)))
    truth = np.sqrt((1 + radius) ** 2 - np.sum(inside**2, axis=1))
    return bad + wrong(certified.offset_function(cap, inside, radius, **options), truth), 4 * count


def rings(random: np.random.Generator) -> Count:
    """Twenty queries of a ring around an axis, as a level set."""
    size, thickness = random.uniform(1, 3), random.uniform(0.2, 0.8)
    ring = LevelSet(lambda x: (np.sqrt(x[..., 0] ** 2 + x[..., 1] ** 2) - size) ** 2 + x[..., 2] ** 2 - thickness**2)
    points = random.normal(size=(20, 3)) * 2
    truth = np.hypot(np.hypot(points[:, 0], points[:, 1]) - size, points[:, 2]) - thickness
    found = certified.signed_distance(ring, points, tolerance=1e-3, max_boxes=int(random.choice([8, 100, 1000])))
    return int(np.sum((found.lower > truth + 1e-12) | (found.upper < truth - 1e-12))), len(points)


# Random functions.

SMOOTH: list[Callable[[Any], Any]] = [
    np.sin, np.cos, np.tanh, np.arctan, np.square, np.negative, np.arcsinh, np.sinh, np.cosh, np.exp, np.expm1,
    lambda x: np.exp(-(x**2)), lambda x: np.sqrt(1 + x * x), lambda x: 1 / (2 + np.cos(x)), lambda x: x**3,
    lambda x: np.arccos(np.sin(x) / 2), lambda x: np.log(2 + np.sin(x)), lambda x: (3 + np.cos(x)) ** 1.3,
    lambda x: np.mean(np.stack([x, x**2, 0.1 * x], axis=-1), axis=-1), lambda x: 1 / (1 + x**2) ** 2,
    lambda x: np.sum(np.sin(x[..., None] * np.arange(1.0, 13.0)) / np.arange(1.0, 13.0), axis=-1),
    lambda x: np.sum(np.exp(-4 * (x[..., None] - np.linspace(-9, 9, 73)) ** 2), axis=-1),
]  # fmt: skip
ROUGH: list[Callable[[Any], Any]] = [
    np.abs, np.floor, np.ceil, np.trunc, np.sign, np.tan, np.log, np.log1p, np.log2, np.log10, np.sqrt, np.arcsin,
    np.arccos, np.arctanh, np.arccosh, lambda x: 1 / x, lambda x: x**-3, lambda x: np.abs(x) ** 0.3, lambda x: x**2.5,
    lambda x: np.round(x, 1), lambda x: np.clip(x, a_min=-1.0, a_max=None), lambda x: np.clip(x, -0.5, 0.25),
    lambda x: np.exp(np.exp(x)), lambda x: np.tanh(1e3 * x), lambda x: np.exp(-np.exp(9 * x)), lambda x: 2.0**x,
    lambda x: np.log1p(np.abs(x)), lambda x: np.sqrt(np.abs(x)), lambda x: np.sin(1 / x), lambda x: np.arctan(1e9 * x),
    lambda x: np.sum(np.stack([x, x + 0.5], axis=-1), axis=-1, initial=0.3), lambda x: np.cos(1e4 * x),
    lambda x: np.linalg.norm(np.stack([x, 1 + 0 * x], axis=-1), ord=1, axis=-1), lambda x: 1e-200 * x,
    lambda x: np.max(np.stack([x, -x, 0 * x + 0.2], axis=-1), axis=-1), lambda x: np.floor_divide(x, 0.3),
    lambda x: np.min(np.stack([x, x**2], axis=-1), axis=-1, initial=0.1), lambda x: np.remainder(x, 0.7),
    lambda x: np.prod(np.stack([x, 1 - x, x], axis=-1), axis=-1), lambda x: np.var(np.stack([x, x**2, x], -1), axis=-1),
    lambda x: np.median(np.stack([x, x**2, 1 - x], axis=-1), axis=-1), lambda x: np.hypot(x, 0 * x),
    lambda x: np.sum(1 / (x[..., None] - np.linspace(-4, 4, 33)), axis=-1), lambda x: np.where(x > 0, np.log(x), x),
    lambda x: 1e200 * x,
]  # fmt: skip
PAIRS: list[Callable[[Any, Any], Any]] = [
    np.add, np.subtract, np.multiply, np.hypot, np.logaddexp, lambda x, y: x / (1 + y**2), lambda x, y: x * y + y * x,
    lambda x, y: (1 + x**2) ** np.sin(y), lambda x, y: np.arctan2(np.sin(x), 1.5 + np.cos(y)), lambda x, y: x - (x - y),
]  # fmt: skip
ROUGH_PAIRS: list[Callable[[Any, Any], Any]] = [
    np.maximum, np.minimum, np.divide, np.arctan2, np.power, np.remainder, lambda x, y: np.where(x > y, x, 0.5 * y),
    lambda x, y: np.where((x > 0) == (y > 0), x, y), lambda x, y: np.where((x > 0) & ~(y >= 1), x * y, x),
    lambda x, y: np.where((x != y) | (x < 0), np.sqrt(x), y), lambda x, y: np.floor_divide(x, y),
    lambda x, y: np.sort(np.stack([x, y, x * y], axis=-1), axis=-1)[..., 1], lambda x, y: np.maximum(x, y) ** np.abs(y),
]  # fmt: skip


def random_function(random: np.random.Generator, d: int, depth: int, smooth: bool) -> Callable[[Any], Any]:
    """A tree of functions of θ (..., d)."""
    if depth == 0 or random.random() < 0.1:
        i, a, b = int(random.integers(d)), float(random.normal()), float(random.normal())
        return lambda t: a * t[..., i] + b
    one, two = (SMOOTH, PAIRS) if smooth else (SMOOTH + ROUGH, PAIRS + ROUGH_PAIRS)
    if random.random() < 0.5:
        outer, inner = one[random.integers(len(one))], random_function(random, d, depth - 1, smooth)
        return lambda t: outer(inner(t))
    both = [random_function(random, d, depth - 1, smooth) for _ in range(2)]
    pair = two[random.integers(len(two))]
    return lambda t: pair(both[0](t), both[1](t))


def drawn(random: np.random.Generator, smooth: bool) -> tuple[Expression, Callable[[Any], Any], int] | None:
    """A random function; None where it cannot be recorded, which is an answer, too."""
    d = int(random.integers(1, 4))
    function = random_function(random, d, int(random.integers(1, 5)), smooth)
    try:
        return record(function, d), function, d
    except TypeError:
        return None


# Enclosures over boxes.


def boxes(random: np.random.Generator) -> Count:
    if (some := drawn(random, smooth=False)) is None:
        return 0, 0
    expression, function, d = some
    center, radius = random_boxes(random, BOXES, d)
    theta = center + radius * INSIDE * random.uniform(-1, 1, (PLACES, BOXES, d))
    whole = differentiated(expression, box_form(center, radius, Record()), 0)[0].range()
    values = np.broadcast_to(function(theta), (PLACES, BOXES))
    known = np.isfinite(values)
    slack = SLACK * (1 + np.abs(values))
    outside = known & ~((whole.lo - slack <= values) & (values <= whole.hi + slack))
    bad = sum(
        is_missed(expression.balls([arb(float(x)) for x in theta[i, j]], 0)[0][()], whole.lo[j], whole.hi[j])
        for i, j in np.argwhere(outside)
    )
    return bad, int(known.sum())


def random_boxes(random: np.random.Generator, count: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Around numbers of which some are round, as kinks and poles are."""
    center, radius = random.normal(size=(count, d)) * 2, 10.0 ** random.uniform(*SIZES, (count, d))
    return np.where(random.random((count, d)) < 0.2, np.round(center * 2) / 2, center), radius


def is_missed(ball: arb, low: float, high: float, defined: bool = True) -> bool:
    """Whether a number that is in the ball is not between the bounds; the empty enclosure is [NaN, NaN].

    The ball of tanh is finite even of what is not defined.
    """
    if not (defined and ball.is_finite()):
        return False
    return bool(np.isnan(low) or arb(float(low)) > ball or arb(float(high)) < ball)


def balls(random: np.random.Generator, count: int = 12) -> Count:
    if (some := drawn(random, smooth=bool(random.random() < 0.5))) is None:
        return 0, 0
    (expression, function, d), bad, checked = some, 0, 0
    for center, radius in zip(*random_boxes(random, count, d), strict=True):
        if random.random() < 0.2:
            radius[:] = 0.0
        notes = Record()
        form = box_form(center[None], radius[None], notes) if radius.any() else point_form(center[None], notes)
        parts = [part.range() for part in differentiated(expression, form)]
        for corner in (random.uniform(-1, 1, d), random.choice([-1.0, 1.0], d)):
            place = center + radius * INSIDE * corner
            theta, defined = [arb(float(x)) for x in place], bool(np.isfinite(function(place)))
            for part, truth in zip(parts[: 1 if notes.irregular else 3], expression.balls(theta), strict=False):
                entries = np.asarray(truth, dtype=object).reshape(-1)
                for ball, low, high in zip(entries, part.lo.reshape(-1), part.hi.reshape(-1), strict=True):
                    bad, checked = bad + is_missed(ball, low, high, defined), checked + 1
    return bad, checked


def polynomials(random: np.random.Generator, count: int = 12, places: int = 4) -> Count:
    some = drawn(random, smooth=True)
    if some is None or not is_analytic(some[0]):
        return 0, 0
    (expression, function, d), half = some, 2.0 ** int(random.integers(-6, 0))
    center = (np.round(random.normal(size=(count, d)) / half) + 0.5) * 2 * half
    target = 10.0 ** random.uniform(-9, -3)
    fits = fitted(expression, Model(FunctionGraph(function), d).heights, center, half, target)
    bad = checked = 0
    for i in np.flatnonzero(fits.error < np.inf):
        terms = np.array([arb(float(c)) for c in fits.coefficients[i]], dtype=object).reshape((DEGREES[d - 1] + 1,) * d)
        for t in random.uniform(-1, 1, (places, d)):
            away = [arb(float(x)) for x in t]
            theta = [arb(float(c)) + half * x for c, x in zip(center[i], away, strict=True)]
            value = terms
            for x in reversed(away):
                value = sum((value[..., k] * x**k for k in range(1, value.shape[-1])), value[..., 0])
            off = abs(expression.balls(theta, 0)[0][()] - (value[()] if isinstance(value, np.ndarray) else value))
            bad, checked = bad + bool(off > arb(float(fits.error[i]))), checked + 1
    return bad, checked


# Verbs.


def verbs(random: np.random.Generator) -> Count:
    some = drawn(random, smooth=bool(random.random() < 0.6))
    if some is None or some[2] > 2:
        return 0, 0
    (expression, function, d), limit = some, int(random.choice([30, 300, 3000]))
    surface = FunctionGraph(function, name="drawn")
    options: dict[str, Any] = {"tolerance": 10.0 ** random.uniform(-6, -1), "max_boxes": limit}
    theta = random.uniform(-3, 3, (2000, d))
    height = np.broadcast_to(surface.value(theta), len(theta))
    theta, height = theta[np.isfinite(height)], height[np.isfinite(height)]
    points = random.normal(size=(70, d + 1)) * 1.5
    found = [certified.distance(surface, points, **options) for _ in range(2)]  # the first one makes a model
    found += [certified.footpoint(surface, points[:8], **options).distance]
    bad, checked = apart(found[0], found[1]), len(points)
    if len(theta):
        square = ((points[:, None, :d] - theta) ** 2).sum(-1) + (points[:, None, d] - height) ** 2
        nearest = np.sqrt(square.min(1)) * (1 + SLACK) + SLACK
        bad += sum(int((f.lower > nearest[: len(f.lower)]).sum()) for f in found)
        checked += sum(len(f.lower) for f in found)
        rho = random.uniform(0.1, 2, 8)
        rest = certified.offset_function(surface, points[:8, :d], rho, **options)
        cap = rho[:, None] ** 2 - ((points[:8, None, :d] - theta) ** 2).sum(-1)
        highest = np.where(cap >= 0, height + np.sqrt(np.maximum(cap, 0)), -np.inf).max(1)
        bad += int((rest.upper < highest - SLACK * (1 + np.abs(highest))).sum())
        checked += len(rho)
    return bad + bends(surface, expression, random, options), checked + 60


def apart(one: certified.Enclosure, other: certified.Enclosure) -> int:
    """Enclosures of the same numbers that do not meet."""
    return int(((one.lower > other.upper) | (other.lower > one.upper)).sum())


def bends(surface: FunctionGraph, expression: Expression, random: np.random.Generator, options: Any) -> int:
    """The critical radius, and its sign reversed, against curvatures at places of the box."""
    d = expression.d
    low = random.uniform(-2, 1, d)
    box = np.stack([low, low + random.uniform(0.01, 2, d)], axis=1)
    found = certified.critical_radius(surface, box, **options)
    theta = random.uniform(box[:, 0], box[:, 1], (60, d))
    bad = 0
    for place in theta:
        _, slope, bend = expression.balls([arb(float(x)) for x in place])
        square = sum((g * g for g in slope), arb(0))
        unit = random.normal(size=d)
        along = [arb(float(x)) for x in unit]
        rise = sum((g * x for g, x in zip(slope, along, strict=True)), arb(0))
        over = sum((along[i] * bend[i, j] * along[j] for i in range(d) for j in range(d)), arb(0))
        length = sum((x * x for x in along), arb(0)) + rise * rise
        kappa = over / (length * (1 + square).sqrt())  # of a curve in the surface: no more than the largest one
        if kappa.is_finite() and kappa > 0:
            bad += bool(arb(float(found.lower)) > 1 / kappa) if np.isfinite(found.lower) else bool(found.lower > 0)
    return bad


KINDS: dict[str, tuple[Callable[[np.random.Generator], Count], int]] = {
    "shapes": (shapes, 1), "boxes": (boxes, 40), "balls": (balls, 20), "polynomials": (polynomials, 5),
    "verbs": (verbs, 3),
}  # fmt: skip
"""And how often in a round."""


def fuzz(checks: int, seed: int, kinds: list[str]) -> int:
    """Rounds of all kinds; each round has a seed of its own, so that a violation is found again at once."""
    total = {kind: [0, 0] for kind in kinds}
    began = time.process_time()
    while sum(count for _, count in total.values()) < checks:
        for kind in kinds:
            check, times = KINDS[kind]
            random = np.random.default_rng([seed, *map(ord, kind)])
            for _ in range(times):
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    bad, count = check(random)
                total[kind][0] += bad
                total[kind][1] += count
                if bad:
                    print(f"{bad} violations: --checks 1 --seed {seed} --kind {kind}", flush=True)
            _landscape._LANDSCAPES.clear()
        seed += 1
    for kind, (bad, count) in total.items():
        print(f"{kind:12}{count:12} checks, {bad} violations")
    bad, count = (sum(column) for column in zip(*total.values(), strict=True))
    spent = time.process_time() - began
    print(f"{bad} violations in {count} checks, {spent:.0f} s of processor time, up to seed {seed - 1}")
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checks", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append")
    arguments = parser.parse_args()
    sys.exit(1 if fuzz(arguments.checks, arguments.seed, arguments.kind or list(KINDS)) else 0)
