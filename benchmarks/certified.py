"""Time of certified distances and radii, and a search for violated enclosures.

Times are the processor time that the model of the landscape has taken, wall time and processor time for one query of a
batch that finds it made, and the median of single calls of SciPy's `direct`, which proves nothing. `Sampling` proves
nothing either: how long it takes, and how often it is right.

`--check` counts answers that do not contain the truth: of random polynomials, from all roots of the equation of
stationary points, isolated by python-flint; of planes, paraboloids, cones, caps and rings, from closed forms; and boxes
over which the enclosure of a random function does not hold its values.

    python benchmarks/certified.py --queries 10000
    python benchmarks/certified.py --check 1000000
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, direct

from geometry import FunctionGraph, LevelSet, Sampling, certified, offset, project
from geometry.arithmetic._forms import Record, box_form, differentiated
from geometry.expressions import record
from rbo_ref import landscapes

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the truths of the tests
from tests.geometry.certified.truths import polynomial, polynomial_distance


class Problem(NamedTuple):
    name: str
    surface: FunctionGraph
    d: int
    width: float  # θ uniform in ±width
    radius: float
    share: float  # of the queries: some are slow

    def queries(self, count: int) -> np.ndarray:
        """Centers p + ρν of balls that touch at random θ."""
        theta = np.random.default_rng(0).uniform(-self.width, self.width, (max(1, int(count * self.share)), self.d))
        return offset(self.surface, theta, self.radius)


PROBLEMS = [Problem("sine", landscapes.sine(), 1, 10, radius, 1) for radius in (0.1, 1.0, 10.0)]
PROBLEMS += [Problem("Eq. 13", landscapes.wrinkled(), 1, 10, radius, 1) for radius in (0.1, 1.0, 10.0)]
PROBLEMS += [
    Problem(f"Eq. 14, σ = {sigma}", landscapes.gaussians(sigma), 2, 3, radius, 1)
    for sigma in (0.1, 0.2, 0.5)
    for radius in (0.5, 2.0, 5.0)
]


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def seconds_of_direct(problem: Problem, queries: np.ndarray) -> float:
    """Median time of SciPy's `direct` with 1000 evaluations, in the box in which the nearest point must be."""
    times = []
    for query in queries:
        x, y = query[:-1], query[-1]
        reach = abs(float(problem.surface.value(x)) - y) + 1e-9

        def square(theta: np.ndarray, x: np.ndarray = x, y: float = y) -> float:
            return float(((theta - x) ** 2).sum() + (problem.surface.value(theta) - y) ** 2)

        box = Bounds(x - reach, x + reach)
        times.append(timed(partial(direct, square, box, maxfun=1000, vol_tol=0, len_tol=0))[0])
    return statistics.median(times)


def compare(count: int) -> None:
    print(
        f"{'':16}{'radius':>7}{'queries':>9}{'model':>9}{'wall':>11}{'cpu':>11}{'closed':>8}{'boxes':>7}{'sampled':>11}{'right':>8}{'direct':>12}"
    )
    for problem in PROBLEMS:
        queries = problem.queries(count)
        _, first, _ = timed(partial(certified.distance, problem.surface, queries))  # makes the model
        wall, cpu, found = timed(partial(certified.distance, problem.surface, queries))
        n = len(queries)
        _, quick, sampled = timed(lambda: project(problem.surface, queries, Sampling()).distance)  # noqa: B023
        peer = f"{seconds_of_direct(problem, queries[:10]) * 1e6:9.0f} µs" if problem.d == 1 else ""
        print(
            f"{problem.name:16}{problem.radius:7}{n:9}{first - cpu:7.1f} s"
            f"{wall / n * 1e6:8.1f} µs{cpu / n * 1e6:8.1f} µs"
            f"{found.closed.mean():8.1%}{np.median(found.boxes):7.0f}"
            f"{quick / n * 1e6:8.1f} µs{(sampled <= found.upper + 1e-6).mean():8.1%}{peer:>12}",
            flush=True,
        )
    for name, surface, box, tolerance in [
        ("critical radius, Eq. 13", landscapes.wrinkled(), [(0, 2 * np.pi)], 5e-12),
        ("reach of a paraboloid, d = 2", landscapes.paraboloid(2.0), [(-2, 2)] * 2, 1e-6),
    ]:
        wall, cpu, found = timed(partial(certified.critical_radius, surface, box, tolerance=tolerance))
        print(f"{name}: [{found.lower!r}, {found.upper!r}], {wall:.2f} s, {cpu:.2f} s cpu, {found.boxes} boxes")


# Violations.


def polynomial_checks(random: np.random.Generator) -> int:
    """Twenty queries of one random polynomial."""
    coefficients = [int(c) for c in random.integers(-4, 5, random.integers(2, 7))]
    points = random.integers(-40, 41, (20, 2))
    low, high = np.array([polynomial_distance(coefficients, int(x), int(y)) for x, y in points]).T
    found = certified.footpoint(polynomial(coefficients), points / 8, tolerance=10.0 ** random.uniform(-12, 0))
    return int(np.sum((found.distance.lower > high) | (found.distance.upper < low)))


