"""Processor time of verbs that look everywhere: compiled, on arrays, and SciPy's `differential_evolution` a query.

The landscapes are given by their values alone. SciPy maximises the same objective, a population at a time: the height
of the centre of a ball, the curvature of the balls that touch at a point, and, for the critical radius, the largest
curvature. "as high" is the share of its answers that are as good as the compiled ones, to six digits.

    python benchmarks/global_verbs.py --repeats 3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import differential_evolution

from geometry import FunctionGraph, critical_radius, medial_radius, offset_function
from rbo_ref import landscapes

Values = Callable[[np.ndarray], np.ndarray]
PEER = {"vectorized": True, "updating": "deferred", "rng": 0, "tol": 1e-8, "polish": True}
NEARBY = 1e-4  # as near as SciPy looks for what stops a ball; nearer, the curvature at the contact counts


class Problem(NamedTuple):
    name: str
    value: Values  # f of arrays (..., d)
    d: int
    radius: float
    half: float  # of the side of the box
    queries: tuple[int, int, int]  # for compiled code, arrays, SciPy

    @property
    def box(self) -> list[tuple[float, float]]:
        return [(-self.half, self.half)] * self.d


PROBLEMS = (
    Problem("sine", landscapes.sine().value, 1, 3.0, 10.0, (1000, 100, 5)),
    Problem("Eq. 13", landscapes.wrinkled().value, 1, 1.0, 10.0, (200, 10, 3)),
    Problem("Eq. 14", landscapes.gaussians(0.2).value, 2, 0.5, 3.0, (20, 1, 1)),
)


def maximized(objective: Values, box: list[tuple[float, float]]) -> float:
    """SciPy's maximum of a function of arrays (..., d)."""

    def falling(x: np.ndarray) -> np.ndarray:
        values = objective(np.moveaxis(np.atleast_1d(x), 0, -1))
        return np.where(np.isfinite(values), -values, 1e9)

    with np.errstate(all="ignore"):
        return -float(differential_evolution(falling, box, **PEER).fun)


def resting(problem: Problem, theta: np.ndarray) -> float:
    """The offset function, by SciPy."""
    rho = problem.radius

    def height(s: np.ndarray) -> np.ndarray:
        return problem.value(theta + s) + np.sqrt(rho**2 - np.sum(s**2, axis=-1))

    return maximized(height, [(-rho, rho)] * problem.d)


def touching(problem: Problem, theta: np.ndarray) -> float:
    """The radius of the largest ball above that touches at θ, by SciPy."""
    surface = FunctionGraph(problem.value, compile=False)
    p, normal = surface.point_and_normal(theta)

    def curvature(t: np.ndarray) -> np.ndarray:
        away = np.concatenate([t, problem.value(t)[..., None]], axis=-1) - p
        square = np.sum(away**2, axis=-1)
        return np.where(square > NEARBY**2, 2 * (away @ normal) / square, -np.inf)

    bend = max(maximized(curvature, problem.box), float(surface.curvatures(theta)[-1]))
    return 1 / bend if bend > 0 else np.inf


def bent(problem: Problem, _: np.ndarray) -> float:
    """The critical radius, by SciPy."""
    surface = FunctionGraph(problem.value, compile=False)
    return 1 / maximized(lambda t: surface.curvatures(t)[..., -1], problem.box)


class Verb(NamedTuple):
    run: Callable[[Problem, FunctionGraph, np.ndarray], np.ndarray]
    peer: Callable[[Problem, np.ndarray], float]
    one: bool = False  # a single query


VERBS = {
    "offset_function": Verb(lambda p, surface, theta: offset_function(surface, theta, p.radius), resting),
    "medial_radius": Verb(lambda p, surface, theta: medial_radius(surface, theta, box=p.box), touching),
    "critical_radius": Verb(lambda p, surface, theta: critical_radius(surface, p.box)[None], bent, one=True),
}


def timed(run: Callable[[], np.ndarray], count: int) -> tuple[float, np.ndarray]:
    """Seconds of processor time a query, of all threads, and the answers."""
    begin = time.process_time()
    found = run()
    return (time.process_time() - begin) / count, found


def compare(problem: Problem, name: str, repeats: int) -> str:
    """A line of the table; all take turns, and times are medians over the turns."""
    verb, theta = VERBS[name], np.random.default_rng(0).uniform(-problem.half, problem.half, (1000, problem.d))
    counts = (1, 1, 1) if verb.one else problem.queries
    compiled, arrays = (FunctionGraph(problem.value, compile=kind) for kind in (True, False))
    verb.run(problem, compiled, theta[:1])  # compiles
    times: dict[str, list[float]] = {}
    found: dict[str, np.ndarray] = {}
    for _ in range(repeats):
        for kind, surface, count in zip(("compiled", "arrays"), (compiled, arrays), counts, strict=False):
            seconds, found[kind] = timed(lambda s=surface, n=count: verb.run(problem, s, theta[:n]), count)
            times.setdefault(kind, []).append(seconds)
        some = theta[: counts[2]]
        seconds, found["peer"] = timed(lambda t=some: np.array([verb.peer(problem, x) for x in t]), len(some))
        times.setdefault("peer", []).append(seconds)
    median = {kind: float(np.median(seconds)) for kind, seconds in times.items()}
    ours, peer = found["compiled"][: counts[2]], found["peer"]
    good = peer >= ours - 1e-6 * np.abs(ours) if name == "offset_function" else peer <= ours * (1 + 1e-6)
    same = np.nanmax(np.abs(found["compiled"][: counts[1]] / found["arrays"] - 1))
    return (
        f"{problem.name:8} {name:16} {median['compiled'] * 1e3:10.3f} {median['arrays'] / median['compiled']:10.1f} "
        f"{median['peer'] / median['compiled']:10.1f} {np.mean(good):8.0%} {same:12.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'':25} {'ms/query':>10} {'x arrays':>10} {'x SciPy':>10} {'as high':>8} {'difference':>12}")
    for problem in PROBLEMS:
        for name in VERBS:
            print(compare(problem, name, arguments.repeats), flush=True)


if __name__ == "__main__":
    main()
