"""Muon: momentum, orthogonalized matrix by matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, floating, positive, whole
from geometry._results import comparable
from geometry._vectors import length
from rbo_ref.optimizers._parameters import Flat, VectorOptimizer, check_fraction, hyper_parameters

__all__ = ["Muon", "State", "Step", "newton_schulz"]

SCALES: dict[str, Callable[[int, int], float]] = {
    "original": lambda m, n: math.sqrt(max(1, m / n)),
    "match_rms_adamw": lambda m, n: 0.2 * math.sqrt(max(m, n)),
    "none": lambda m, n: 1.0,
}


class State(NamedTuple):
    """What Muon remembers."""

    momentum: Array  # (..., d): B, average of the gradients


@comparable
class Step(NamedTuple):
    """One step of Muon."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): f(θ_{t-1})
    gradient: Array  # (..., d): G
    direction: Array  # (..., d): the orthogonalized O of every matrix, times its scale
    status: Any = None  # (...): an Outcome


def newton_schulz(
    matrix: Array,
    steps: int = 5,
    coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
    epsilon: float = 1e-7,
) -> Array:
    """Orthogonalize matrices: singular values go towards 1, singular vectors stay.

    From X = M/max(|M|_F, ε), lying (m ≤ n), so often as `steps` says::

        X ← aX + (bA + cA²)X,   A = XXᵀ

    which makes every singular value σ of X to aσ + bσ³ + cσ⁵.

    Parameters
    ----------
    matrix : array (..., m, n)
    steps : int
    coefficients : tuple of three floats
        a, b, c; see `Muon`.
    epsilon : float

    Returns
    -------
    array (..., m, n)

    References
    ----------
    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024).

    Examples
    --------
    >>> import numpy as np
    >>> newton_schulz(np.diag([3.0, 0.0, 4.0]), steps=25, coefficients=(15 / 8, -10 / 8, 3 / 8)).round(6)
    array([[1., 0., 0.],
           [0., 0., 0.],
           [0., 0., 1.]])
    """
    xp, x = floating("matrix", matrix)
    if x.ndim < 2:
        raise ValueError(f"matrix must have shape (..., m, n), got {tuple(x.shape)}")
    a, b, c = coefficients
    *batch, m, n = x.shape
    norm = length(xp, xp.reshape(x, (*batch, m * n)))[..., None, None]
    x = x / xp.clip(norm, epsilon, None)
    x = xp.matrix_transpose(x) if m > n else x
    for _ in range(steps):
        gram = xp.matmul(x, xp.matrix_transpose(x))
        x = a * x + xp.matmul(b * gram + c * xp.matmul(gram, gram), x)
    return xp.matrix_transpose(x) if m > n else x


