"""Time of certified distances and radii, and a search for violated enclosures.

Times are the processor time that the model of the landscape has taken, wall time and processor time for one query of a
batch that finds it made, and the median of single calls of SciPy's `direct`, which proves nothing. `Sampling` proves
nothing either: how long it takes, and how often it is right.

`--check` counts answers that do not contain the truth: of random polynomials, from all roots of the equation of
stationary points, isolated by python-flint; of planes, paraboloids, cones and caps, from closed forms.

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

from geometry import FunctionGraph, Sampling, certified, offset, project
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


def check(total: int) -> None:
    random, done, violations = np.random.default_rng(0), 0, 0
    while done < total:
        for _ in range(40):
            violations += polynomial_checks(random)
        violations += sum(closed_form_checks(random, 10_000))
        done += 40 * 20 + 4 * 10_000
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
