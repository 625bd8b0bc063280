"""How well O(d) inner steps project, and how well RBO trains with them, for each gradient evaluation.

The paper asks whether an update in linear time exists in place of its P gradient steps. Candidates: Gauss–Newton steps,
θ ← θ − G⁻¹∇φ with G = I + g gᵀ inverted by the Sherman–Morrison formula, one evaluation each ("plain"), and
`geometry.GaussNewton`, the same with a safeguard that costs one evaluation more. From the contact ∇φ = ηW²g, so that
one plain step is θ − ηg: gradient descent, whatever the radius.

First table: footpoints of candidates along a run of gradient descent on scikit-learn's digits. The error is
|θ − θ*| / |θ_t − θ*|, with θ* where a safeguarded search to the end arrives from the contact; candidates for which it
does not arrive are left out. For each P the paper's steps have the best of 25 rates, an advantage that no user has.

Second table: training loss after equal numbers of evaluations. Each variant has the best of equally many
hyper-parameters (learning rate, radius and, for the paper's steps, rate), tried with another seed; mean and standard
deviation over the seeds.

    python benchmarks/inner_steps.py --evaluations 2000 --trials 24 --seeds 5
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.training.budget import BudgetSpent, Meter
from benchmarks.training.course import batch
from benchmarks.training.data import load
from benchmarks.training.networks import Perceptron
from benchmarks.training.tuning import candidates
from geometry import Descent, Footpoints, FunctionGraph, GaussNewton, project
from rbo_ref import GradientDescent, RollingBall

BATCH = 64
RATES = 10.0 ** np.arange(-5, 1.1, 0.25)
DIGITS = load("digits")
NETWORK = Perceptron((64, 32, 10))


class PlainGaussNewton(NamedTuple):
    """Gauss–Newton steps without a safeguard: as many evaluations as steps."""

    steps: int

    def solve(self, surface: FunctionGraph, query: np.ndarray, theta: np.ndarray) -> Footpoints:
        x, y = query[..., :-1], query[..., -1:]
        for _ in range(self.steps):
            value, g = surface.value_and_gradient(theta)
            force = (theta - x) + (value[..., None] - y) * g
            theta = theta - force + g * (np.vecdot(g, force) / (1 + np.vecdot(g, g)))[..., None]
        return Footpoints(surface, query, theta, np.full(theta.shape[:-1], self.steps))


def loss_of(seed: int, step: int) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The loss of the mini-batch of a step."""
    inputs, labels = DIGITS.training.take(batch(seed, step, DIGITS.training.size, BATCH))
    return lambda theta: NETWORK.value_and_gradient(theta, inputs, labels)


# How well they project.


class Case(NamedTuple):
    surface: FunctionGraph
    start: np.ndarray  # θ_t
    candidate: np.ndarray
    footpoint: np.ndarray  # θ*

    def error(self, solver: Any) -> float:
        with np.errstate(all="ignore"):
            theta = project(self.surface, self.candidate, solver, start=self.start).theta
            error = np.linalg.norm(theta - self.footpoint) / np.linalg.norm(self.start - self.footpoint)
        return float(error) if np.isfinite(error) else np.inf


def cases(learning_rate: float, radius: float, every: int = 10, count: int = 40) -> list[Case]:
    """Candidates from every tenth contact of a run of gradient descent."""
    found, theta = [], NETWORK.initial(0)
    for t in range(every * count):
        surface = FunctionGraph.from_value_and_gradient(loss_of(0, t))
        if t % every == 0:
            candidate = RollingBall(learning_rate, radius, Descent(1.0, 0)).step(surface, theta).candidate
            foot = project(surface, candidate, GaussNewton(max_steps=2000), start=theta)
            if bool(foot.converged):
                found.append(Case(surface, theta, candidate, foot.theta))
        theta = GradientDescent(0.1).step(surface, theta).theta
    return found


