"""The classical test functions of optimization."""

from __future__ import annotations

import math
from functools import partial, reduce

from geometry._namespace import Array, Namespace, is_jax_namespace
from rbo_ref.landscapes._formulas import Landscape, landscape, landscapes, like, number

__all__ = ["ackley", "beale", "himmelblau", "rastrigin", "rosenbrock"]


@landscapes
def beale() -> Landscape:
    """Beale's function, f(x, y) = Σ_{i=1}^{3} (c_i − x(1 − yⁱ))², c = (1.5, 2.25, 2.625), d = 2.

    Minimum 0 at (3, ½). Usual domain [−4.5, 4.5]²; Harvey (2025) starts at the origin.

    Returns
    -------
    FunctionGraph

    References
    ----------
    E. M. L. Beale, "On an iterative method for finding a local minimum of a function of more than one variable" (1958).
    T. R. Harvey, "The Optimiser Hidden in Plain Sight" (2025), low-dimensional test set.

    Examples
    --------
    >>> beale().value_and_gradient([3.0, 0.5])
    (np.float64(0.0), array([0., 0.]))
    """

    def formula(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :1], theta[..., 1:]
        residuals = like(xp, theta, [1.5, 2.25, 2.625]) + x * (xp.concat([y, y**2, y**3], axis=-1) - 1)
        return xp.sum(residuals**2, axis=-1)

    return landscape("beale", formula, at_least=2, at_most=2)


@landscapes
def rosenbrock(a: float = 1.0, b: float = 100.0) -> Landscape:
    """Rosenbrock's banana valley in its chained form, f(θ) = Σ_{i<d} b(θ_{i+1} − θ_i²)² + (a − θ_i)², d ≥ 2.

    Minimum 0 at (a, a²) for d = 2, and at (1, …, 1) for a = 1 in any dimension. Usual domain [−2, 2]ᵈ; Harvey (2025)
    starts at the origin.

    Parameters
    ----------
    a : float
    b : float
        b > 0.

    Returns
    -------
    FunctionGraph

    References
    ----------
    H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a function" (1960).
    T. R. Harvey, "The Optimiser Hidden in Plain Sight" (2025), low-dimensional test set.

    Examples
    --------
    >>> rosenbrock().value([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    array([0., 2.])
    """
    a, b = number("a", a), number("b", b, above=0)

    def formula(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :-1], theta[..., 1:]
        return xp.sum(b * (y - x**2) ** 2 + (a - x) ** 2, axis=-1)

    return landscape("rosenbrock", formula, at_least=2)


@landscapes
def himmelblau() -> Landscape:
    """Himmelblau's function, f(x, y) = (x² + y − 11)² + (x + y² − 7)², d = 2.

    Four minima, all 0: (3, 2), (−2.805118, 3.131313), (−3.779310, −3.283186), (3.584428, −1.848127). One local maximum,
    181.617 at (−0.270845, −0.923039). Usual domain [−5, 5]²; Harvey (2025) starts at the origin.

    Returns
    -------
    FunctionGraph

    References
    ----------
    D. M. Himmelblau, "Applied Nonlinear Programming" (1972).
    T. R. Harvey, "The Optimiser Hidden in Plain Sight" (2025), low-dimensional test set.

    Examples
    --------
    >>> himmelblau().value([[3.0, 2.0], [0.0, 0.0]])
    array([  0., 170.])
    """

    def formula(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    return landscape("himmelblau", formula, at_least=2, at_most=2)


@landscapes
def ackley(a: float = 20.0, b: float = 0.2, c: float = 2 * math.pi) -> Landscape:
    """Ackley's function, f(θ) = a + e − a·exp(−b·√(|θ|²/d)) − exp(Σ cos(cθ_i)/d), any d.

    Minimum 0 at the origin. Usual domain [−32, 32]ᵈ; Harvey (2025) starts at (2, 2).

    Parameters
    ----------
    a, b, c : float
        All positive.

    Returns
    -------
    FunctionGraph

    Notes
    -----
    The origin is the tip of a cone with slope ab/√d: no gradient, and critical radius 0. There we return the gradient
    0, the middle of the subdifferential and right for a minimum, and the Hessian of the smooth part alone, (ec²/d)·I.
    The value is computed with expm1 and cos α = 1 − 2 sin²(α/2), so that it keeps its relative precision near the
    minimum.

    References
    ----------
    D. H. Ackley, "A Connectionist Machine for Genetic Hillclimbing" (1987).
    T. R. Harvey, "The Optimiser Hidden in Plain Sight" (2025), low-dimensional test set.

    Examples
    --------
    >>> ackley().value_and_gradient([0.0, 0.0])
    (np.float64(0.0), array([0., 0.]))
    >>> ackley().value([2.0, 2.0])
    np.float64(6.593599079)
    """
    a, b, c = number("a", a, above=0), number("b", b, above=0), number("c", c, above=0)

    def formula(xp: Namespace, theta: Array) -> Array:
        distance = _length(xp, theta) / math.sqrt(theta.shape[-1])
        lowering = -2 * xp.mean(xp.sin(c / 2 * theta) ** 2, axis=-1)  # Σ cos(cθ_i)/d − 1, at most 0
        return -a * xp.expm1(-b * distance) - math.e * xp.expm1(lowering)

    return landscape("ackley", formula)


def _length(xp: Namespace, theta: Array) -> Array:
    """|θ|, of which no square overflows or vanishes, with the slope 0 at its tip."""
    first, *others = xp.unstack(theta, axis=-1)
    for i, x in enumerate(others):  # the largest goes first, so that no tip of a shorter vector is met on the way
        larger = xp.abs(x) > xp.abs(first)
        first, others[i] = xp.where(larger, x, first), xp.where(larger, first, x)
    tip = first == 0
    length = reduce(partial(_hypot, xp), others, xp.where(tip, xp.ones_like(first), first))
    return xp.where(tip, xp.zeros_like(first), xp.abs(length))


def _hypot(xp: Namespace, a: Array, b: Array) -> Array:
    """√(a² + b²) for |a| ≥ |b|, or its negative. JAX's own has a wrong second derivative where |a| = |b|."""
    return a * xp.sqrt(1 + (b / a) ** 2) if is_jax_namespace(xp) else xp.hypot(a, b)


@landscapes
def rastrigin(amplitude: float = 10.0) -> Landscape:
    """Rastrigin's function, f(θ) = A·d + Σ_i θ_i² − A cos(2πθ_i), any d.

    Minimum 0 at the origin, where the curvatures are 2 + 4π²A, the largest: critical radius 1/(2 + 4π²A). Other minima
    near all small integer points. Usual domain [−5.12, 5.12]ᵈ; Harvey (2025) starts at (2, 2).

    Parameters
    ----------
    amplitude : float
        A > 0.

    Returns
    -------
    FunctionGraph

    Notes
    -----
    The value is computed as Σ θ_i² + 2A sin²(πθ_i), the same, which keeps its relative precision near the minimum.

    References
    ----------
    L. A. Rastrigin, "Systems of Extremal Control" (1974).
    T. R. Harvey, "The Optimiser Hidden in Plain Sight" (2025), low-dimensional test set.

    Examples
    --------
    >>> rastrigin().value([[0.0, 0.0], [2.0, 2.0], [0.5, 0.0]])
    array([ 0.  ,  8.  , 20.25])
    """
    a = number("amplitude", amplitude, above=0)

    def formula(xp: Namespace, theta: Array) -> Array:
        return xp.sum(theta**2 + 2 * a * xp.sin(math.pi * theta) ** 2, axis=-1)

    return landscape("rastrigin", formula)
