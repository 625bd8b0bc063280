"""Harvey's optimizers: gradient descent in the metric that the graph of the loss inherits from the space around it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, count_dtype, is_traced, positive
from geometry._results import comparable
from geometry._vectors import dot
from rbo_ref.optimizers._parameters import (
    Outcome,
    VectorOptimizer,
    bias_correction,
    check_fraction,
    counter,
    hyper_parameters,
)

__all__ = ["InducedMetric", "State", "Step"]


class State(NamedTuple):
    """What the induced-metric optimizers remember."""

    steps: Array  # (): t
    momentum: Array  # (..., d): m, average of the gradients
    metric: Array  # (..., 1): e, average of ξ gᵀD⁻¹g
    square: Array  # (..., d): r, average of the squared gradients; 0 but in the variant "rms"


@comparable
class Step(NamedTuple):
    """One step of an induced-metric optimizer."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): L = f(θ_{t-1})
    gradient: Array  # (..., d): g
    scale: Array  # (...): s, by which the metric shortens the step
    preconditioner: Array  # (..., d): the diagonal D
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class InducedMetric(VectorOptimizer):
    """Gradient descent in the metric of the graph of the loss.

    The graph (θ, √ξ φ(L(θ))) inherits the metric γ = D + ξ∇φ∇φᵀ, and by Sherman and Morrison γ⁻¹∇φ is
    D⁻¹∇φ/(1 + ξ∇φᵀD⁻¹∇φ). In "plain" φ = L and D = 1; in "log" φ = log L and D = 1; in "rms" φ = L and D is the size of
    the gradients. The algorithm, from m = e = r = 0, for t = 1, 2, ..., with one e for all parameters::

        1  g ← ∇L(θ)
        2  r ← β_r r + (1−β_r)g²,  D = √(r/(1−β_rᵗ)) + ε            ("rms"; else D = 1)
        3  e ← βe + (1−β) ξ Σᵢ gᵢ²/Dᵢ,  ê = e/(1−βᵗ)
        4  m ← μm + (1−μ)g,  m̂ = m/(1−μᵗ)
        5  s = 1/(1 + ê)                                            ("plain", "rms")
           s = L/(L² + ê)                                           ("log")
        6  θ ← θ − ηs m̂/D − ηλθ

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0. Arrays broadcast against the batch of θ, as those of every hyper-parameter do.
    variant : "plain", "log" or "rms"
    momentum : float or array
        μ in [0, 1).
    xi : float or array
        ξ ≥ 0, how tall the graph is drawn. Without averages a plain step is at most η/(2√ξ) long, for |g| = 1/√ξ.
    beta, beta_rms : float or array
        β and β_r in [0, 1).
    epsilon : float or array
        ε ≥ 0.
    weight_decay : float or array
        λ ≥ 0.

    Raises
    ------
    ValueError
        By `step`, in the variant "log", where the loss is not positive: log L has no graph there. In a batch, and
        inside of ``jax.jit``, the item stays where it is, and its status is ``Outcome.UNDEFINED``. Add a constant to a
        loss that may be 0.

    Notes
    -----
    The metric is that of the present gradient, or of its averages, while the step follows m̂: only without momentum and
    with β = 0 is the step −ηγ⁻¹∇φ itself. In the variant "rms", γ⁻¹ is that of D and not of 1, and e sees g²/D.

    References
    ----------
    T. R. Harvey, "The Optimiser Hidden in Plain Sight: Training with the Loss Landscape's Induced Metric" (2025), with
    the details of his published programs.

    Examples
    --------
    The steeper the slope the shorter the step, when ξ|g|² > 1:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> parabola = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, lambda t: t)
    >>> theta = np.array([[1.0], [10.0], [100.0]])
    >>> optimizer = InducedMetric(1.0, xi=1.0)
    >>> theta - optimizer.step(parabola, theta, optimizer.init(theta)).theta
    array([[0.5      ],
           [0.0990099],
           [0.009999 ]])
    """

    learning_rate: Any = 0.1
    _: KW_ONLY
    variant: str = "plain"
    momentum: Any = 0.9
    xi: Any = 0.1
    beta: Any = 0.8
    beta_rms: Any = 0.99
    epsilon: Any = 1e-8
    weight_decay: Any = 0.0

    def __post_init__(self) -> None:
        if self.variant not in ("plain", "log", "rms"):
            raise ValueError(f"variant must be 'plain', 'log' or 'rms', got {self.variant!r}")
        for name in ("learning_rate", "xi", "epsilon", "weight_decay"):
            positive(name, getattr(self, name), zero=True)
        for name in ("momentum", "beta", "beta_rms"):
            check_fraction(name, getattr(self, name))

    def _values(self, theta: Array) -> tuple[Any, ...]:
        names = ("learning_rate", "momentum", "xi", "beta", "beta_rms", "epsilon", "weight_decay")
        return hyper_parameters(theta, **{name: getattr(self, name) for name in names})

    def _start(self, theta: Array) -> State:
        xp, theta, *_ = self._values(theta)
        return State(counter(theta), xp.zeros_like(theta), xp.zeros_like(theta[..., :1]), xp.zeros_like(theta))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        xp, theta, eta, mu, xi, beta, beta_rms, epsilon, decay = self._values(theta)
        height, g = loss.value_and_gradient(theta)  # line 1
        t, m, e, r = state
        t, d = t + 1, xp.ones_like(theta)
        if self.variant == "rms":
            r = beta_rms * r + (1 - beta_rms) * g**2  # line 2
            d = xp.sqrt(r / bias_correction(theta, beta_rms, t)) + epsilon
        e = beta * e + (1 - beta) * xi * dot(xp, g, g / d)[..., None]  # line 3
        e_hat = e / bias_correction(theta, beta, t)
        m = mu * m + (1 - mu) * g  # line 4
        m_hat = m / bias_correction(theta, mu, t)
        level = height[..., None]
        s = level / (level**2 + e_hat) if self.variant == "log" else 1 / (1 + e_hat)  # line 5
        there = theta - eta * s * m_hat / d - eta * decay * theta  # line 6
        taken = Step(there, State(t, m, e, r), height, g, s[..., 0], d)
        return taken if self.variant != "log" else _where_positive(xp, taken, theta, state)


def _where_positive(xp: Namespace, taken: Step, theta: Array, state: State) -> Step:
    """The step where the loss has a logarithm; where it has none the item stays, and one item alone raises."""
    undefined = taken.height <= 0
    if undefined.ndim == 0 and not is_traced(undefined) and bool(undefined):
        raise ValueError(
            f"variant 'log' needs a positive loss, got height {float(taken.height)}: add a constant to the loss, "
            "or use another variant"
        )

    def kept(old: Array, new: Array) -> Array:
        return xp.where(undefined[..., None], old, new)

    remembered = State(taken.state.steps, *map(kept, state[1:], taken.state[1:]))
    status = xp.astype(undefined, count_dtype(xp, theta)) * int(Outcome.UNDEFINED)
    return taken._replace(theta=kept(theta, taken.theta), state=remembered, status=status)
