"""Time and success of batched footpoint projection against one `scipy.optimize.minimize` a point.

The queries are the candidates of Algorithm 1 from random θ, each search starts at its θ, and "converged" means the same
for all: a residual within the default tolerance of `geometry`, or within what the last two bits of θ do to it. SciPy is
given bare formulas, without our checks.

    python benchmarks/projection.py --points 2000 --scipy-points 100 --repeats 5
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from geometry import Descent, FunctionGraph, GaussNewton, Newton, offset, project
from rbo_ref import landscapes

SQUARES = np.arange(1.0, 101) ** 2


def bare_sine(theta: float) -> tuple[float, float]:
    return math.sin(theta), math.cos(theta)


def bare_wrinkled(theta: float) -> tuple[float, float]:
    phases = SQUARES * theta
    return float(np.sum(np.sin(phases) / SQUARES)), float(np.sum(np.cos(phases)))


class Problem(NamedTuple):
    name: str
    surface: FunctionGraph
    bare: Callable[[float], tuple[float, float]]
    radius: float

    def queries(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Candidates p + ρν − ητ, η = 0.01, and the θ that they come from."""
        theta = np.random.default_rng(0).uniform(-10, 10, (count, 1))
        return offset(self.surface, theta, self.radius) - 0.01 * self.surface.tangent(theta), theta


PROBLEMS = [Problem("sine", landscapes.sine(), bare_sine, radius) for radius in (0.5, 3.0)]
PROBLEMS += [Problem("Eq. 13", landscapes.wrinkled(), bare_wrinkled, radius) for radius in (0.1, 1.0)]

SOLVERS = {"Newton": Newton(), "GaussNewton": GaussNewton()}
# SciPy's own tolerances let it stop at 1e-5; these ask for what the others reach.
PEERS = {
    "L-BFGS-B": {"gtol": 1e-10, "ftol": 0.0, "maxiter": 200},
    "BFGS": {"gtol": 1e-10, "maxiter": 200},
}


class Run(NamedTuple):
    seconds: float  # a point
    evaluations: float  # of value and gradient, a point
    theta: np.ndarray


def batched(problem: Problem, queries: np.ndarray, starts: np.ndarray, method: str) -> Run:
    begin = time.perf_counter()
    foot = project(problem.surface, queries, SOLVERS[method], start=starts)
    seconds = time.perf_counter() - begin
    return Run(seconds / len(queries), 1 + foot.steps.mean(), foot.theta)


def one_by_one(problem: Problem, queries: np.ndarray, starts: np.ndarray, method: str) -> Run:
    ends, evaluations = [], 0
    begin = time.perf_counter()
    for (x, y), start in zip(queries.tolist(), starts, strict=True):

        def half_square(t: np.ndarray, x: float = x, y: float = y) -> tuple[float, float]:
            value, slope = problem.bare(t[0])
            return ((t[0] - x) ** 2 + (value - y) ** 2) / 2, (t[0] - x) + (value - y) * slope

        result = minimize(half_square, start, jac=True, method=method, options=PEERS[method])
        ends.append(result.x)
        evaluations += result.nfev
    seconds = time.perf_counter() - begin
    return Run(seconds / len(queries), evaluations / len(queries), np.stack(ends))


def converged(problem: Problem, queries: np.ndarray, theta: np.ndarray) -> float:
    """The share of stationary points among the ends."""
    foot = project(problem.surface, queries, Descent(1.0, 0), start=theta)
    slope, curve = problem.surface.gradient(theta)[:, 0], problem.surface.hessian(theta)[:, 0, 0]
    bend = 1 + slope**2 + (foot.point[:, 1] - queries[:, 1]) * curve  # φ″
    bits = 4 * np.finfo(float).eps * (abs(theta[:, 0]) + abs(queries[:, 0]))
    return float(np.mean(foot.converged | (foot.residual <= bits * abs(bend) / np.hypot(1, slope))))


def compare(problem: Problem, points: int, scipy_points: int, repeats: int) -> list[str]:
    """A line of the table for each method; the methods take turns, and times are medians over the turns."""
    queries, starts = problem.queries(points)
    runs: dict[str, list[Run]] = {method: [] for method in (*SOLVERS, *PEERS)}
    for _ in range(repeats):
        for method in SOLVERS:
            runs[method].append(batched(problem, queries, starts, method))
        for method in PEERS:
            runs[method].append(one_by_one(problem, queries[:scipy_points], starts[:scipy_points], method))
    median = {method: float(np.median([run.seconds for run in done])) for method, done in runs.items()}
    lines = []
    for method, done in runs.items():
        share = converged(problem, queries[: len(done[0].theta)], done[0].theta)
        lines.append(
            f"{problem.name:8} {problem.radius:4g}  {method:12} {median[method] * 1e6:10.2f} "
            f"{median[method] / median['Newton']:8.1f} {done[0].evaluations:8.1f} {share:10.1%}"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=2000, help="queries of the batched solvers")
    parser.add_argument("--scipy-points", type=int, default=100, help="how many of them SciPy gets")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{'surface':8} {'ρ':>4}  {'method':12} {'µs/point':>10} {'ratio':>8} {'evals':>8} {'converged':>10}")
    for problem in PROBLEMS:
        for line in compare(problem, arguments.points, arguments.scipy_points, arguments.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
