"""Laws of one step of the ball, with the inner loop of the authors' code: P steps on half the squared distance.

    p = (θ, f),  ν = (−g, 1)/W,  τ = (g, |g|²),  W = √(1 + |g|²),  c̃ = (x, y) = p + ρν − ητ,
    θ⁰ = θ,  θᵏ⁺¹ = θᵏ − γ[(θᵏ − x) + (f(θᵏ) − y)g(θᵏ)],  θ′ = θᴾ.

A port that follows the whole squared distance obeys them with γ halved.
"""

from __future__ import annotations

import math

import numpy
from hypothesis import assume
from hypothesis import strategies as st

from rbo_ref.laws._steps import Case, cases, rounding_of, step, tried
from rbo_ref.laws.law import Draw, Numbers, Trial, law
from rbo_ref.oracle.dialects import Hyper
from rbo_ref.strategies import coordinates, radii

__all__: list[str] = []

PAPER = "Belgoumri et al. (2025), Algorithm 1"
SMALL = st.integers(4, 12).map(lambda k: 2.0**-k)


@law("step", domain="affine f; every η, ρ, γ and P", source=f"{PAPER}: the inner loop is linear, and g its eigenvector")
def plane(trial: Trial, draw: Draw) -> None:
    """On a plane of slope a every ball rolls as gradient descent: θ′ = θ − η(1 − (1 − γW²)ᴾ)a, whatever ρ."""
    case = tried(trial, draw(cases(kinds=["linear"], regime="any")))
    g, hyper = case.gradient, case.hyper
    left = (1 - hyper.projection_rate * (1 + g @ g)) ** hyper.projection_steps
    expected = case.theta - hyper.learning_rate * (1 - left) * g
    trial.same("θ′", step(trial, case), expected, 2 * case.rounding, case.told())


@law("step", domain="every f, η, ρ and γ; P = 1", source=f"{PAPER}: ν is normal to Γ, and τ tangent to it")
def one_inner_step(trial: Trial, draw: Draw) -> None:
    """One inner step does not know the radius: θ′ = θ − γη(1 + |g|²)g for P = 1."""
    case = tried(trial, draw(cases(regime="any", max_steps=1)))
    g, hyper = case.gradient, case.hyper
    expected = case.theta - hyper.projection_rate * hyper.learning_rate * (1 + g @ g) * g
    trial.same("θ′", step(trial, case), expected, 2 * case.rounding, case.told())


@law("step", domain="f even about θ; every η, ρ, γ and P", source=f"{PAPER}: τ = 0, and θ is stationary for all ρ")
def rest(trial: Trial, draw: Draw) -> None:
    """A ball on a critical point stays: θ′ = θ where g = 0."""
    drawn = draw(cases(regime="any"))
    case = tried(trial, drawn.on(drawn.landscape.mirrored(drawn.theta)))
    trial.same("θ′", step(trial, case), case.theta, case.rounding, case.told())


@law("step", domain="every f and hyper-parameters", source=f"{PAPER}: p, ν, τ and the projection are carried along")
def translation(trial: Trial, draw: Draw) -> None:
    """The step follows the landscape: f(θ − a) takes θ + a to θ′ + a."""
    case = tried(trial, draw(cases(regime="any")))
    by = numpy.asarray(draw(coordinates(case.dimension)))
    moved = tried(trial, case.on(case.landscape.moved(by), case.theta + by))
    expected = step(trial, case) + by
    rounding = case.rounding + moved.rounding
    trial.same("(θ + a)′", step(trial, moved), expected, rounding, case.told(a=by))


@law("step", domain="every f and hyper-parameters", source=f"{PAPER}: only differences of heights enter")
def lift(trial: Trial, draw: Draw) -> None:
    """A constant added to the loss changes nothing: f + b takes θ to θ′."""
    case = tried(trial, draw(cases(regime="any")))
    by = draw(st.sampled_from([1.0, -1.0, 4.0, -4.0, 16.0, -16.0]))
    lifted = tried(trial, case.on(case.landscape.lifted(by)))
    rounding = case.rounding + lifted.rounding
    trial.same("θ′ on f + b", step(trial, lifted), step(trial, case), rounding, case.told(b=by))


