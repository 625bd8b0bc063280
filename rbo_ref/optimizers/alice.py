"""Alice: steps that minimize a model of the loss with a Hessian term and a term for the kinks of the landscape."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, is_traced, positive, whole
from geometry._results import comparable
from rbo_ref.optimizers._parameters import VectorOptimizer, check_betas, counter, hyper_parameters
from rbo_ref.optimizers._randomness import check_seed, drawn, signs

__all__ = ["Alice", "State", "Step"]


class State(NamedTuple):
    """What Alice remembers; all averages are coordinate by coordinate."""

    steps: Array  # (): n, gradients seen
    lookahead: Array  # (..., d): ν, where the next gradient is taken
    mean: Array  # (..., d): ḡ, average of the gradients
    square: Array  # (..., d): v, average of their squares
    hessian: Array  # (..., d): h, average of the sizes of the Hessian samples ("rms": of their squares)
    glass: Array  # (..., d): ρ, average of the glass density


@comparable
class Step(NamedTuple):
    """One step of Alice.

    The loss is seen at the look-ahead alone. So there is no `height`, which everywhere else is f(θ_{t-1}).
    """

    theta: Any  # μ_t
    state: State  # to be handed to the next step
    lookahead_height: Array  # (...): f(ν_{t-1})
    gradient: Array  # (..., d): g = ∇f(ν_{t-1})
    delta: Array  # (..., d): δ, the minimizer of the model, within bounds; 0 while warming up
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class Alice(VectorOptimizer):
    """Alice, coordinate by coordinate.

    θ is the centre μ. The model of the loss around it, for one coordinate, with a Hessian term h and a glass term of
    density ρ, the mean square growth of the gradient, per length, by kinks::

        L(μ+δ) = L(μ) + ḡδ + ½hδ² + √(2/(3π)) √ρ |δ|^{3/2}

    The algorithm, from ν = μ, for n = 1, 2, ...; every average is x̄ ← βx̄ + (1−β)x with β at most (n−1)/n, so that the
    first n gradients count alike. Lines 2 to 4, a *sample step*, are done in the first ⌊1/(1−β₁)⌋ steps and then
    whenever n is a multiple of ``quick_steps + 1``; all other steps are *quick steps*::

        1  g ← ∇f(ν);   ḡ averages g + w₁sign(ν) + w₂ν with β₁, and v averages g² with β₂
        2  z ← random signs;   g₊ ← ∇f(ν + σz),  g₋ ← ∇f(ν − σz)
        3  h averages |½(g₊−g₋)/σ| + w₂ with β₃                            ("abs")
           h² averages (½(g₊−g₋)/σ)² + w₂² with β₃                         ("rms")
        4  ρ averages 2(½(g₊+g₋) − g)²/σ with β₃ = 1 − (quick_steps+1)(1−β₂)
        5  after the first ⌊1/(1−β₁)⌋ steps:
        6    α = 3/(4π) · ρ/(|ḡ| + ε)
        7    |δ| = |ḡ|/(α + h + √(α(α+2h)) + ε), clipped to [lowest, highest]·B;   δ = −sign(ḡ)|δ|
        8    ν ← μ + ωδ;   μ ← μ + φδ

    One gradient a quick step, three a sample step.

    Parameters
    ----------
    learning_rate : float or array
        σ > 0: the length of the perturbation, and the unit of the largest step. Arrays broadcast against the batch of
        θ, as those of every hyper-parameter but `betas` do.
    betas : pair of float
        β₁ and β₂ in [0, 1).
    quick_steps : int
        Quick steps between two sample steps, ≥ 0.
    omega, phi : float or array
        ω > 0 and φ > 0. For a quadratic loss φ = ω(1−β₁) keeps ḡ = ∇f(μ) exact, once it is; see Notes.
    epsilon : float or array
        ε ≥ 0. With ε = 0 line 7 is the exact minimizer of the model.
    hessian : "abs", "rms" or "zero"
        How the samples of line 3 are averaged; "zero" leaves the Hessian term out.
    glass : bool
        Whether to have the glass term.
    bounds : "adam", "sgdm" or "fixed"
        B = |ḡ|/(√v + ε), |ḡ| or 1. Where |δ| is 0/0 it becomes the upper bound.
    lowest, highest : float or array
        Bounds of |δ| in units of B; by default 0 and 2σ.
    l1, l2 : float or array
        w₁ and w₂, weights of |θ|₁ and ½|θ|² that are added to the loss. The sign of 0 is 0 here, and +1 in the authors'
        code.
    seed : int
        From 0 to 2³² − 1. The signs of step n depend on it and on n alone.

    Notes
    -----
    *Nesterov exactness.* If ḡ = ∇f(μ) before a step δ, then for a quadratic f the average of line 1 becomes
    β₁∇f(μ) + (1−β₁)∇f(μ+ωδ) = ∇f(μ + (1−β₁)ωδ), which is the gradient at the new μ if φ = ω(1−β₁). So the momentum does
    not lag behind. The default of the authors' code is φ = 1−β₁ with ω = 1.

    *Density.* For a gradient that wanders with the distance as Brownian motion of density ρ, line 4 is an unbiased
    sample: the variance of ½(g₊+g₋) − g is ρσ/2.

    `step` takes ``noise=``, an array (..., d) for z, in place of random signs; a quick step does not look at it.

    References
    ----------
    J. A. Duersch et al., "Curvature in the Looking-Glass: Optimal Methods to Exploit Curvature of Expectation in the
    Loss Landscape" (2024), Algorithms 2 and 3, with the details of the authors' program.

    Examples
    --------
    After ten steps of warming up, a Newton step on a diagonal quadratic:

    >>> import numpy as np
    >>> from itertools import islice
    >>> from geometry import FunctionGraph
    >>> from rbo_ref import roll
    >>> bowl = FunctionGraph(lambda t: t**2 @ [1.0, 5.0], lambda t: t * [2.0, 10.0])
    >>> alice = Alice(0.1, phi=1.0, epsilon=0.0, bounds="fixed", highest=10.0)
    >>> [step.theta.round(9) for step in islice(roll(alice, bowl, [3.0, 2.0]), 9, 11)]
    [array([3., 2.]), array([0., 0.])]
    """

    learning_rate: Any = 1e-3
    _: KW_ONLY
    betas: tuple[float, float] = (0.9, 0.999)
    quick_steps: int = 3
    omega: Any = 1.0
    phi: Any = 0.1
    epsilon: Any = 1e-8
    hessian: str = "abs"
    glass: bool = True
    bounds: str = "adam"
    lowest: Any = 0.0
    highest: Any = None
    l1: Any = 0.0
    l2: Any = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "omega", "phi"):
            positive(name, getattr(self, name))
        for name in ("epsilon", "lowest", "l1", "l2"):
            positive(name, getattr(self, name), zero=True)
        if self.highest is not None:
            positive("highest", self.highest, zero=True)
        check_betas(self.betas)
        if not all(isinstance(beta, int | float) for beta in self.betas):
            raise TypeError(f"betas must be two Python numbers, got {self.betas!r}")
        if (whole("quick_steps", self.quick_steps) + 1) * (1 - self.betas[1]) > 1:
            raise ValueError(f"quick_steps must be less than 1/(1 - betas[1]), got {self.quick_steps}")
        for name, known in (("hessian", ("abs", "rms", "zero")), ("bounds", ("adam", "sgdm", "fixed"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {getattr(self, name)!r}")
        if self.hessian == "zero" and not self.glass:
            raise ValueError("hessian='zero' without glass leaves no curvature in the model: it has no minimum")
        check_seed(self.seed)

    def _values(self, theta: Array) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in ("learning_rate", "omega", "phi", "epsilon", "l1", "l2")}
        bounds = {"lowest": self.lowest, "highest": 0.0 if self.highest is None else self.highest}
        return hyper_parameters(theta, **values, **bounds)

    @property
    def _warm_up(self) -> int:
        """⌊1/(1−β₁)⌋, whatever the rounding of 1 − β₁."""
        return math.floor((1 + 1e-9) / (1 - self.betas[0]))

    def _start(self, theta: Array) -> State:
        xp, mu, *_ = self._values(theta)
        zeros = xp.zeros_like(mu)
        return State(counter(mu), mu, zeros, zeros, zeros, zeros)

    def _advance(self, loss: FunctionGraph, theta: Array, state: State, *, noise: Any = None) -> Step:
        xp, mu, sigma, omega, phi, epsilon, w1, w2, lowest, highest = self._values(theta)
        highest = 2 * sigma if self.highest is None else highest
        n, nu = state.steps + 1, state.lookahead
        period = self.quick_steps + 1
        alike = 1 / xp.astype(n, mu.dtype)
        beta1, beta2 = self.betas
        new1, new2, new3 = (xp.clip(alike, new, None) for new in (1 - beta1, 1 - beta2, period * (1 - beta2)))  # 1 − β

        height, g = loss.value_and_gradient(nu)  # line 1
        mean = (1 - new1) * state.mean + new1 * (g + w1 * xp.sign(nu) + w2 * nu)
        square = (1 - new2) * state.square + new2 * g**2

        def sample(h: Array, rho: Array) -> tuple[Array, Array]:
            z = signs(self.seed, n, mu, mu.shape) if noise is None else drawn(noise, mu, mu.shape)  # line 2
            plus = loss.value_and_gradient(nu + sigma * z)[1]
            minus = loss.value_and_gradient(nu - sigma * z)[1]
            slope = (plus - minus) / 2 / sigma
            bend = slope**2 + w2**2 if self.hessian == "rms" else xp.abs(slope) + w2  # line 3
            density = 2 * ((plus + minus) / 2 - g) ** 2 / sigma  # line 4
            return (1 - new3) * h + new3 * bend, (1 - new3) * rho + new3 * density

        hessian, glass = _if((n <= self._warm_up) | (n % period == 0), sample, (state.hessian, state.glass))
        now = State(n, nu, mean, square, hessian, glass)
        delta = self._minimizer(xp, now, epsilon, lowest, highest)
        delta = xp.where(n > self._warm_up, delta, xp.zeros_like(delta))  # line 5
        return Step(mu + phi * delta, now._replace(lookahead=mu + omega * delta), height, g, delta)  # line 8

    def _minimizer(self, xp: Namespace, now: State, epsilon: Any, lowest: Any, highest: Any) -> Array:
        """δ of lines 6 and 7."""
        size = xp.abs(now.mean)
        h = {"abs": now.hessian, "rms": xp.sqrt(now.hessian), "zero": xp.zeros_like(size)}[self.hessian]
        rho = now.glass if self.glass else xp.zeros_like(size)
        alpha = 3 / (4 * math.pi) * rho / (size + epsilon)
        alpha = xp.where(rho > 0, alpha, xp.zeros_like(alpha))  # also where 0/0
        length = size / (alpha + h + xp.sqrt(alpha * (alpha + 2 * h)) + epsilon)
        unit = {"fixed": xp.ones_like(size), "sgdm": size, "adam": size / (xp.sqrt(now.square) + epsilon)}[self.bounds]
        length = xp.where(length < highest * unit, length, highest * unit)  # also where it is NaN
        return -xp.sign(now.mean) * xp.where(length < lowest * unit, lowest * unit, length)


def _if(condition: Array, function: Callable[..., tuple[Array, ...]], arrays: tuple[Array, ...]) -> tuple[Array, ...]:
    """``function(*arrays)`` where the condition, one for the whole batch, holds; else `arrays`."""
    if is_traced(condition):
        import jax

        return jax.lax.cond(condition, function, lambda *same: same, *arrays)
    return function(*arrays) if bool(condition) else arrays
