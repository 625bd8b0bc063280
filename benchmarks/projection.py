"""Time and success of batched footpoint projection against one `scipy.optimize.minimize` a point.

The surfaces are given by their values alone. The queries are the candidates of Algorithm 1 from random θ, each search
starts at its θ, and "converged" means the same for all: a residual within the default tolerance of `geometry`, or
within what the last two bits of θ do to it. SciPy is given value and gradient in plain formulas, without our checks.

    python benchmarks/projection.py --points 20000 --array-points 1000 --scipy-points 100 --repeats 5
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
CENTERS = np.random.RandomState(0).uniform(-3, 3, (1000, 2))
SIGMA = 0.2


def bare_sine(theta: np.ndarray) -> tuple[float, np.ndarray]:
    return math.sin(theta[0]), np.cos(theta)


def bare_wrinkled(theta: np.ndarray) -> tuple[float, np.ndarray]:
    phases = SQUARES * theta[0]
    return float(np.sum(np.sin(phases) / SQUARES)), np.array([np.sum(np.cos(phases))])


def bare_gaussians(theta: np.ndarray) -> tuple[float, np.ndarray]:
    away = theta - CENTERS
    dents = np.exp(-np.sum(away**2, axis=1) / SIGMA**2)
    return float(theta @ theta - np.sum(dents)), 2 * theta + 2 / SIGMA**2 * (dents @ away)


def bare_rosenbrock(theta: np.ndarray) -> tuple[float, np.ndarray]:
    off, short = theta[1:] - theta[:-1] ** 2, 1 - theta[:-1]
    gradient = np.zeros(len(theta))
    gradient[1:] += 200 * off
    gradient[:-1] -= 400 * theta[:-1] * off + 2 * short
    return float(np.sum(100 * off**2 + short**2)), gradient


class Problem(NamedTuple):
    name: str
    value: Callable[[np.ndarray], np.ndarray]  # f of arrays (..., d)
    bare: Callable[[np.ndarray], tuple[float, np.ndarray]]
    d: int
    radius: float
    box: float

    def surface(self, compile: bool = False) -> FunctionGraph:
        return FunctionGraph(self.value, compile=compile)

    def queries(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Candidates p + ρν − ητ, and the θ that they come from. η = 0.01, less where the slopes are hundreds."""
        theta = np.random.default_rng(0).uniform(-self.box, self.box, (count, self.d))
        rate = 1e-5 if self.bare is bare_rosenbrock else 0.01
        return offset(self.surface(), theta, self.radius) - rate * self.surface().tangent(theta), theta


PROBLEMS = [Problem("sine", landscapes.sine().value, bare_sine, 1, radius, 10) for radius in (0.5, 3.0)]
PROBLEMS += [Problem("Eq. 13", landscapes.wrinkled().value, bare_wrinkled, 1, radius, 10) for radius in (0.1, 1.0)]
PROBLEMS += [Problem("Eq. 14", landscapes.gaussians(SIGMA).value, bare_gaussians, 2, 0.5, 3)]
PROBLEMS += [Problem("Rosenbrock", landscapes.rosenbrock().value, bare_rosenbrock, 5, 0.5, 1.5)]

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


def batched(surface: FunctionGraph, queries: np.ndarray, starts: np.ndarray, method: str) -> Run:
    begin = time.perf_counter()
    foot = project(surface, queries, SOLVERS[method], start=starts)
    seconds = time.perf_counter() - begin
    return Run(seconds / len(queries), 1 + foot.steps.mean(), foot.theta)


def one_by_one(problem: Problem, queries: np.ndarray, starts: np.ndarray, method: str) -> Run:
    ends, evaluations = [], 0
    begin = time.perf_counter()
    for query, start in zip(queries, starts, strict=True):

        def half_square(t: np.ndarray, x: np.ndarray = query[:-1], y: float = query[-1]) -> tuple[float, np.ndarray]:
            value, slope = problem.bare(t)
            across = t - x
            return (across @ across + (value - y) ** 2) / 2, across + (value - y) * slope

        result = minimize(half_square, start, jac=True, method=method, options=PEERS[method])
        ends.append(result.x)
        evaluations += result.nfev
    seconds = time.perf_counter() - begin
    return Run(seconds / len(queries), evaluations / len(queries), np.stack(ends))


def converged(problem: Problem, queries: np.ndarray, theta: np.ndarray) -> float:
    """The share of stationary points among the ends."""
    surface = problem.surface()
    foot = project(surface, queries, Descent(1.0, 0), start=theta)
    slope, curve = surface.gradient(theta), surface.hessian(theta)
    height = foot.point[:, -1] - queries[:, -1]
    bend = np.eye(problem.d) + slope[:, :, None] * slope[:, None, :] + height[:, None, None] * curve  # ∇²φ
    bits = 4 * np.finfo(float).eps * (np.linalg.norm(theta, axis=1) + np.linalg.norm(queries[:, :-1], axis=1))
    steep = np.hypot(1, np.linalg.norm(slope, axis=1))
    return float(np.mean(foot.converged | (foot.residual <= bits * np.linalg.norm(bend, axis=(1, 2)) / steep)))


def compare(problem: Problem, counts: dict[str, int], repeats: int) -> list[str]:
    """A line of the table for each method; the methods take turns, and times are medians over the turns."""
    compiled, arrays = problem.surface(compile=True), problem.surface(compile=False)
    queries, starts = problem.queries(counts["compiled"])
    begin = time.perf_counter()
    project(compiled, queries[:1], start=starts[:1])
    first = time.perf_counter() - begin
    runs: dict[str, list[Run]] = {}
    for _ in range(repeats):
        for kind, surface in (("compiled", compiled), ("arrays", arrays)):
            for method in SOLVERS:
                some = slice(counts[kind])
                runs.setdefault(f"{kind} {method}", []).append(batched(surface, queries[some], starts[some], method))
        for method in PEERS:
            some = slice(counts["scipy"])
            runs.setdefault(method, []).append(one_by_one(problem, queries[some], starts[some], method))
    median = {method: float(np.median([run.seconds for run in done])) for method, done in runs.items()}
    lines = [f"{problem.name}, d = {problem.d}, ρ = {problem.radius:g}; the first compiled call took {first:.2f} s"]
    for method, done in runs.items():
        share = converged(problem, queries[: len(done[0].theta)], done[0].theta)
        lines.append(
            f"    {method:22} {median[method] * 1e6:10.3f} {median['L-BFGS-B'] / median[method]:10.1f} "
            f"{done[0].evaluations:8.1f} {share:10.1%}"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=20_000, help="queries of the compiled searches")
    parser.add_argument("--array-points", type=int, default=1000, help="how many of them the searches on arrays get")
    parser.add_argument("--scipy-points", type=int, default=100, help="how many of them SciPy gets")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    counts = {"compiled": arguments.points, "arrays": arguments.array_points, "scipy": arguments.scipy_points}
    print(f"    {'method':22} {'µs/point':>10} {'x L-BFGS-B':>10} {'evals':>8} {'converged':>10}")
    for problem in PROBLEMS:
        for line in compare(problem, counts, arguments.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
