"""Loss landscapes to roll on: the functions of the paper, and the classical test functions of optimization.

Each function returns a `geometry.FunctionGraph` with value, gradient and Hessian written by hand in functions of the
array API standard: θ of shape (..., d) from any array library, the answer in its namespace and dtype and on its device.
Parameters are Python numbers (or small arrays of them), fixed when the landscape is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, array_namespace, device_of, floating, to_numpy
from geometry._vectors import length, slope

__all__ = [
    "LANDSCAPES",
    "ackley",
    "beale",
    "by_name",
    "gaussian_well",
    "gaussians",
    "himmelblau",
    "paraboloid",
    "plane",
    "rastrigin",
    "rosenbrock",
    "sine",
    "weierstrass",
    "wrinkled",
]

Formula = Callable[[Namespace, Array], Array]


# The functions of the paper.


def sine() -> FunctionGraph:
    """The sine wave, f(θ) = sin θ, d = 1.

    Minima −1 at θ = −π/2 + 2πk, where the curvature takes its largest value: critical radius 1.

    Returns
    -------
    FunctionGraph

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Section 5.1 and Fig. 2.

    Examples
    --------
    >>> import numpy as np
    >>> sine().curvatures([[-np.pi / 2], [0.0]])
    array([[1.],
           [0.]])
    """
    return _separable(
        "sine", lambda xp, t: xp.sin(t), lambda xp, t: xp.cos(t), lambda xp, t: -xp.sin(t), at_least=1, at_most=1
    )


def wrinkled(terms: int = 100) -> FunctionGraph:
    """A slow wave under ever finer wrinkles, f(θ) = Σ_{k=1}^{terms} sin(k²θ)/k², d = 1.

    Odd and 2π-periodic. |f″| ≤ Σ k², so the critical radius is at least 1/Σ k²: 3.0e-6 for 100 terms.

    Parameters
    ----------
    terms : int
        At least 1; the paper takes 100.

    Returns
    -------
    FunctionGraph

    Notes
    -----
    The phase k²θ carries the rounding error of θ times k²: relative to the unit roundoff u, f is good to terms·|θ|·u,
    f′ to |θ|·u·Σ k².

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Eq. (13) and Fig. 3.

    Examples
    --------
    f′(0) is the number of terms:

    >>> wrinkled().gradient([0.0])
    array([100.])
    """
    squares = numpy.arange(1.0, _count("terms", terms) + 1) ** 2

    def phases(xp: Namespace, t: Array) -> tuple[Array, Array]:
        k2 = _like(xp, t, squares)
        return k2, k2 * t[..., None]

    def value(xp: Namespace, t: Array) -> Array:
        k2, phase = phases(xp, t)
        return xp.sum(xp.sin(phase) / k2, axis=-1)

    def first(xp: Namespace, t: Array) -> Array:
        _, phase = phases(xp, t)
        return xp.sum(xp.cos(phase), axis=-1)

    def second(xp: Namespace, t: Array) -> Array:
        k2, phase = phases(xp, t)
        return -xp.sum(xp.sin(phase) * k2, axis=-1)

    return _separable("wrinkled", value, first, second, at_least=1, at_most=1)


def gaussians(
    sigma: float,
    count: int = 1000,
    seed: int = 0,
    *,
    centers: Any = None,
    convention: str = "paper",
    low: float = -3,
    high: float = 3,
    d: int = 2,
) -> FunctionGraph:
    """A bowl with random dents, f(θ) = |θ|² − Σ_k exp(−|θ − θ_k|²/σ²), the θ_k uniform in the cube [low, high]ᵈ.

    Parameters
    ----------
    sigma : float
        σ > 0, the width of a dent. The paper does not print it; the authors' code has 0.1.
    count : int
        Number of dents.
    seed : int
        Of NumPy's legacy generator, ``RandomState(seed).uniform(low, high, (count, d))``: with the defaults these are
        the centers of the authors' ``np.random.seed(0)``, the same in every version of NumPy.
    centers : array (count, d), optional
        The θ_k themselves; then `count`, `seed`, `low`, `high` and `d` have no say.
    convention : "paper" or "authors"
        The denominator: σ² as printed, or 2σ² as in the authors' code.
    low, high : float
        Sides of the cube.
    d : int
        Dimension of θ.

    Returns
    -------
    FunctionGraph

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Eq. (14) and Fig. 4.

    Examples
    --------
    >>> dent = gaussians(0.5, centers=[[0.0, 0.0]])
    >>> dent.value([0.0, 0.0])
    np.float64(-1.0)
    >>> dent.hessian([0.0, 0.0])     # 2 + 2/σ²
    array([[10.,  0.],
           [ 0., 10.]])
    """
    if convention not in ("paper", "authors"):
        raise ValueError(f"convention must be 'paper' or 'authors', got {convention!r}")
    sharpness = (2 if convention == "paper" else 1) / _number("sigma", sigma, above=0) ** 2  # 1/variance
    if centers is None:
        low, high = _number("low", low), _number("high", high, above=low)
        centers = numpy.random.RandomState(seed).uniform(low, high, (_count("count", count), _count("d", d)))
    centers = _finite("centers", centers, "an array of finite numbers of shape (count, d)", ndim=2)

    def dents(xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """θ − θ_k, shape (..., count, d), and the exponentials, shape (..., count)."""
        away = theta[..., None, :] - _like(xp, theta, centers)
        return away, xp.exp(-sharpness / 2 * xp.sum(away**2, axis=-1))

    def value(xp: Namespace, theta: Array) -> Array:
        _, dent = dents(xp, theta)
        return xp.sum(theta**2, axis=-1) - xp.sum(dent, axis=-1)

    def gradient(xp: Namespace, theta: Array) -> Array:
        away, dent = dents(xp, theta)
        return 2 * theta + sharpness * xp.sum(dent[..., None] * away, axis=-2)

    def hessian(xp: Namespace, theta: Array) -> Array:
        away, dent = dents(xp, theta)
        pull = dent[..., None] * away
        # Column by column: memory (..., count, d), and no matrix product, which some devices round to fewer bits.
        columns = [xp.sum(pull * away[..., i : i + 1], axis=-2) for i in range(theta.shape[-1])]
        bowl = 2 + sharpness * xp.sum(dent, axis=-1)
        return bowl[..., None, None] * _identity(xp, theta) - sharpness**2 * xp.stack(columns, axis=-1)

    return _landscape("gaussians", value, gradient, hessian, at_least=centers.shape[1], at_most=centers.shape[1])


def weierstrass(a: float = 0.5, b: float = 3, terms: int = 20) -> FunctionGraph:
    """Partial sums of Weierstrass's nowhere differentiable function, f(θ) = Σ_i Σ_{n<terms} aⁿ cos(bⁿπθ_i), any d.

    For odd integers b the minimum is −d·(1 − a^terms)/(1 − a), at odd integers θ_i. The largest curvature is there as
    well, so the critical radius is 1/(π² Σ (ab²)ⁿ).

    Parameters
    ----------
    a : float
        0 < a < 1. The infinite sum is nowhere differentiable if ab ≥ 1.
    b : float
        b > 0.
    terms : int
        At least 1.

    Returns
    -------
    FunctionGraph

    Raises
    ------
    ValueError
        On evaluation, where the square of the largest wavenumber, (πb^(terms−1))², leaves the range of the dtype.

    Notes
    -----
    The authors' code takes a = 0.5, b = 3 and 100 terms. In float64 the derivatives beyond n ≈ 33 are noise: the
    rounding of bⁿθ moves the phase by up to bⁿπ|θ|u, u = 2⁻⁵³, which passes one radian at 3ⁿ ≈ 3·10¹⁵. Values forgive
    it, since aⁿ is 10⁻¹⁰ there. The n-th term of the gradient does not: it is π(ab)ⁿ times a sine without meaning, and
    π(ab)ⁿ *grows*, to 10⁶ at n = 33 and 10¹⁸ at n = 99. A gradient of 100 terms has no right digit, one of 20 terms has
    six. In float32 the noise starts at n ≈ 14.

    References
    ----------
    G. H. Hardy, "Weierstrass's non-differentiable function", Trans. Amer. Math. Soc. 17 (1916).

    Examples
    --------
    >>> weierstrass(terms=3).value([[0.0], [1.0]])
    array([ 1.75, -1.75])
    """
    a, b, terms = _number("a", a, above=0), _number("b", b, above=0), _count("terms", terms)
    if a >= 1:
        raise ValueError(f"a must be below 1, or the series diverges, got {a}")
    n = numpy.arange(terms)

    def waves(xp: Namespace, t: Array) -> tuple[Array, Array, Array]:
        """Amplitudes aⁿ, wavenumbers πbⁿ, and phases: reduced to [−π, π], without error, before the factor π rounds."""
        if 2 * (math.log2(math.pi) + (terms - 1) * math.log2(b)) >= math.log2(float(xp.finfo(t.dtype).max)):
            raise ValueError(f"weierstrass: (πb^(terms−1))² overflows {t.dtype} for b = {b}, terms = {terms}")
        scale = _like(xp, t, b**n)
        turns = scale * t[..., None]
        return _like(xp, t, a**n), math.pi * scale, math.pi * (turns - 2 * xp.round(turns / 2))

    def value(xp: Namespace, t: Array) -> Array:
        amplitude, _, phase = waves(xp, t)
        return xp.sum(amplitude * xp.cos(phase), axis=-1)

    def first(xp: Namespace, t: Array) -> Array:
        amplitude, wavenumber, phase = waves(xp, t)
        return -xp.sum(amplitude * wavenumber * xp.sin(phase), axis=-1)

    def second(xp: Namespace, t: Array) -> Array:
        amplitude, wavenumber, phase = waves(xp, t)
        return -xp.sum(amplitude * wavenumber**2 * xp.cos(phase), axis=-1)

    return _separable("weierstrass", value, first, second)


# Landscapes on which a step of the ball is known in closed form.


def plane(slope: Any, height: float = 0.0) -> FunctionGraph:
    """An inclined plane, f(θ) = height + ⟨slope, θ⟩: no minimum, no curvature, critical radius ∞.

    Parameters
    ----------
    slope : float or array (d,)
        The gradient; a number stands for d = 1.
    height : float
        f(0).

    Returns
    -------
    FunctionGraph

    Examples
    --------
    >>> plane([3.0, 4.0], height=1.0).value([[1.0, 0.0], [0.0, 1.0]])
    array([4., 5.])
    """
    what = "a finite number or a sequence of them"
    gradient = numpy.atleast_1d(_finite("slope", slope, what, ndim=(0, 1)))
    height = _number("height", height)
    return _landscape(
        "plane",
        lambda xp, theta: height + xp.sum(_like(xp, theta, gradient) * theta, axis=-1),
        lambda xp, theta: xp.zeros_like(theta) + _like(xp, theta, gradient),
        lambda xp, theta: _outer(xp.zeros_like(theta), xp.zeros_like(theta)),
        at_least=len(gradient),
        at_most=len(gradient),
    )


def paraboloid(curvature: Any = 1.0) -> FunctionGraph:
    """A quadratic, f(θ) = ½θᵀAθ, or f(θ) = ½k|θ|² in any dimension.

    Minimum 0 at the origin if A is positive definite. Critical radius: 1 over the largest eigenvalue of A (or over k)
    if that is positive, otherwise ∞.

    Parameters
    ----------
    curvature : float or array (d, d)
        The number k, or the symmetric matrix A: the principal curvatures at the origin.

    Returns
    -------
    FunctionGraph

    Examples
    --------
    >>> paraboloid([[2.0, 0.0], [0.0, -1.0]]).curvatures([0.0, 0.0])
    array([-1.,  2.])
    """
    matrix = _finite("curvature", curvature, "a finite number or a symmetric matrix", ndim=(0, 2))
    if not numpy.array_equal(matrix, matrix.T):
        raise ValueError(f"curvature must be a symmetric matrix, got {curvature!r}")

    if matrix.ndim == 0:
        k = float(matrix)
        return _separable(
            "paraboloid", lambda xp, t: k / 2 * t**2, lambda xp, t: k * t, lambda xp, t: k * xp.ones_like(t)
        )

    def gradient(xp: Namespace, theta: Array) -> Array:
        return xp.sum(_like(xp, theta, matrix) * theta[..., None, :], axis=-1)

    return _landscape(
        "paraboloid",
        lambda xp, theta: xp.sum(theta * gradient(xp, theta), axis=-1) / 2,
        gradient,
        lambda xp, theta: xp.zeros_like(theta)[..., None] + _like(xp, theta, matrix),
        at_least=len(matrix),
        at_most=len(matrix),
    )


def gaussian_well(width: float = 1.0, depth: float = 1.0) -> FunctionGraph:
    """A well in flat land, f(θ) = −depth·exp(−|θ|²/(2·width²)), any d.

    For depth > 0: minimum −depth at the origin, where all curvatures are depth/width², the largest; critical radius
    width²/depth. A negative depth makes a hill.

    Parameters
    ----------
    width : float
        Standard deviation, > 0: the slope is steepest at this distance from the origin.
    depth : float

    Returns
    -------
    FunctionGraph

    Examples
    --------
    >>> gaussian_well(width=2.0, depth=8.0).curvatures([0.0, 0.0])
    array([2., 2.])
    """
    width, depth = _number("width", width, above=0), _number("depth", depth)

    def dent(xp: Namespace, z: Array) -> Array:
        return depth * xp.exp(-xp.sum(z**2, axis=-1) / 2)

    def gradient(xp: Namespace, theta: Array) -> Array:
        z = theta / width
        return dent(xp, z)[..., None] / width * z

    def hessian(xp: Namespace, theta: Array) -> Array:
        z = theta / width
        tip = dent(xp, z)[..., None, None] / width**2
        return tip * _identity(xp, theta) - tip * z[..., :, None] * z[..., None, :]

    return _landscape("gaussian_well", lambda xp, theta: -dent(xp, theta / width), gradient, hessian)


# The classical test functions.


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
        return _like(xp, theta, [1.5, 2.25, 2.625]) + x * by_x, by_x, x * by_xy, by_xy, by_yy

    def value(xp: Namespace, theta: Array) -> Array:
        return xp.sum(residuals(xp, theta)[0] ** 2, axis=-1)

    def gradient(xp: Namespace, theta: Array) -> Array:
        r, by_x, by_y, _, _ = residuals(xp, theta)
        return 2 * xp.stack([xp.sum(r * by_x, axis=-1), xp.sum(r * by_y, axis=-1)], axis=-1)

    def hessian(xp: Namespace, theta: Array) -> Array:
        r, by_x, by_y, by_xy, by_yy = residuals(xp, theta)
        xx, xy, yy = by_x**2, by_x * by_y + r * by_xy, by_y**2 + r * by_yy
        return 2 * _symmetric(xp, *(xp.sum(entry, axis=-1) for entry in (xx, xy, yy)))

    return _landscape("beale", value, gradient, hessian, at_least=2, at_most=2)


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
    a, b = _number("a", a), _number("b", b, above=0)

    def value(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :-1], theta[..., 1:]
        return xp.sum(b * (y - x**2) ** 2 + (a - x) ** 2, axis=-1)

    def gradient(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :-1], theta[..., 1:]
        off_valley = 2 * b * (y - x**2)
        return _first(xp, -2 * x * off_valley - 2 * (a - x)) + _last(xp, off_valley)

    def hessian(xp: Namespace, theta: Array) -> Array:
        x, y = theta[..., :-1], theta[..., 1:]
        diagonal = _first(xp, 4 * b * (3 * x**2 - y) + 2) + _last(xp, 2 * b * xp.ones_like(y))
        beside = _first(xp, -4 * b * x)[..., None] * _identity(xp, theta, k=1)
        return _diagonal(xp, diagonal) + beside + xp.matrix_transpose(beside)

    return _landscape("rosenbrock", value, gradient, hessian, at_least=2)


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
        return _symmetric(xp, 8 * x**2 + 4 * r + 2, 4 * (x + y), 8 * y**2 + 4 * s + 2)

    return _landscape("himmelblau", value, gradient, hessian, at_least=2, at_most=2)


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
    a, b, c = _number("a", a, above=0), _number("b", b, above=0), _number("c", c, above=0)

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
        across = _identity(xp, theta) - _outer(direction, direction)  # exactly 0 for d = 1
        bend = b / math.sqrt(d) * steepness
        wave = c / d * xp.sin(c * theta)
        smooth = _diagonal(xp, c**2 / d * bumps * xp.cos(c * theta)) - _outer(bumps * wave, wave)
        return smooth + around[..., None] * across - _outer(bend * direction, direction)

    return _landscape("ackley", value, gradient, hessian)


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
    a, pi = _number("amplitude", amplitude, above=0), math.pi
    return _separable(
        "rastrigin",
        lambda xp, t: t**2 + 2 * a * xp.sin(pi * t) ** 2,
        lambda xp, t: 2 * t + 2 * pi * a * xp.sin(2 * pi * t),
        lambda xp, t: 2 + 4 * pi**2 * a * xp.cos(2 * pi * t),
    )


LANDSCAPES: dict[str, Callable[[], FunctionGraph]] = {
    "sine": sine,
    "wrinkled": wrinkled,
    "gaussians": partial(gaussians, 0.1, convention="authors"),
    "weierstrass": weierstrass,
    "paraboloid": paraboloid,
    "gaussian_well": gaussian_well,
    "beale": beale,
    "rosenbrock": rosenbrock,
    "himmelblau": himmelblau,
    "ackley": ackley,
    "rastrigin": rastrigin,
}
"""The landscapes that need no arguments, by name; "gaussians" has the σ and the convention of the authors' code."""