def closed_form_checks(random: np.random.Generator, count: int) -> Iterator[int]:
    """Violations of `count` queries each of plane, paraboloid, cone, cap. Truths are good to 1e-13."""

    def wrong(found: certified.Enclosure, truth: np.ndarray) -> int:
        slack = 1e-13 * (1 + np.abs(truth))
        return int(np.sum((found.lower > truth + slack) | (found.upper < truth - slack)))

    d = int(random.integers(1, 3))
    tolerance, slope = 10.0 ** random.uniform(-4, -1), random.normal(size=d)
    options = {"tolerance": tolerance, "max_boxes": int(random.choice([10, 100, 2000]))}
    points = random.normal(size=(count, d + 1))
    plane = landscapes.plane(slope)
    truth = np.abs(points[:, -1] - points[:, :-1] @ slope) / np.sqrt(1 + slope @ slope)
    yield wrong(certified.distance(plane, points, **options), truth)

    k = random.uniform(0.3, 3)
    r, y = np.linalg.norm(points[:, :-1], axis=1), points[:, -1]
    s = r + np.sqrt(np.maximum(2 * (y - 1 / k) / k, 0)) + 1  # right of the largest root, where the cubic is convex
    for _ in range(60):
        s = s - (k**2 / 2 * s**3 + (1 - k * y) * s - r) / (1.5 * k**2 * s**2 + 1 - k * y)
    truth = np.hypot(s - r, k / 2 * s**2 - y)
    yield wrong(certified.distance(landscapes.paraboloid(k), points, **options), truth)

    radius, m = random.uniform(0.1, 3, count), random.uniform(0.1, 3)
    cone = FunctionGraph(lambda t: m * np.sqrt(np.sum(t**2, axis=-1)))
    yield wrong(certified.offset_function(cone, points[:, :-1], radius, **options), m * r + radius * np.hypot(1, m))

    inside = points[:, :-1] / np.maximum(r, 1)[:, None] * 0.9
    cap = FunctionGraph(lambda t: np.sqrt(1 - np.sum(t**2, axis=-1)))
    truth = np.sqrt((1 + radius) ** 2 - np.sum(inside**2, axis=1))
    yield wrong(certified.offset_function(cap, inside, radius, **options), truth)


def ring_checks(random: np.random.Generator) -> int:
    """Twenty queries of a ring around an axis, as a level set."""
    size, thickness = random.uniform(1, 3), random.uniform(0.2, 0.8)
    ring = LevelSet(lambda x: (np.sqrt(x[..., 0] ** 2 + x[..., 1] ** 2) - size) ** 2 + x[..., 2] ** 2 - thickness**2)
    points = random.normal(size=(20, 3)) * 2
    truth = np.hypot(np.hypot(points[:, 0], points[:, 1]) - size, points[:, 2]) - thickness
    found = certified.signed_distance(ring, points, tolerance=1e-3, max_boxes=int(random.choice([8, 100, 1000])))
    return int(np.sum((found.lower > truth + 1e-12) | (found.upper < truth - 1e-12)))


UNARY = [
    np.sin, np.cos, np.tanh, np.arctan, np.abs, np.floor, np.sign, np.square, np.negative, np.arcsinh,
    lambda x: np.exp(-(x**2)), lambda x: np.sqrt(1 + x * x), lambda x: np.log1p(np.abs(x)), lambda x: np.round(x, 1),
    lambda x: np.clip(x, a_min=-1.0, a_max=None), lambda x: 1 / (2 + np.cos(x)), lambda x: np.arccos(np.sin(x)),
    lambda x: np.sum(np.stack([x, x + 0.5], axis=-1), axis=-1, initial=0.3), lambda x: np.cosh(np.tanh(x)),
    lambda x: np.linalg.norm(np.stack([x, 1 + 0 * x], axis=-1), ord=1, axis=-1), lambda x: np.expm1(np.sin(x)),
]  # fmt: skip
BINARY = [
    np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.hypot, np.logaddexp, lambda x, y: x / (1 + y**2),
    lambda x, y: np.where(x > y, x, 0.5 * y), lambda x, y: np.where((x > 0) == (y > 0), x, y),
    lambda x, y: np.arctan2(np.sin(x), 1.5 + np.cos(y)), lambda x, y: (1 + x**2) ** np.sin(y),
]  # fmt: skip


def random_function(random: np.random.Generator, d: int, depth: int) -> Callable[[Any], Any]:
    """A tree of functions of θ (..., d), of which none is large."""
    if depth == 0 or random.random() < 0.1:
        i, a, b = int(random.integers(d)), float(random.normal()), float(random.normal())
        return lambda t: a * t[..., i] + b
    if random.random() < 0.5:
        outer, inner = UNARY[random.integers(len(UNARY))], random_function(random, d, depth - 1)
        return lambda t: outer(inner(t))
    outer, *both = BINARY[random.integers(len(BINARY))], *(random_function(random, d, depth - 1) for _ in range(2))
    return lambda t: outer(both[0](t), both[1](t))


def enclosure_checks(random: np.random.Generator, boxes: int = 400, places: int = 25) -> int:
    """Values of a random function at places of random boxes; rounding moves them by less than 1e-9 of their size."""
    d = int(random.integers(1, 4))
    function = random_function(random, d, int(random.integers(1, 5)))
    expression, notes = record(function, d), Record()
    center, radius = random.normal(size=(boxes, d)) * 2, 10.0 ** random.uniform(-6, 0, (boxes, d))
    theta = center + radius * random.uniform(-1, 1, (places, boxes, d))
    with np.errstate(all="ignore"):
        whole = differentiated(expression, box_form(center, radius, notes), 0)[0].range()
        values = function(theta)
    slack = 1e-9 * (1 + np.abs(values))
    return int(np.sum(~((whole.lo - slack <= values) & (values <= whole.hi + slack))))


def check(total: int) -> None:
    random, done, violations = np.random.default_rng(0), 0, 0
    while done < total:
        for _ in range(40):
            violations += polynomial_checks(random)
        violations += sum(closed_form_checks(random, 10_000)) + ring_checks(random)
        done += 40 * 20 + 4 * 10_000 + 20
        for _ in range(20):
            violations += enclosure_checks(random)
            done += 10_000
    print(f"{violations} violations in {done} checks")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--check", type=int, default=0, metavar="N", help="look for violations in N random answers")
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments.check)
    else:
        compare(arguments.queries)
