"""Every optimizer as its formulas, written once in arithmetic that knows the truth and what rounding does.

Each formula is a generator. It yields θ_{t+1}, and is sent where the port really went; from there it takes the next
step, so that every step is judged by itself, whatever the earlier ones did. What is remembered between steps follows
from the places where the port was. Its hyper-parameters may change from step to step. On the way it shows the
quantities that its paper names, and its inner iterates. This file shares no line with the code it judges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy

from geometry.arithmetic.formats import Format
from geometry.arithmetic.rounded import Arithmetic, Rounded, joined
from rbo_ref.oracle.dialects import DIALECTS, ROLLING_BALL
from rbo_ref.oracle.losses import Loss

__all__ = [
    "FORMULAS",
    "LOOPS",
    "MEMORYLESS",
    "Formula",
    "Loop",
    "Problem",
    "adam",
    "alice",
    "descended",
    "entropy_sgd",
    "gradient_descent",
    "hyper_parameters",
    "induced_metric",
    "lifted",
    "muon",
    "projected",
    "rolling_ball",
    "sam",
    "scheduled",
]


@dataclass
class Problem:
    """What a formula is given besides θ and the hyper-parameters, and what it shows of a step."""

    arithmetic: Arithmetic
    loss: Loss
    draws: Any = None  # random numbers, first axis: step
    inner: Format | None = None  # the format of Muon's orthogonalization, if it is another one
    parts: dict[str, Rounded] = field(default_factory=dict)  # the quantities of the step that the paper names
    iterates: list[Rounded] = field(default_factory=list)  # θ^(0), θ^(1), ... of its inner loop

    def begin(self) -> None:
        """A step begins, of which nothing is shown yet."""
        self.parts, self.iterates = {}, []

    def value_and_gradient(self, theta: Rounded) -> tuple[Rounded, Rounded]:
        return self.arithmetic.evaluate(self.loss, theta)

    def gradient(self, theta: Rounded) -> Rounded:
        return self.value_and_gradient(theta)[1]


Walk = Generator[Rounded, Rounded, None]
Formula = Callable[[Problem, Rounded, Any, str], Walk]


def hyper_parameters(arithmetic: Arithmetic, hyper: Mapping[str, Any]) -> SimpleNamespace:
    """Hyper-parameters in the arithmetic; counts, names and switches as they are."""

    def given(value: Any) -> Any:
        if isinstance(value, float):
            return arithmetic.given(value)
        return tuple(map(given, value)) if isinstance(value, tuple) else value

    return SimpleNamespace(**{name: given(value) for name, value in hyper.items()})


def scheduled(
    formula: Formula, problem: Problem, theta: Rounded, hypers: Iterable[Mapping[str, Any]], dialect: str
) -> Walk:
    """The steps of a formula, each with the next hyper-parameters."""
    schedule = iter(hypers)
    h = hyper_parameters(problem.arithmetic, next(schedule))
    walk = formula(problem, theta, h, dialect)
    there = next(walk)
    for hyper in schedule:
        theta = yield there
        h.__dict__.update(hyper_parameters(problem.arithmetic, hyper).__dict__)
        problem.begin()
        there = walk.send(theta)
    yield there


def rolling_ball(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """From the candidate c̃ above θ, P times θ ← θ − γ[(θ − x) + (f − y)∇f], c̃ = (x, y). Algorithm 1.

    The dialects start at the contact or below the candidate, and have once or twice this gradient.
    """
    while True:
        f, g = problem.value_and_gradient(theta)
        candidate = lifted(problem, theta, f, g, h)
        start = theta if DIALECTS[dialect].start == "contact" else None
        theta = yield projected(problem, start, candidate, _rate(h, dialect), h.projection_steps)


def lifted(problem: Problem, theta: Rounded, f: Rounded, g: Rounded, h: Any) -> Rounded:
    """c̃ = c − ητ,  c = (θ, f) + ρν,  ν = (−g, 1)/√(1 + |g|²),  τ = (g, |g|²), height last."""
    square = (g * g).sum().again(2)  # some take the square of the norm
    up = (1 + square).sqrt().reciprocal()
    normal, tangent = joined(-(g * up), up), joined(g, square)
    center = joined(theta, f) + h.radius * normal
    candidate = center - h.learning_rate * tangent
    problem.parts |= {"normal": normal, "tangent": tangent, "center": center, "candidate": candidate}
    return candidate


def projected(problem: Problem, theta: Rounded | None, candidate: Rounded, rate: Rounded, steps: int) -> Rounded:
    """The last inner iterate θ^(P) from θ^(0), which is below the candidate if it is None."""
    x, y = candidate[:-1], candidate[-1]
    theta = x if theta is None else theta
    problem.iterates.append(theta)
    for _ in range(steps):
        theta = descended(theta, *problem.value_and_gradient(theta), x, y, rate)
        problem.iterates.append(theta)
    return theta


def _rate(h: Any, dialect: str) -> Rounded:
    return h.projection_rate * float(DIALECTS[dialect].factor)


def descended(theta: Rounded, f: Rounded, g: Rounded, x: Rounded, y: Rounded, rate: Rounded) -> Rounded:
    """θ − γ[(θ − x) + (f − y)∇f], the candidate being (x, y)."""
    return theta - rate * ((theta - x) + (f - y) * g)


def gradient_descent(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """v ← μv + g, the first v being g;  θ ← θ − ηv, or θ − η(g + μv) with Nesterov's look-ahead."""
    v: Any = 0
    while True:
        g = problem.gradient(theta)
        v = h.momentum * v + g
        theta = yield theta - h.learning_rate * (g + h.momentum * v if h.nesterov else v)