@law("step", domain="every f and hyper-parameters, d ≥ 2", source=f"{PAPER}: lengths and inner products are kept")
def rotation(trial: Trial, draw: Draw) -> None:
    """The step turns with the landscape: f(Qᵀθ) takes Qθ to Qθ′ for every rotation Q."""
    case = tried(trial, draw(cases(regime="any", min_dimension=2)))
    q = _householder(draw, case.dimension) @ _householder(draw, case.dimension)
    turned = tried(trial, case.on(case.landscape.turned(q), trial.rounded(q @ case.theta)), displaced=True)
    rounding = case.rounding + turned.rounding
    trial.same("(Qθ)′", step(trial, turned), q @ step(trial, case), rounding, case.told(Q=q))


def _householder(draw: Draw, d: int) -> Numbers:
    v = numpy.asarray(draw(coordinates(d, 2.0, bits=1).filter(any)))
    return numpy.eye(d) - 2 * numpy.outer(v, v) / (v @ v)


@law("step", domain="every f and hyper-parameters", source=f"{PAPER}: no direction is preferred")
def reflection(trial: Trial, draw: Draw) -> None:
    """The step has no handedness: f(Rθ) takes Rθ to Rθ′ for every R that flips signs of coordinates."""
    case = tried(trial, draw(cases(regime="any")))
    signs = numpy.asarray(draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * case.dimension)))
    image = tried(trial, case.on(case.landscape.turned(numpy.diag(signs)), signs * case.theta))
    rounding = case.rounding + image.rounding
    trial.same("(Rθ)′", step(trial, image), signs * step(trial, case), rounding, case.told(R=signs))


@law("step", domain="every f and hyper-parameters", source=f"{PAPER}: g keeps its value, all lengths are multiplied")
def scaling(trial: Trial, draw: Draw) -> None:
    """The step has no unit of length: λf(θ/λ) with λη and λρ takes λθ to λθ′; γ and P stay as they are."""
    case = tried(trial, draw(cases(regime="any")))
    factor = draw(st.sampled_from([2.0, 0.5, 4.0, 0.25, 16.0, 0.0625, 1024.0]))
    eta, rho, gamma, steps = case.hyper
    hyper = Hyper(factor * eta, factor * rho, gamma, steps)
    scaled = tried(trial, Case(case.landscape.scaled(factor), factor * case.theta, hyper))
    rounding = factor * case.rounding + scaled.rounding
    trial.same("(λθ)′", step(trial, scaled), factor * step(trial, case), rounding, case.told(λ=factor))


@law("step", domain="every f and hyper-parameters", source=f"{PAPER}: norms are sums over all parameters, not means")
def idle_parameters(trial: Trial, draw: Draw) -> None:
    """Parameters that the loss does not depend on stay, and the others do not notice them: (θ, ω)′ = (θ′, ω)."""
    case = tried(trial, draw(cases(regime="any")))
    idle = draw(coordinates(draw(st.integers(1, 3))))
    expected = [*step(trial, case), *idle]
    wide = case.widened(idle)
    trial.same("(θ, ω)′", step(trial, wide), expected, 2 * case.rounding + rounding_of(trial, idle), case.told(ω=idle))


@law(
    "step",
    domain="every f; γ ≤ 1/(1 + s² + rh), r = |c̃ − p|, s and h bounds of |g| and ‖∇²f‖ within 2r of θ",
    source="the descent lemma, for ½|c̃ − (t, f(t))|²",
)
def descent(trial: Trial, draw: Draw) -> None:
    """An inner loop with a safe rate never moves away from the candidate: |c̃ − p′| ≤ |c̃ − p|."""
    case = tried(trial, draw(cases()))
    bounds = case.bounds
    away = case.candidate - case.point(step(trial, case))
    rounding = 2 * case.rounding * math.hypot(1, bounds.slope) + case.rounding_of_candidate
    trial.at_most("|c̃ − p′|", numpy.linalg.norm(away), bounds.distance, rounding, case.told())