def by_name(name: str) -> FunctionGraph:
    """The landscape of that name in `LANDSCAPES`, with its default parameters.

    Examples
    --------
    >>> by_name("sine")
    <FunctionGraph of sine>
    """
    if name not in LANDSCAPES:
        raise ValueError(f"no landscape is called {name!r}; there are {', '.join(LANDSCAPES)}")
    return LANDSCAPES[name]()


# From formulas to graphs.


def _landscape(
    name: str, value: Formula, gradient: Formula, hessian: Formula, *, at_least: int = 1, at_most: float = math.inf
) -> FunctionGraph:
    """A graph from formulas in (xp, θ) that hold for at_least ≤ d ≤ at_most."""

    def checked(formula: Formula) -> Callable[[Array], Array]:
        def evaluate(theta: Array) -> Array:
            if not at_least <= theta.shape[-1] <= at_most:
                d = f"d = {at_least}" if at_least == at_most else f"d >= {at_least}"
                raise ValueError(f"{name}: theta must have shape (..., d) with {d}, got {tuple(theta.shape)}")
            return formula(array_namespace(theta), theta)

        return evaluate

    return FunctionGraph(checked(value), checked(gradient), checked(hessian), name=name)


def _separable(name: str, value: Formula, first: Formula, second: Formula, **dimension: int) -> FunctionGraph:
    """The graph of Σ_i φ(θ_i), from φ, φ′ and φ″, which act on every number."""
    return _landscape(
        name,
        lambda xp, theta: xp.sum(value(xp, theta), axis=-1),
        first,
        lambda xp, theta: _diagonal(xp, second(xp, theta)),
        **dimension,
    )