def adam(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  θ ← θ − ηλθ − η m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    Kingma and Ba (2015), Algorithm 1; with the decoupled decay λ of Loshchilov and Hutter (2019), AdamW.
    """
    (b1, b2), decay = h.betas, getattr(h, "weight_decay", None)
    m: Any = 0
    v: Any = 0
    for t in count(1):
        g = problem.gradient(theta)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * (g * g)
        new = theta - h.learning_rate * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + h.epsilon)
        theta = yield new if decay is None else new - h.learning_rate * (decay * theta)


def muon(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """b ← μb + (1−μ)g;  θ ← θ − ηλθ − η·scale·O, O the orthogonalized b, or (1−μ)g + μb with Nesterov's look-ahead.

    Jordan et al. (2024), in PyTorch's reading. The scale of an m × n matrix is √max(1, m/n), or in the dialect
    "match_rms_adamw" 0.2 √max(m, n).
    """
    rows, columns = theta.shape
    ratio = max(1.0, rows / columns) if dialect == "original" else 0.04 * max(rows, columns)
    scale = problem.arithmetic.given(ratio).sqrt()
    b: Any = 0
    while True:
        g = problem.gradient(theta)
        b = h.momentum * b + (1 - h.momentum) * g
        update = h.momentum * b + (1 - h.momentum) * g if h.nesterov else b
        move = h.learning_rate * scale * _orthogonalized(problem, update, h)
        theta = yield theta - h.learning_rate * h.weight_decay * theta - move


def _orthogonalized(problem: Problem, update: Rounded, h: Any) -> Rounded:
    """X ← aX + (bA + cA²)X, A = XXᵀ, from X = b/max(|b|_F, ε), always with more columns than rows."""
    a, b, c = h.coefficients
    with problem.arithmetic.within(problem.inner or problem.arithmetic.target):
        tall = update.shape[0] > update.shape[1]
        x = (update.transposed() if tall else update).again()
        x = x / x.norm().maximum(h.epsilon)
        for _ in range(h.steps):
            gram = x @ x.transposed()
            x = a * x + (b * gram + c * (gram @ gram)) @ x
        return x.transposed() if tall else x


def sam(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """θ ← θ − η∇f(θ + e), e = ρg/(|g| + ε);  adaptive: e = ρ θ²g/(|θg| + ε). One norm over all parameters.

    Foret et al. (2021); Kwon et al. (2021).
    """
    while True:
        g = problem.gradient(theta)
        scaled = abs(theta) * g if h.adaptive else g
        e = h.radius * (abs(theta) * scaled if h.adaptive else g) / (scaled.norm() + h.epsilon)
        theta = yield theta - h.learning_rate * problem.gradient(theta + e)


def entropy_sgd(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """L times: y ← y − η'(∇f(y) − γ(θ−y)) + √η'·εN,  μ ← (1−α)μ + αy;  then θ ← θ − ηγ(θ−μ);  γ ← (1+γ₁)γ.

    Chaudhari et al. (2017), Algorithm 1. The dialect "code" is that of their program: the noise is √(2η')εN, the
    average (1−α)y + αμ, and the outer step θ − η(θ−μ).
    """
    code, scope = dialect == "code", h.scope
    heat = (2 * h.inner_rate if code else h.inner_rate).sqrt() * h.noise
    for draws in problem.draws:
        y = mu = theta
        for draw in draws:
            pull = problem.gradient(y) - scope * (theta - y)
            y = y - h.inner_rate * pull + heat * problem.arithmetic.exact(draw)
            mu = (1 - h.averaging) * y + h.averaging * mu if code else (1 - h.averaging) * mu + h.averaging * y
        pull = theta - mu
        theta = yield theta - h.learning_rate * (pull if code else scope * pull)
        scope = scope * (1 + h.scoping)


def induced_metric(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """m̂, ê, r̂: bias-corrected averages of g, of q = ξ Σ gᵢ²/Dᵢ and of g²;  θ ← θ − ηs m̂/D − ηλθ.

    D = √r̂ + ε in the variant "rms", else 1; s = f/(f² + ê) in the variant "log", else 1/(1 + ê). Harvey (2025).
    """
    m: Any = 0
    e: Any = 0
    r: Any = 0
    for t in count(1):
        f, g = problem.value_and_gradient(theta)
        diagonal: Any = problem.arithmetic.exact(1.0)
        if h.variant == "rms":
            r = h.beta_rms * r + (1 - h.beta_rms) * (g * g)
            diagonal = (r / (1 - h.beta_rms**t)).sqrt() + h.epsilon
        e = h.beta * e + (1 - h.beta) * (h.xi * (g * g / diagonal).sum())
        m = h.momentum * m + (1 - h.momentum) * g
        metric, moment = e / (1 - h.beta**t), m / (1 - h.momentum**t)
        s = f / (f * f + metric) if h.variant == "log" else 1 / (1 + metric)
        theta = yield theta - h.learning_rate * s * moment / diagonal - h.learning_rate * h.weight_decay * theta


def alice(problem: Problem, theta: Rounded, h: Any, dialect: str) -> Walk:
    """A model of the loss for each coordinate, with a Hessian term h and a glass term ρ, of which δ is the minimizer.

    Averages g̅ (β₁), v (β₂), h and ρ (β₃ = 1 − (q+1)(1−β₂)), every β at most (n−1)/n. In the first 1/(1−β₁) steps, and
    whenever q + 1 divides n, the gradients g₊, g₋ at ν ± σz give samples of h and ρ. After the first 1/(1−β₁) steps,
    ν ← μ + ωδ and μ ← μ + φδ. Duersch et al. (2024).
    """
    exact, sigma = problem.arithmetic.exact, h.learning_rate
    period, warm_up = h.quick_steps + 1, math.floor((1 + 1e-9) / (1 - float(h.betas[0].middle)))
    fresh = (1 - h.betas[0], 1 - h.betas[1], period * (1 - h.betas[1]))
    glassy = 3 / (4 * problem.arithmetic.pi()) if h.glass else exact(0.0)
    ahead = theta
    mean, square, bend, glass = (exact(numpy.zeros(theta.shape)) for _ in range(4))
    for n, z in enumerate(problem.draws, 1):
        alike = 1 / exact(float(n))
        fresh1, fresh2, fresh3 = (weight.maximum(alike) for weight in fresh)
        g = problem.gradient(ahead)
        mean = (1 - fresh1) * mean + fresh1 * (g + h.l1 * ahead.sign() + h.l2 * ahead)
        square = (1 - fresh2) * square + fresh2 * (g * g)
        if n <= warm_up or n % period == 0:
            plus = problem.gradient(ahead + sigma * exact(z))
            minus = problem.gradient(ahead - sigma * exact(z))
            slope, kink = (plus - minus) / 2 / sigma, (plus + minus) / 2 - g
            sampled = slope * slope + h.l2 * h.l2 if h.hessian == "rms" else abs(slope) + h.l2
            bend = (1 - fresh3) * bend + fresh3 * sampled
            glass = (1 - fresh3) * glass + fresh3 * (2 * (kink * kink) / sigma)
        if n <= warm_up:
            ahead = theta = yield theta
            continue
        size = abs(mean)
        hessian = bend.sqrt() if h.hessian == "rms" else bend
        alpha = glassy * glass / (size + h.epsilon)
        length = size / (alpha + hessian + (alpha * (alpha + 2 * hessian)).sqrt() + h.epsilon)
        unit = {"fixed": exact(1.0), "sgdm": size}.get(h.bounds) or size / (square.sqrt() + h.epsilon)
        delta = -mean.sign() * length.minimum(h.highest * unit).maximum(h.lowest * unit)
        ahead = theta + h.omega * delta
        theta = yield theta + h.phi * delta


FORMULAS: dict[str, Formula] = {
    ROLLING_BALL: rolling_ball,
    "gradient-descent": gradient_descent,
    "adam": adam,
    "adamw": adam,
    "muon": muon,
    "sam": sam,
    "entropy-sgd": entropy_sgd,
    "induced-metric": induced_metric,
    "alice": alice,
}

MEMORYLESS = frozenset({ROLLING_BALL, "sam"})
"""The optimizers of which a step follows from θ and the hyper-parameters alone."""


class Loop(NamedTuple):
    """The inner loop of a formula, to be judged by itself."""

    goal: str  # the quantity shown that it goes to
    steps: str  # the hyper-parameter that says how many iterations it has
    run: Callable[[Problem, Rounded | None, Rounded, Any, str], Rounded]  # from θ^(0), to the goal


def _ball_projected(problem: Problem, theta: Rounded | None, candidate: Rounded, h: Any, dialect: str) -> Rounded:
    return projected(problem, theta, candidate, _rate(h, dialect), h.projection_steps)


LOOPS: dict[str, Loop] = {ROLLING_BALL: Loop("candidate", "projection_steps", _ball_projected)}
"""The formulas that name the quantities of a step and have an inner loop."""
