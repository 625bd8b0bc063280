"""The functions of the paper and of the authors' code."""

from __future__ import annotations

import math
from typing import Any

import numpy

from geometry._namespace import Array, Namespace, whole
from rbo_ref.landscapes._formulas import Landscape, finite, landscape, landscapes, like, number

__all__ = ["gaussians", "sine", "weierstrass", "wrinkled"]


@landscapes
def sine() -> Landscape:
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
    return landscape("sine", lambda xp, theta: xp.sin(theta[..., 0]), at_least=1, at_most=1)


@landscapes
def wrinkled(terms: int = 100) -> Landscape:
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

    def formula(xp: Namespace, theta: Array) -> Array:
        k2 = like(xp, theta, squares)
        return xp.sum(xp.sin(k2 * theta) / k2, axis=-1)

    return landscape("wrinkled", formula, at_least=1, at_most=1)


@landscapes
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
) -> Landscape:
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
    >>> dent.curvatures([0.0, 0.0])     # 2 + 2/σ²
    array([10., 10.])
    """
    if convention not in ("paper", "authors"):
        raise ValueError(f"convention must be 'paper' or 'authors', got {convention!r}")
    sharpness = (2 if convention == "paper" else 1) / number("sigma", sigma, above=0) ** 2  # 1/variance
    if centers is None:
        low, high = number("low", low), number("high", high, above=low)
        centers = numpy.random.RandomState(seed).uniform(low, high, (whole("count", count, 1), whole("d", d, 1)))
    centers = finite("centers", centers, "an array of finite numbers of shape (count, d)", ndim=2)

    def formula(xp: Namespace, theta: Array) -> Array:
        away = theta[..., None, :] - like(xp, theta, centers)
        dents = xp.exp(-sharpness / 2 * xp.sum(away**2, axis=-1))
        return xp.sum(theta**2, axis=-1) - xp.sum(dents, axis=-1)

    return landscape("gaussians", formula, at_least=centers.shape[1], at_most=centers.shape[1])


@landscapes
def weierstrass(a: float = 0.5, b: float = 3, terms: int = 20) -> Landscape:
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

    def formula(xp: Namespace, theta: Array) -> Array:
        """Phases are reduced to [−π, π], without error, before the factor π rounds."""
        if 2 * (math.log2(math.pi) + (terms - 1) * math.log2(b)) >= math.log2(float(xp.finfo(theta.dtype).max)):
            raise ValueError(f"weierstrass: (πb^(terms−1))² overflows {theta.dtype} for b = {b}, terms = {terms}")
        turns = like(xp, theta, b**n) * theta[..., None]
        waves = like(xp, theta, a**n) * xp.cos(math.pi * (turns - 2 * xp.round(turns / 2)))
        return xp.sum(xp.sum(waves, axis=-1), axis=-1)

    return landscape("weierstrass", formula)