def _like(xp: Namespace, theta: Array, constants: Any) -> Array:
    """Constants in the dtype of θ, on its device."""
    return xp.asarray(constants, dtype=theta.dtype, device=device_of(theta))


def _identity(xp: Namespace, theta: Array, k: int = 0) -> Array:
    """Ones on the k-th diagonal, (d, d)."""
    return xp.eye(theta.shape[-1], k=k, dtype=theta.dtype, device=device_of(theta))


def _diagonal(xp: Namespace, entries: Array) -> Array:
    return entries[..., None] * _identity(xp, entries)


def _outer(a: Array, b: Array) -> Array:
    return a[..., :, None] * b[..., None, :]


def _symmetric(xp: Namespace, xx: Array, xy: Array, yy: Array) -> Array:
    return xp.stack([xp.stack([xx, xy], axis=-1), xp.stack([xy, yy], axis=-1)], axis=-2)


def _first(xp: Namespace, entries: Array) -> Array:
    """`entries` (..., d−1) as the first d − 1 coordinates of a vector, the last 0."""
    return xp.concat([entries, xp.zeros_like(entries[..., :1])], axis=-1)


def _last(xp: Namespace, entries: Array) -> Array:
    """`entries` (..., d−1) as the last d − 1 coordinates of a vector, the first 0."""
    return xp.concat([xp.zeros_like(entries[..., :1]), entries], axis=-1)


# The border.


def _number(name: str, value: Any, *, above: float = -math.inf) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    if not above < float(value) < math.inf:
        limit = "" if above == -math.inf else f" and above {above:g}"
        raise ValueError(f"{name} must be finite{limit}, got {value!r}")
    return float(value)


def _count(name: str, value: Any) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}")
    return int(value)


def _finite(name: str, value: Any, what: str, *, ndim: int | tuple[int, ...]) -> numpy.ndarray:
    """A fresh float64 array from any library, finite, with one of the numbers of dimensions `ndim`."""
    array = to_numpy(floating(name, value)[1]).astype(float)
    if array.ndim not in numpy.atleast_1d(ndim) or array.size == 0 or not numpy.isfinite(array).all():
        raise ValueError(f"{name} must be {what}, got {value!r}")
    return array
