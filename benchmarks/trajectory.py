"""Time of the sweep of Fig. 4: balls of 8 radii from 10 starts on Eq. (14), 300 steps, the paper's solver with P = 100.

The compiled loop over the balls takes all the steps, by the paper's solver and by Newton's method; its peers, plain
NumPy in the formulas of the paper, take the first few. Three ways to write Eq. (14) in NumPy: a ball after the other
(arrays over the dents), all balls at once (arrays over balls, dents and coordinates), and all at once with the
coordinates apart and a matrix product, which is the fastest that we know. The methods take turns, and times are
medians over the turns; processor time counts all threads.

    python benchmarks/trajectory.py --steps 300 --peer-steps 3 --repeats 3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from geometry import Descent, FunctionGraph, Newton
from rbo_ref import RollingBall, landscapes, trajectory

SIGMA, RATE, INNER_RATE, INNER = 0.2, 0.01, 1e-3, 100
CENTERS = np.random.RandomState(0).uniform(-3, 3, (1000, 2))
ACROSS, ALONG = CENTERS.T.copy()
RADII = np.array([0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0])
STARTS = np.random.default_rng(0).uniform(-2, 2, (10, 1, 2))
THETA = np.broadcast_to(STARTS, (10, 8, 2)).reshape(-1, 2)
RADIUS = np.broadcast_to(RADII, (10, 8)).reshape(-1, 1)

Evaluation = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def dents_at_once(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eq. (14) and its gradient for θ (..., 2), as it is printed."""
    away = theta[..., None, :] - CENTERS
    dents = np.exp(-np.sum(away**2, axis=-1) / SIGMA**2)
    value = np.sum(theta**2, axis=-1) - np.sum(dents, axis=-1)
    return value, 2 * theta + 2 / SIGMA**2 * np.sum(dents[..., None] * away, axis=-2)


def coordinates_apart(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = theta[..., :1] - ACROSS, theta[..., 1:] - ALONG
    dents = np.exp((x * x + y * y) * (-1 / SIGMA**2))
    depth = np.sum(dents, axis=-1)
    slope = 2 * theta + 2 / SIGMA**2 * (depth[..., None] * theta - dents @ CENTERS)
    return np.sum(theta**2, axis=-1) - depth, slope


def plain(evaluate: Evaluation, theta: np.ndarray, radius: np.ndarray, steps: int) -> np.ndarray:
    """Algorithm 1 with its inner loop: θ after so many steps."""
    for _ in range(steps):
        value, g = evaluate(theta)
        stretch = np.sqrt(1 + np.sum(g**2, axis=-1, keepdims=True))
        x = theta - radius * g / stretch - RATE * g
        y = value[..., None] + radius / stretch - RATE * np.sum(g**2, axis=-1, keepdims=True)
        for _ in range(INNER):
            value, g = evaluate(theta)
            theta = theta - INNER_RATE * ((theta - x) + (value[..., None] - y) * g)
    return theta


def one_by_one(steps: int) -> np.ndarray:
    return np.stack([plain(dents_at_once, t, r, steps) for t, r in zip(THETA, RADIUS, strict=True)])


SURFACE = FunctionGraph(landscapes.gaussians(SIGMA).value, compile=True)
BALLS = {
    "compiled, the paper's solver": RollingBall(RATE, RADII, Descent(INNER_RATE, INNER)),
    "compiled, Newton": RollingBall(RATE, RADII, Newton()),
}
PEERS: dict[str, Callable[[int], np.ndarray]] = {
    "NumPy, a ball after the other": one_by_one,
    "NumPy, all balls at once": lambda steps: plain(dents_at_once, THETA, RADIUS, steps),
    "NumPy, coordinates apart": lambda steps: plain(coordinates_apart, THETA, RADIUS, steps),
}


class Run(NamedTuple):
    seconds: float  # a step of all balls
    processor: float


def timed(run: Callable[[int], object], steps: int) -> Run:
    begin, processor = time.perf_counter(), time.process_time()
    run(steps)
    return Run((time.perf_counter() - begin) / steps, (time.process_time() - processor) / steps)


def rolling(ball: RollingBall) -> Callable[[int], np.ndarray]:
    return lambda steps: trajectory(ball, SURFACE, STARTS, steps).theta[-1].reshape(-1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--peer-steps", type=int, default=3, help="how many of them NumPy takes")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    rolls = {name: rolling(ball) for name, ball in BALLS.items()}
    for name, run in rolls.items():
        first = timed(run, 1)
        print(f"{name}: the first call, of one step, took {first.seconds:.2f} s")
    ends = [run(1) for run in (rolls["compiled, the paper's solver"], *PEERS.values())]
    print(f"after a step the largest difference is {max(np.abs(end - ends[0]).max() for end in ends):.1e}")
    runs: dict[str, list[Run]] = {}
    for _ in range(arguments.repeats):
        for name, run in rolls.items():
            runs.setdefault(name, []).append(timed(run, arguments.steps))
        for name, run in PEERS.items():
            runs.setdefault(name, []).append(timed(run, arguments.peer_steps))
    median = {name: Run(*np.median(done, axis=0)) for name, done in runs.items()}
    paper = median["compiled, the paper's solver"]
    print(f"{'':32}{'ms/step':>10}{'ratio':>8}{'CPU ms':>10}{'ratio':>8}   (ratio to the compiled solver of the paper)")
    for name, (seconds, processor) in median.items():
        ratios = seconds / paper.seconds, processor / paper.processor
        print(f"{name:32}{seconds * 1e3:10.3f}{ratios[0]:8.2f}{processor * 1e3:10.3f}{ratios[1]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