@dataclass(frozen=True)
class Muon(VectorOptimizer):
    """Muon, for parameters that are matrices.

    The algorithm, from B = 0, for every matrix Θ of m × n, G its gradient, as PyTorch's ``Muon`` has it::

        1  B ← μB + (1−μ)G
        2  M ← μB + (1−μ)G with `nesterov`, else B
        3  O ← M/max(|M|_F, ε), lying (m ≤ n), and `steps` times  O ← aO + (bA + cA²)O,  A = OOᵀ
        4  Θ ← Θ − ηλΘ − ηsO,  s = √max(1, m/n)

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0.
    momentum : float or array
        μ in [0, 1).
    nesterov : bool
    weight_decay : float or array
        λ ≥ 0.
    steps : int
        Newton–Schulz iterations, ≥ 0.
    coefficients : tuple of three floats
        a, b, c. The default has a steep slope a at 0, so that small singular values grow fast, and does not converge:
        after five iterations those that were above 0.01 are between 0.68 and 1.21. (15/8, −10/8, 3/8) converges to 1,
        slowly.
    epsilon : float
        ε > 0.
    adjustment : "original", "match_rms_adamw" or "none"
        s = √max(1, m/n), s = 0.2 √max(m, n), or 1.
    shape : pair of int, optional
        m and n, for θ given as vectors (..., mn), each a matrix row by row. Only with it may θ have batch axes and the
        loss be a `FunctionGraph`, and hyper-parameters broadcast against the batch.

    Notes
    -----
    θ is one matrix, or a tree of matrices; any other leaf is refused, as PyTorch does: biases, embeddings and the like
    are for AdamW. PyTorch iterates line 3 in bfloat16, whatever the parameters; here it is done in the dtype of θ.
    Line 1 in PyTorch's documentation and in Jordan's text has G for (1−μ)G, which line 3 divides out again but for ε.

    References
    ----------
    K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024).
    J. Liu et al., "Muon is Scalable for LLM Training" (2025), Section 2.2, for "match_rms_adamw".

    Examples
    --------
    The step has the size η in every direction of the matrix, however large the gradient is there:

    >>> import numpy as np
    >>> class Plane:
    ...     def value_and_gradient(self, theta):
    ...         slope = np.diag([1.0, 0.1])
    ...         return np.sum(slope * theta), slope
    >>> muon = Muon(1.0, weight_decay=0.0, steps=25, coefficients=(15 / 8, -10 / 8, 3 / 8))
    >>> muon.step(Plane(), np.zeros((2, 2)), muon.init(np.zeros((2, 2)))).theta.round(6)
    array([[-1.,  0.],
           [ 0., -1.]])
    """

    learning_rate: Any = 1e-3
    _: KW_ONLY
    momentum: Any = 0.95
    nesterov: bool = True
    weight_decay: Any = 0.1
    steps: int = 5
    coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315)
    epsilon: float = 1e-7
    adjustment: str = "original"
    shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        positive("learning_rate", self.learning_rate, zero=True)
        check_fraction("momentum", self.momentum)
        positive("weight_decay", self.weight_decay, zero=True)
        whole("steps", self.steps)
        if len(self.coefficients) != 3:
            raise ValueError(f"coefficients must be three numbers (a, b, c), got {self.coefficients!r}")
        positive("epsilon", self.epsilon)
        if self.adjustment not in SCALES:
            raise ValueError(f"adjustment must be one of {', '.join(map(repr, SCALES))}, got {self.adjustment!r}")
        if self.shape is not None and len(self.shape) != 2:
            raise ValueError(f"shape must be a pair (m, n), got {self.shape!r}")

    @property
    def _vectors(self) -> bool:
        return self.shape is not None

    def _layout(self, flat: Flat) -> dict[str, Any]:
        """The shapes of the matrices, in the order of the vector."""
        shapes = [self.shape] if self.shape is not None and not flat.is_tree else flat.shapes
        for shape in shapes:
            if len(shape) != 2:
                raise ValueError(f"Muon takes matrices only, got a parameter of shape {shape}")
        if sum(map(math.prod, shapes)) != flat.vector.shape[-1]:
            got = tuple(flat.vector.shape)
            raise ValueError(f"theta must have shape (..., {math.prod(shapes[0])}) for shape={self.shape}, got {got}")
        return {"shapes": shapes}

    def _values(self, theta: Array) -> tuple[Any, ...]:
        return hyper_parameters(
            theta, learning_rate=self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay
        )

    def _start(self, theta: Array) -> State:
        xp, theta, *_ = self._values(theta)
        return State(xp.zeros_like(theta))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State, *, shapes: list[tuple[int, int]]) -> Step:
        xp, theta, eta, mu, decay = self._values(theta)
        height, g = loss.value_and_gradient(theta)
        b = mu * state.momentum + (1 - mu) * g  # line 1
        update = mu * b + (1 - mu) * g if self.nesterov else b  # line 2
        direction = self._orthogonalized(xp, update, shapes)  # line 3
        return Step(theta - eta * decay * theta - eta * direction, State(b), height, g, direction)  # line 4

    def _orthogonalized(self, xp: Namespace, update: Array, shapes: list[tuple[int, int]]) -> Array:
        """sO of every matrix, as vectors."""
        pieces, start = [], 0
        for m, n in shapes:
            piece = update[..., start : start + m * n]
            matrix = xp.reshape(piece, (*piece.shape[:-1], m, n))
            matrix = newton_schulz(matrix, self.steps, self.coefficients, self.epsilon)
            pieces.append(SCALES[self.adjustment](m, n) * xp.reshape(matrix, piece.shape))
            start += m * n
        return xp.concat(pieces, axis=-1)
