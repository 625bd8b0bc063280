"""The functions of the paper and of the authors' code."""

from __future__ import annotations

import math
from typing import Any

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, whole
from rbo_ref.landscapes._formulas import (
    finite,
    landscape,
    like,
    number,
    separable,
    unit_matrix,
)

__all__ = ["gaussians", "sine", "weierstrass", "wrinkled"]


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
    return separable(
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
    squares = numpy.arange(1.0, whole("terms", terms, 1) + 1) ** 2

    def phases(xp: Namespace, t: Array) -> tuple[Array, Array]:
        k2 = like(xp, t, squares)
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

    return separable("wrinkled", value, first, second, at_least=1, at_most=1)


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
    sharpness = (2 if convention == "paper" else 1) / number("sigma", sigma, above=0) ** 2  # 1/variance
    if centers is None:
        low, high = number("low", low), number("high", high, above=low)
        centers = numpy.random.RandomState(seed).uniform(low, high, (whole("count", count, 1), whole("d", d, 1)))
    centers = finite("centers", centers, "an array of finite numbers of shape (count, d)", ndim=2)

    def dents(xp: Namespace, theta: Array) -> tuple[Array, Array]:
        """θ − θ_k, shape (..., count, d), and the exponentials, shape (..., count)."""
        away = theta[..., None, :] - like(xp, theta, centers)
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
        return bowl[..., None, None] * unit_matrix(xp, theta) - sharpness**2 * xp.stack(columns, axis=-1)

    return landscape("gaussians", value, gradient, hessian, at_least=centers.shape[1], at_most=centers.shape[1])


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
    a, b, terms = number("a", a, above=0), number("b", b, above=0), whole("terms", terms, 1)
    if a >= 1:
        raise ValueError(f"a must be below 1, or the series diverges, got {a}")
    n = numpy.arange(terms)

    def waves(xp: Namespace, t: Array) -> tuple[Array, Array, Array]:
        """Amplitudes aⁿ, wavenumbers πbⁿ, and phases: reduced to [−π, π], without error, before the factor π rounds."""
        if 2 * (math.log2(math.pi) + (terms - 1) * math.log2(b)) >= math.log2(float(xp.finfo(t.dtype).max)):
            raise ValueError(f"weierstrass: (πb^(terms−1))² overflows {t.dtype} for b = {b}, terms = {terms}")
        scale = like(xp, t, b**n)
        turns = scale * t[..., None]
        return like(xp, t, a**n), math.pi * scale, math.pi * (turns - 2 * xp.round(turns / 2))

    def value(xp: Namespace, t: Array) -> Array:
        amplitude, _, phase = waves(xp, t)
        return xp.sum(amplitude * xp.cos(phase), axis=-1)

    def first(xp: Namespace, t: Array) -> Array:
        amplitude, wavenumber, phase = waves(xp, t)
        return -xp.sum(amplitude * wavenumber * xp.sin(phase), axis=-1)

    def second(xp: Namespace, t: Array) -> Array:
        amplitude, wavenumber, phase = waves(xp, t)
        return -xp.sum(amplitude * wavenumber**2 * xp.cos(phase), axis=-1)

    return separable("weierstrass", value, first, second)
