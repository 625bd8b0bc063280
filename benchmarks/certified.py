"""Time of certified distances, radii and balls; `fuzz_certified.py` looks for false ones.

Times are the processor time that the model of the landscape has taken, wall time and processor time for one query of a
batch that finds it made, and the median of single calls of SciPy's `direct`, which proves nothing. `Sampling` proves
nothing either: how long it takes, and how often it is right.

    python benchmarks/certified.py --queries 10000
    python benchmarks/certified.py --ball 300
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, direct

from geometry import FunctionGraph, Sampling, certified, offset, project
from rbo_ref import RollingBall, landscapes, trajectory


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


def exact_ball(steps: int) -> None:
    """Balls whose footpoints are proven, on the landscape of Fig. 4: 10 starts, 8 radii."""
    surface, radius = landscapes.gaussians(0.1), np.array([0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0])
    theta = np.broadcast_to(np.random.default_rng(0).uniform(-3, 3, (10, 1, 2)), (10, 8, 2))
    ball = RollingBall(learning_rate=0.01, radius=radius, solver=certified.Certified())
    wall, cpu, path = timed(partial(trajectory, ball, surface, theta, steps))
    print(f"exact ball: {path.theta.shape[:-1]} places, {wall:.1f} s, {cpu:.1f} s cpu")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--ball", type=int, default=0, metavar="STEPS", help="of exact balls, and nothing else")
    arguments = parser.parse_args()
    if arguments.ball:
        exact_ball(arguments.ball)
    else:
        compare(arguments.queries)
