"""Time and success of batched footpoint projection against one `scipy.optimize.minimize` a point.

The surfaces are given by their values alone. The queries are the candidates of Algorithm 1 from random θ, each search
starts at its θ, and "converged" means the same for all: a residual within the default tolerance of `geometry`, or
within what the last two bits of θ do to it. SciPy is given value and gradient in plain formulas, without our checks.
Times are processor times of all threads, so that other work on the machine counts little: on n free cores compiled
searches take an n-th of it.

PyTorch and JAX run Newton's method on all queries at once, regularised by Levenberg and Marquardt where ∇²φ is not
positive definite, with derivatives in plain formulas; the batch shrinks as queries are done.

    python benchmarks/projection.py --points 20000 --array-points 1000 --scipy-points 100 --repeats 5
    python benchmarks/projection.py --scaling --points 1000000 --repeats 3
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, NamedTuple

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


# The same with second derivatives, for arrays of a library xp; θ is a tuple of d arrays (n,).


def lockstep_sine(xp: Any, theta: tuple) -> tuple:
    value = xp.sin(theta[0])
    return value, [xp.cos(theta[0])], [[-value]]


def lockstep_wrinkled(xp: Any, theta: tuple) -> tuple:
    squares = xp.asarray(SQUARES)
    phases = theta[0][:, None] * squares
    sines = xp.sin(phases)
    return xp.sum(sines / squares, -1), [xp.sum(xp.cos(phases), -1)], [[-sines @ squares]]


def lockstep_gaussians(xp: Any, theta: tuple) -> tuple:
    x, y = (t[:, None] - xp.asarray(CENTERS[:, k].copy()) for k, t in enumerate(theta))
    dents = xp.exp((x * x + y * y) * (-1 / SIGMA**2))
    a, b = 2 / SIGMA**2, 4 / SIGMA**4
    total, dx, dy = xp.sum(dents, -1), dents * x, dents * y
    gradient = [2 * theta[0] + a * xp.sum(dx, -1), 2 * theta[1] + a * xp.sum(dy, -1)]
    both = -b * xp.sum(dx * y, -1)
    hessian = [[2 + a * total - b * xp.sum(dx * x, -1), both], [both, 2 + a * total - b * xp.sum(dy * y, -1)]]
    return theta[0] ** 2 + theta[1] ** 2 - total, gradient, hessian


def lockstep_rosenbrock(xp: Any, theta: tuple) -> tuple:
    zero = xp.zeros_like(theta[0])
    value, gradient, hessian = zero, [zero] * len(theta), [[zero] * len(theta) for _ in theta]
    for i, (x, y) in enumerate(pairwise(theta)):
        off, short = y - x * x, 1 - x
        value = value + 100 * off * off + short * short
        gradient[i] = gradient[i] - 400 * x * off - 2 * short
        gradient[i + 1] = gradient[i + 1] + 200 * off
        hessian[i][i] = hessian[i][i] + 1200 * x * x - 400 * y + 2
        hessian[i + 1][i + 1] = hessian[i + 1][i + 1] + 200
        hessian[i][i + 1] = hessian[i + 1][i] = -400 * x
    return value, gradient, hessian


class Problem(NamedTuple):
    name: str
    value: Callable[[np.ndarray], np.ndarray]  # f of arrays (..., d)
    bare: Callable[[np.ndarray], tuple[float, np.ndarray]]
    lockstep: Callable[[Any, tuple], tuple]
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


PROBLEMS = [Problem("sine", landscapes.sine().value, bare_sine, lockstep_sine, 1, radius, 10) for radius in (0.5, 3.0)]
PROBLEMS += [
    Problem("Eq. 13", landscapes.wrinkled().value, bare_wrinkled, lockstep_wrinkled, 1, radius, 10)
    for radius in (0.1, 1.0)
]
PROBLEMS += [Problem("Eq. 14", landscapes.gaussians(SIGMA).value, bare_gaussians, lockstep_gaussians, 2, 0.5, 3)]
PROBLEMS += [Problem("Rosenbrock", landscapes.rosenbrock().value, bare_rosenbrock, lockstep_rosenbrock, 5, 0.5, 1.5)]

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
    begin = time.process_time()
    foot = project(surface, queries, SOLVERS[method], start=starts)
    seconds = time.process_time() - begin
    return Run(seconds / len(queries), 1 + foot.steps.mean(), foot.theta)


def one_by_one(problem: Problem, queries: np.ndarray, starts: np.ndarray, method: str) -> Run:
    ends, evaluations = [], 0
    begin = time.process_time()
    for query, start in zip(queries, starts, strict=True):

        def half_square(t: np.ndarray, x: np.ndarray = query[:-1], y: float = query[-1]) -> tuple[float, np.ndarray]:
            value, slope = problem.bare(t)
            across = t - x
            return (across @ across + (value - y) ** 2) / 2, across + (value - y) * slope

        result = minimize(half_square, start, jac=True, method=method, options=PEERS[method])
        ends.append(result.x)
        evaluations += result.nfev
    seconds = time.process_time() - begin
    return Run(seconds / len(queries), evaluations / len(queries), np.stack(ends))


# Newton's method in lock-step. The state is a tuple of arrays (n,): what an item is depends on itself alone.
ROUNDS, MOST = 8, 400  # iterations between looks at what is done; iterations in all


class Item(NamedTuple):
    query: tuple  # (x, y), each of its d + 1 entries an array (n,)
    theta: tuple
    value: Any
    gradient: list
    hessian: list
    damping: Any
    done: Any


def look(query: tuple, theta: Any, value: Any, gradient: Any) -> tuple:
    """φ, ∇φ, the squared residual."""
    height = value - query[-1]
    across = [t - x for t, x in zip(theta, query[:-1], strict=True)]
    pull = [a + height * g for a, g in zip(across, gradient, strict=True)]
    along = sum(p * g for p, g in zip(pull, gradient, strict=True))
    square = 1 + sum(g * g for g in gradient)
    return (sum(a * a for a in across) + height * height) / 2, pull, sum(p * p for p in pull) - along * along / square


def solve(matrix: list, right: list) -> tuple:
    """The solution of a small system by LDLᵀ, written out, and the least pivot."""
    d, a, b, pivots = len(right), [list(row) for row in matrix], list(right), []
    for k in range(d):
        pivots.append(a[k][k])
        for i in range(k + 1, d):
            factor = a[i][k] / a[k][k]
            b[i] = b[i] - factor * b[k]
            for j in range(k + 1, d):
                a[i][j] = a[i][j] - factor * a[k][j]
    for k in reversed(range(d)):
        b[k] = (b[k] - sum(a[k][j] * b[j] for j in range(k + 1, d))) / a[k][k]
    return b, pivots


def iterate(xp: Any, problem: Problem, item: Item) -> Item:
    d, height = problem.d, item.value - item.query[-1]
    phi, pull, rest = look(item.query, item.theta, item.value, item.gradient)
    matrix = [
        [item.gradient[i] * item.gradient[j] + height * item.hessian[i][j] + (1 + item.damping if i == j else 0)
         for j in range(d)] for i in range(d)
    ]  # fmt: skip
    step, pivots = solve(matrix, pull)
    theta = tuple(t - s for t, s in zip(item.theta, step, strict=True))
    value, gradient, hessian = problem.lockstep(xp, theta)
    new, _, new_rest = look(item.query, theta, value, gradient)
    down = (new < phi) | ((new <= phi * (1 + 1e-14)) & (new_rest < 0.98 * rest))
    for pivot in pivots:
        down = down & (pivot > 0)
    steep = sum(g * g for g in item.gradient)
    weaker = xp.where(item.damping > 1e-6 * (1 + steep), item.damping / 8, 0 * item.damping)
    damping = xp.where(down, weaker, xp.maximum(8 * item.damping, 1e-2 * (1 + steep)))
    down = down & ~item.done
    theta = tuple(xp.where(down, a, b) for a, b in zip(theta, item.theta, strict=True))
    value = xp.where(down, value, item.value)
    gradient = [xp.where(down, a, b) for a, b in zip(gradient, item.gradient, strict=True)]
    hessian = [
        [xp.where(down, a, b) for a, b in zip(*rows, strict=True)] for rows in zip(hessian, item.hessian, strict=True)
    ]
    still = (damping > 1e12 * (1 + steep)) | item.done
    return Item(
        item.query, theta, value, gradient, hessian, damping, still | is_done(xp, item.query, theta, value, gradient)
    )


def is_done(xp: Any, query: tuple, theta: tuple, value: Any, gradient: list) -> Any:
    """The default tolerance of `geometry`."""
    _, _, rest = look(query, theta, value, gradient)
    eps, steep = 2.0**-52, sum(g * g for g in gradient)
    stretch = xp.sqrt(1 + steep)
    size = xp.sqrt(sum(t * t for t in theta)) + xp.sqrt(sum(x * x for x in query[:-1]))
    heights = (xp.abs(value) + xp.abs(query[-1])) * xp.sqrt(steep) / stretch
    allowed = eps**0.75 * (size + heights + xp.abs(value - query[-1])) + 4 * eps * stretch * size
    return rest <= allowed * allowed


def lockstep(xp: Any, rounds: Callable[[Item], Item], problem: Problem, arrays: list) -> list:
    """θ of all queries. What is done leaves the batch, which has a size of a power of two for JAX's sake."""
    d, count = problem.d, len(arrays[0])
    query, theta = tuple(arrays[: d + 1]), tuple(arrays[d + 1 :])
    value, gradient, hessian = problem.lockstep(xp, theta)
    damping = xp.zeros_like(value)
    item = Item(query, theta, value, gradient, hessian, damping, is_done(xp, query, theta, value, gradient))
    ends, places = np.empty((count, d)), np.arange(count)
    for _ in range(MOST // ROUNDS):
        item = rounds(item)
        done = np.asarray(item.done)
        ends[places] = np.stack([np.asarray(t) for t in item.theta], axis=-1)
        left = np.flatnonzero(~done)
        if not len(left):
            break
        size = min(len(done), 2 ** math.ceil(math.log2(len(left))))
        if size < len(done):
            kept = np.resize(left, size)
            item, places = mapped(item, xp.asarray(kept)), places[kept]
    return ends


def mapped(item: Item, kept: Any) -> Item:
    hessian = [[h[kept] for h in row] for row in item.hessian]
    vectors = (tuple(a[kept] for a in item.query), tuple(a[kept] for a in item.theta))
    return Item(
        *vectors, item.value[kept], [g[kept] for g in item.gradient], hessian, item.damping[kept], item.done[kept]
    )


@cache
def rounds_of(library: str, problem: Problem) -> tuple[Any, Callable[[Item], Item]]:
    """The library, and so many iterations in it; compiled by JAX."""
    if library == "PyTorch":
        import torch

        def run(item: Item) -> Item:
            for _ in range(ROUNDS):
                item = iterate(torch, problem, item)
            return item

        return torch, torch.no_grad()(run)
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax.numpy, jax.jit(
        lambda item: jax.lax.fori_loop(0, ROUNDS, lambda _, held: iterate(jax.numpy, problem, held), item)
    )


def at_once(problem: Problem, queries: np.ndarray, starts: np.ndarray, library: str) -> Run:
    xp, rounds = rounds_of(library, problem)
    arrays = [xp.asarray(column.copy()) for column in (*queries.T, *starts.T)]
    begin = time.process_time()
    theta = lockstep(xp, rounds, problem, arrays)
    return Run((time.process_time() - begin) / len(queries), math.nan, theta)


LIBRARIES = [name for name, module in (("PyTorch", "torch"), ("JAX", "jax")) if find_spec(module)]


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
    begin = time.process_time()
    project(compiled, queries[:1], start=starts[:1])
    first = time.process_time() - begin
    many = slice(counts["arrays"] if problem.bare is bare_gaussians else counts["compiled"])  # a 1000 terms each
    for library in LIBRARIES:  # compiles
        at_once(problem, queries[many], starts[many], library)
    runs: dict[str, list[Run]] = {}
    for _ in range(repeats):
        for kind, surface in (("compiled", compiled), ("arrays", arrays)):
            for method in SOLVERS:
                some = slice(counts[kind])
                runs.setdefault(f"{kind} {method}", []).append(batched(surface, queries[some], starts[some], method))
        for library in LIBRARIES:
            runs.setdefault(library, []).append(at_once(problem, queries[many], starts[many], library))
        for method in PEERS:
            some = slice(counts["scipy"])
            runs.setdefault(method, []).append(one_by_one(problem, queries[some], starts[some], method))
    median = {method: float(np.median([run.seconds for run in done])) for method, done in runs.items()}
    lines = [f"{problem.name}, d = {problem.d}, ρ = {problem.radius:g}; the first compiled call took {first:.2f} s"]
    for method, done in runs.items():
        share = converged(problem, queries[: len(done[0].theta)], done[0].theta)
        lines.append(
            f"    {method:22} {median[method] * 1e6:10.3f} {median['L-BFGS-B'] / median[method]:10.1f} "
            f"{done[0].evaluations:8.1f} {share:10.2%}"
        )
    return lines


def scale(problem: Problem, most: int, repeats: int) -> str:
    """Processor time a point of compiled searches by Newton's method, for batches of growing size."""
    surface, times = problem.surface(compile=True), []
    sizes = [10**k for k in range(3, 7) if 10**k <= most]
    queries, starts = problem.queries(sizes[-1])
    project(surface, queries[:1], start=starts[:1])  # compiles
    for size in sizes:
        runs = []
        for _ in range(repeats):
            begin = time.process_time()
            project(surface, queries[:size], start=starts[:size])
            runs.append((time.process_time() - begin) / size * 1e6)
        times.append(f"{float(np.median(runs)):10.3f}")
    return f"{problem.name:12} ρ = {problem.radius:<4g}" + "".join(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=20_000, help="queries of the compiled searches")
    parser.add_argument("--array-points", type=int, default=1000, help="how many of them the searches on arrays get")
    parser.add_argument("--scipy-points", type=int, default=100, help="how many of them SciPy gets")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", help="problems of which the name contains this")
    parser.add_argument("--scaling", action="store_true", help="µs of processor time a point for 10³, 10⁴, ... queries")
    arguments = parser.parse_args()
    problems = [p for p in PROBLEMS if arguments.only is None or arguments.only.casefold() in p.name.casefold()]
    if arguments.scaling:
        for problem in problems:
            print(scale(problem, arguments.points, arguments.repeats), flush=True)
        return
    counts = {"compiled": arguments.points, "arrays": arguments.array_points, "scipy": arguments.scipy_points}
    print(f"    {'method':22} {'µs/point':>10} {'x L-BFGS-B':>10} {'evals':>8} {'converged':>10}")
    for problem in problems:
        for line in compare(problem, counts, arguments.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
