"""The classical test functions of optimization."""

from __future__ import annotations

import math

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace
from geometry._vectors import length, slope
from rbo_ref.landscapes._formulas import (
    as_first,
    as_last,
    diagonal_matrix,
    landscape,
    like,
    number,
    outer_product,
    separable,
    symmetric_matrix,
    unit_matrix,
)

__all__ = ["ackley", "beale", "himmelblau", "rastrigin", "rosenbrock"]


def beale() -> FunctionGraph:
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

    def residuals(xp: Namespace, theta: Array) -> tuple[Array, ...]:
        """r_i = c_i − x(1 − yⁱ), and its derivatives by x, y, xy and yy: each (..., 3)."""
        x, y = theta[..., :1], theta[..., 1:]
        one = xp.ones_like(y)
        by_x = xp.concat([y, y**2, y**3], axis=-1) - 1
        by_xy = xp.concat([one, 2 * y, 3 * y**2], axis=-1)
        by_yy = x * xp.concat([0 * one, 2 * one, 6 * y], axis=-1)
        return like(xp, theta, [1.5, 2.25, 2.625]) + x * by_x, by_x, x * by_xy, by_xy, by_yy

    def value(xp: Namespace, theta: Array) -> Array:
        return xp.sum(residuals(xp, theta)[0] ** 2, axis=-1)

    def gradient(xp: Namespace, theta: Array) -> Array:
        r, by_x, by_y, _, _ = residuals(xp, theta)
        return 2 * xp.stack([xp.sum(r * by_x, axis=-1), xp.sum(r * by_y, axis=-1)], axis=-1)

    def hessian(xp: Namespace, theta: Array) -> Array:
        r, by_x, by_y, by_xy, by_yy = residuals(xp, theta)
        xx, xy, yy = by_x**2, by_x * by_y + r * by_xy, by_y**2 + r * by_yy
        return 2 * symmetric_matrix(xp, *(xp.sum(entry, axis=-1) for entry in (xx, xy, yy)))

    return landscape("beale", value, gradient, hessian, at_least=2, at_most=2)


def rosenbrock(a: float = 1.0, b: float = 100.0) -> FunctionGraph:
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

    def value(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :-1], theta[..., 1:]
        return xp.sum(b * (y - x**2) ** 2 + (a - x) ** 2, axis=-1)

    def gradient(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :-1], theta[..., 1:]
        off_valley = 2 * b * (y - x**2)
        return as_first(xp, -2 * x * off_valley - 2 * (a - x)) + as_last(xp, off_valley)

    def hessian(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :-1], theta[..., 1:]
        diagonal = as_first(xp, 4 * b * (3 * x**2 - y) + 2) + as_last(xp, 2 * b * xp.ones_like(y))
        beside = as_first(xp, -4 * b * x)[..., None] * unit_matrix(xp, theta, k=1)
        return diagonal_matrix(xp, diagonal) + beside + xp.matrix_transpose(beside)

    return landscape("rosenbrock", value, gradient, hessian, at_least=2)


def himmelblau() -> FunctionGraph:
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

    def residuals(theta: Array) -> tuple[Array, Array, Array, Array]:
        x, y = theta[..., 0], theta[..., 1]
        return x, y, x**2 + y - 11, x + y**2 - 7

    def value(xp: Namespace, theta: Array) -> Array:
        _, _, r, s = residuals(theta)
        return r**2 + s**2

    def gradient(xp: Namespace, theta: Array) -> Array:
        x, y, r, s = residuals(theta)
        return xp.stack([4 * x * r + 2 * s, 2 * r + 4 * y * s], axis=-1)

    def hessian(xp: Namespace, theta: Array) -> Array:
        x, y, r, s = residuals(theta)
        return symmetric_matrix(xp, 8 * x**2 + 4 * r + 2, 4 * (x + y), 8 * y**2 + 4 * s + 2)

    return landscape("himmelblau", value, gradient, hessian, at_least=2, at_most=2)


def ackley(a: float = 20.0, b: float = 0.2, c: float = 2 * math.pi) -> FunctionGraph:
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

    def lowering(xp: Namespace, theta: Array) -> Array:
        """Σ cos(cθ_i)/d − 1, at most 0."""
        return -2 * xp.mean(xp.sin(c / 2 * theta) ** 2, axis=-1)

    def value(xp: Namespace, theta: Array) -> Array:
        root = math.sqrt(theta.shape[-1])
        return -a * xp.expm1(-b / root * length(xp, theta)) - math.e * xp.expm1(lowering(xp, theta))

    def parts(xp: Namespace, theta: Array) -> tuple[Array, ...]:
        """θ/|θ|, shape (..., d); |θ|, slope of the cone along it and exp(Σ cos(cθ_i)/d), shape (..., 1)."""
        direction, distance, _ = slope(xp, theta)
        root = math.sqrt(theta.shape[-1])
        steepness = a * b / root * xp.exp(-b / root * distance)
        bumps = math.e * xp.exp(lowering(xp, theta))
        return direction, distance[..., None], steepness[..., None], bumps[..., None]

    def gradient(xp: Namespace, theta: Array) -> Array:
        direction, _, steepness, bumps = parts(xp, theta)
        return steepness * direction + c / theta.shape[-1] * bumps * xp.sin(c * theta)

    def hessian(xp: Namespace, theta: Array) -> Array:
        d = theta.shape[-1]
        direction, distance, steepness, bumps = parts(xp, theta)
        around = steepness / xp.where(distance > 0, distance, xp.full_like(distance, math.inf))  # 0 at the tip
        across = unit_matrix(xp, theta) - outer_product(direction, direction)  # exactly 0 for d = 1
        bend = b / math.sqrt(d) * steepness
        wave = c / d * xp.sin(c * theta)
        smooth = diagonal_matrix(xp, c**2 / d * bumps * xp.cos(c * theta)) - outer_product(bumps * wave, wave)
        return smooth + around[..., None] * across - outer_product(bend * direction, direction)

    return landscape("ackley", value, gradient, hessian)


def rastrigin(amplitude: float = 10.0) -> FunctionGraph:
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
    a, pi = number("amplitude", amplitude, above=0), math.pi
    return separable(
        "rastrigin",
        lambda xp, t: t**2 + 2 * a * xp.sin(pi * t) ** 2,
        lambda xp, t: 2 * t + 2 * pi * a * xp.sin(2 * pi * t),
        lambda xp, t: 2 + 4 * pi**2 * a * xp.cos(2 * pi * t),
    )