@law(
    "step",
    domain="as of descent, with rh < 1",
    source="strong convexity: 1 − rh bounds the eigenvalues of the inner Hessian from below",
)
def footpoint(trial: Trial, draw: Draw) -> None:
    """The inner loop converges to the footpoint: |(θ′ − x) + (f(θ′) − y)g(θ′)| ≤ (1 − γ(1 − rh))ᴾ ηW²|g|."""
    steps = draw(st.sampled_from([60, 20, 6, 1]))
    rates = st.sampled_from([0.25, 0.5, 0.125, 0.03125])
    drawn = draw(cases(max_curvature=1.0, radii=radii(below=0.5), learning_rates=rates))
    case = tried(trial, drawn.with_hyper(projection_steps=steps))
    g, bounds, hyper = case.gradient, case.bounds, case.hyper
    assume(bounds.low > 0)
    contraction = (1 - hyper.projection_rate * bounds.low) ** steps
    first = hyper.learning_rate * (1 + g @ g) * numpy.linalg.norm(g)
    rounding = 2 * bounds.high * case.rounding + (1 + bounds.slope) * case.rounding_of_candidate
    pull = numpy.linalg.norm(case.pull(step(trial, case)))
    trial.at_most("|(θ′ − x) + (f − y)g|", pull, contraction * first, rounding, case.told())


@law(
    "step",
    domain="as of descent, η ≤ 2⁻⁴; the O(η²) is bounded by the Lipschitz constant of ∇²f",
    source="linearisation of the inner loop; for P → ∞ it is θ − η(I − ρS)⁻¹g, S the shape operator",
)
def first_order(trial: Trial, draw: Draw) -> None:
    """For small η, θ′ = θ − η(I − (I − γM)ᴾ)M⁻¹W²g + O(η²), where M = I + ggᵀ − (ρ/W)∇²f."""
    case = tried(trial, draw(cases(learning_rates=SMALL, radii=radii(below=4.0))))
    g, stretch = case.gradient, math.hypot(1, *case.gradient)
    flat = numpy.eye(case.dimension) + numpy.outer(g, g)
    inner = flat - case.hyper.radius / stretch * case.landscape.graph.hessian(case.theta)
    _near_linear(trial, case, inner, 0.0)


@law(
    "step",
    domain="as of descent, η ≤ 2⁻⁴ and ρ ≤ 2⁻⁴; the rest is bounded by the curvature of f and by its variation",
    source="first-order, for ρ → 0",
)
def small_ball(trial: Trial, draw: Draw) -> None:
    """For small balls and steps the ball follows gradient descent: θ′ = θ − η(1 − (1 − γW²)ᴾ)g + O(η² + ηρ)."""
    case = tried(trial, draw(cases(learning_rates=SMALL, radii=SMALL)))
    g = case.gradient
    flat = numpy.eye(case.dimension) + numpy.outer(g, g)
    bend = case.hyper.radius / math.hypot(1, *g) * case.landscape.curvature_bound
    _near_linear(trial, case, flat, bend)


def _near_linear(trial: Trial, case: Case, inner: Numbers, bend: float) -> None:
    """θ′ − θ is that of the linear inner loop ∇φ = ηW²g + inner·(t − θ), up to a remainder.

    ∇φ differs from it by at most (η|g|²h + bend)|t − θ| + ½T|t − θ|²; T = 3sh + rj bounds the third derivatives of φ,
    s, h and j being bounds of those of f.
    """
    g, (eta, _, gamma, steps) = case.gradient, case.hyper
    bounds, h = case.bounds, case.landscape.curvature_bound
    third = 3 * bounds.slope * h + bounds.distance * case.landscape.jerk_bound
    growth = numpy.linalg.norm(numpy.eye(len(g)) - gamma * inner, 2)
    move, remainder = numpy.zeros(len(g)), 0.0
    for _ in range(steps):
        length = numpy.linalg.norm(move) + remainder
        remainder = growth * remainder + gamma * ((eta * (g @ g) * h + bend) * length + third / 2 * length**2)
        move = move - gamma * (eta * (1 + g @ g) * g + inner @ move)
    found = step(trial, case)
    trial.same("θ′", found, case.theta + move, remainder + 2 * case.rounding, case.told())


@law("step", domain="any two steps, of the same d", source=f"{PAPER}: a step is a function of θ alone")
def no_memory(trial: Trial, draw: Draw) -> None:
    """A step remembers nothing: from the same θ it leads to the same θ′, bit by bit, whatever was rolled between."""
    case = tried(trial, draw(cases(regime="any")))
    other = tried(trial, draw(cases(regime="any", dimension=case.dimension)))
    before = step(trial, case)
    step(trial, other)
    trial.same("θ′ again", step(trial, case), before, 0.0, case.told(between=other.told()))
