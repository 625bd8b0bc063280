"""Footpoints on a rational Bézier curve against one `scipy.optimize.minimize_scalar` a query, and in the wrong basin.

The curve has weights as NURBS have. SciPy minimises over the whole of it, which may end in a wrong basin; the truth is
the nearest of 200 000 points of the curve, wrong by 1e-10 at most. Times are processor times of all threads.

    python benchmarks/parametric.py --points 100000 --scipy-points 200
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.spatial import cKDTree

from geometry import MultiStart, Parametric, project

POLES = np.array([[0.0, 0.0], [1.0, 3.0], [2.0, -3.0], [3.0, 3.0], [4.0, -1.0], [2.0, 1.0]])
WEIGHTS = np.array([1.0, 0.7, 2.0, 1.5, 0.5, 1.0])
DEGREE = len(POLES) - 1
LARGE = [math.comb(DEGREE, i) * w for i, w in enumerate(WEIGHTS)]
SAMPLES, CLOSE = 200_000, 1e-9


def curve(t: Any) -> Any:
    """Σ wᵢ Bᵢ(t) Pᵢ / Σ wᵢ Bᵢ(t)."""
    parts = [c * t**i * (1 - t) ** (DEGREE - i) for i, c in enumerate(LARGE)]
    return sum(part * pole for part, pole in zip(parts, POLES, strict=True)) / sum(parts)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    found = function()
    return time.process_time() - start, found


def by_scipy(query: np.ndarray) -> float:
    def away(t: float) -> float:
        x, y = curve(np.array([t]))
        return math.hypot(x - query[0], y - query[1])

    return float(minimize_scalar(away, bounds=(0, 1), method="bounded", options={"xatol": 1e-9}).fun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--scipy-points", type=int, default=200)
    options = parser.parse_args()
    queries = np.random.default_rng(0).uniform((-1, -2), (5, 3), size=(options.points, 2))
    truth = cKDTree(curve(np.linspace(0, 1, SAMPLES)[:, None])).query(queries)[0]
    some = queries[: options.scipy_points]
    seconds, found = timed(lambda: np.array([by_scipy(q) for q in some]))
    each = seconds / len(some)
    wrong = np.mean(found > truth[: len(some)] + CLOSE)
    print(f"minimize_scalar: {1e6 * each:.1f} µs a query, {wrong:.1%} in a wrong basin")
    surface = Parametric(curve, box=[(0, 1)], name="rational Bézier curve")
    for name, solver in (("default", None), ("MultiStart(starts=7)", MultiStart(starts=7))):
        project(surface, queries, solver)  # compiled code is loaded
        seconds, feet = timed(lambda solver=solver: project(surface, queries, solver))
        wrong = np.mean(feet.distance > truth + CLOSE)
        own = seconds / len(queries)
        print(
            f"{name}: {1e6 * own:.2f} µs a query, {each / own:.0f} times as fast, {wrong:.4%} in a wrong basin, "
            f"{feet.converged.mean():.4%} converged, {feet.steps.mean():.1f} steps"
        )


if __name__ == "__main__":
    main()
