"""Published algebraic curves and surfaces, as level sets of polynomials: values and derivatives in array functions."""

from __future__ import annotations

import numpy as np

from geometry import LevelSet


def _matrix(xx, xy, yy):
    return np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)


def _curve(name, jet) -> LevelSet:
    """A curve from one function of x, y that returns F, its first and its second derivatives."""

    def at(p):
        return jet(p[..., 0], p[..., 1])

    return LevelSet(
        lambda p: at(p)[0], lambda p: np.stack(at(p)[1:3], axis=-1), lambda p: _matrix(*at(p)[3:]), name=name
    )


def reach_of_a_curve() -> LevelSet:
    """(x³ − xy² + y + 1)²(x² + y² − 1) + y² − 5 = 0, the example "reach of a curve" of HomotopyContinuation.jl."""

    def jet(x, y):
        u, v = x * x, y * y
        a, ax, ay, axx, axy, ayy = (u - v) * x + y + 1, 3 * u - v, 1 - 2 * x * y, 6 * x, -2 * y, -2 * x
        c = u + v - 1
        return (
            a * a * c + v - 5,
            2 * a * (ax * c + a * x),
            2 * a * (ay * c + a * y) + 2 * y,
            2 * (ax**2 + a * axx) * c + 8 * a * ax * x + 2 * a**2,
            2 * (ax * ay + a * axy) * c + 4 * a * (ax * y + ay * x),
            2 * (ay**2 + a * ayy) * c + 8 * a * ay * y + 2 * a**2 + 2,
        )

    return _curve("reach of a curve", jet)


def butterfly() -> LevelSet:
    """x⁴ − x²y² + y⁴ − 4x² − 2y² − x − 4y + 1 = 0, of the examples to "Computing geometric feature sizes" (2022)."""

    def jet(x, y):
        u, v = x * x, y * y
        return (
            u * u - u * v + v * v - 4 * u - 2 * v - x - 4 * y + 1,
            (4 * u - 2 * v - 8) * x - 1,
            (4 * v - 2 * u - 4) * y - 4,
            12 * u - 2 * v - 8,
            -4 * x * y,
            12 * v - 2 * u - 4,
        )

    return _curve("butterfly", jet)


def cassini(foci: int) -> LevelSet:
    """|zⁿ − 1|² = 2 for z = x + iy, n foci on the unit circle: Π |z − ωᵏ|² = b²ⁿ with b = 2^(1/(2n)), one oval.

    With P = zⁿ − 1 the gradient is 2 P̄′P as a complex number, and ∇²F v = 2 P̄″P v̄ + 2|P′|² v.
    """

    def powers(p):
        z, n = p[..., 0] + 1j * p[..., 1], foci
        return z**n - 1, n * z ** (n - 1), n * (n - 1) * z ** (n - 2)

    def gradient(p):
        value, first, _ = powers(p)
        g = 2 * np.conj(first) * value
        return np.stack([g.real, g.imag], axis=-1)

    def hessian(p):
        value, first, second = powers(p)
        turned, even = 2 * np.conj(second) * value, 2 * np.abs(first) ** 2
        return _matrix(even + turned.real, turned.imag, even - turned.real)

    return LevelSet(lambda p: np.abs(powers(p)[0]) ** 2 - 2, gradient, hessian, name="Cassini oval")


def quartic_surface() -> LevelSet:
    """3z⁴ + q(x, y) = 0, the quartic surface of the examples to "Computing geometric feature sizes" (2022)."""

    def plane(p):
        x, y = p[..., 0], p[..., 1]
        return (
            -3 + 4 * y + 8 * y**2 - 6 * y**3 + 7 * y**4 + 8 * x - 5 * x * y - 8 * x * y**2
            - 4 * x**2 + 2 * x**2 * y - 8 * x**3 + 4 * x**4,
            8 - 5 * y - 8 * y**2 - 8 * x + 4 * x * y - 24 * x**2 + 16 * x**3,
            4 + 16 * y - 18 * y**2 + 28 * y**3 - 5 * x - 16 * x * y + 2 * x**2,
            _matrix(-8 + 4 * y - 48 * x + 48 * x**2, -5 - 16 * y + 4 * x, 16 - 36 * y + 84 * y**2 - 16 * x),
        )  # fmt: skip

    def hessian(p):
        matrix = np.zeros((*p.shape, 3))
        matrix[..., :2, :2], matrix[..., 2, 2] = plane(p)[3], 36 * p[..., 2] ** 2
        return matrix

    return LevelSet(
        lambda p: plane(p)[0] + 3 * p[..., 2] ** 4,
        lambda p: np.stack([*plane(p)[1:3], 12 * p[..., 2] ** 3], axis=-1),
        hessian,
        name="quartic surface",
    )


def quadric(matrix) -> LevelSet:
    """xᵀAx = 1 for a symmetric matrix A."""
    a = np.asarray(matrix, dtype=float)
    return LevelSet(
        lambda x: np.sum(x * (x @ a), axis=-1) - 1,
        lambda x: 2 * x @ a,
        lambda x: 2 * a + 0 * x[..., None],
        name="quadric",
    )