def print_projection() -> None:
    settings = [(0.1, 0.1), (0.1, 1.0), (1.0, 0.1), (1.0, 1.0), (1.0, 5.0)]
    columns = [cases(*setting) for setting in settings]
    print("Median error of the footpoint, relative to that of the start (1: nothing gained; above: farther away)\n")
    print(f"{'eta, rho':<28}{'evaluations':>12}" + "".join(f"{f'{e:g}, {r:g}':>12}" for e, r in settings))
    print(f"{'candidates':<40}" + "".join(f"{len(column):>12}" for column in columns))
    for steps in (1, 2, 3, 5, 10, 20, 100):
        medians = [min(median(column, Descent(rate, steps)) for rate in RATES) for column in columns]
        print(f"{'gradient steps, best rate':<28}{steps:>12}" + "".join(f"{m:>12.2g}" for m in medians))
    solvers = [("Gauss-Newton, plain", k, PlainGaussNewton(k)) for k in (1, 2, 3, 5)]
    solvers += [("Gauss-Newton, safeguarded", k + 1, GaussNewton(max_steps=k)) for k in (1, 2, 3, 5)]
    for name, evaluations, solver in solvers:
        medians = [median(column, solver) for column in columns]
        print(f"{name:<28}{evaluations:>12}" + "".join(f"{m:>12.2g}" for m in medians), flush=True)


def median(column: list[Case], solver: Any) -> float:
    return float(np.median([case.error(solver) for case in column]))


# How well they train.


def final_loss(optimizer: Any, seed: int, evaluations: int) -> tuple[float, int]:
    """The loss over the training part when the budget is spent, and the number of steps."""
    meter, theta, t = Meter(evaluations), NETWORK.initial(seed), 0
    state = optimizer.init(theta)
    with np.errstate(all="ignore"):
        while meter.spent < evaluations and np.isfinite(theta).all():
            try:
                step = optimizer.step(meter.counted(loss_of(seed, t)), theta, state)
            except BudgetSpent:
                break
            theta, state, t = step.theta, step.state, t + 1
        loss = NETWORK.measure(theta, *DIGITS.training)[0]
    return (loss if np.isfinite(loss) else np.inf), t


Make = Callable[..., Any]
ROLLING = {"learning_rate": (0.01, 10), "radius": (0.01, 10)}
SLIDING = {"learning_rate": (0.01, 10)}


def variants() -> dict[str, tuple[Make, dict[str, tuple[float, float]]]]:
    def descending(steps: int) -> Make:
        return lambda learning_rate, radius, rate: RollingBall(learning_rate, radius, Descent(rate, steps))

    def newton(solver: Any) -> Make:
        return lambda learning_rate, radius: RollingBall(learning_rate, radius, solver)

    found: dict[str, tuple[Make, dict[str, tuple[float, float]]]] = {"gradient descent": (GradientDescent, SLIDING)}
    for steps in (1, 2, 5, 10, 20):
        found[f"RBO, {steps} gradient steps"] = descending(steps), ROLLING | {"rate": (1e-3, 1)}
    for steps in (1, 2, 3):
        found[f"RBO, {steps} Gauss-Newton, plain"] = newton(PlainGaussNewton(steps)), ROLLING
    for steps in (1, 2):
        found[f"RBO, {steps} Gauss-Newton, safeguarded"] = newton(GaussNewton(max_steps=steps)), ROLLING
    return found


def print_training(evaluations: int, trials: int, seeds: int) -> None:
    print(f"\nTraining loss after {evaluations} evaluations, best of {trials} hyper-parameters; {seeds} seeds\n")
    print(f"{'':<34}{'steps':>8}{'loss':>11}{'deviation':>11}  chosen")
    for name, (make, ranges) in variants().items():
        points = candidates(ranges, trials)
        losses = [final_loss(make(**point), 1000, evaluations)[0] for point in points]
        chosen = points[int(np.argmin(losses))]
        ends, steps = zip(*(final_loss(make(**chosen), seed, evaluations) for seed in range(seeds)), strict=True)
        words = ", ".join(f"{key} {value:g}" for key, value in chosen.items())
        print(f"{name:<34}{steps[0]:>8}{np.mean(ends):>11.3g}{np.std(ends, ddof=1):>11.2g}  {words}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print_projection()
    print_training(options.evaluations, options.trials, options.seeds)
