"""Distances to graphs of polynomials, from all roots of the equation of stationary points, isolated by python-flint."""

from __future__ import annotations

import numpy as np

from geometry import FunctionGraph


def polynomial(coefficients: list[int]) -> FunctionGraph:
    """f(θ) = Σ cᵢ θⁱ, d = 1."""

    def horner(c):
        def value(theta):
            total = 0 * theta + float(c[-1]) if c else 0 * theta
            for number in reversed(c[:-1]):
                total = total * theta + float(number)
            return total

        return value

    first = [i * c for i, c in enumerate(coefficients)][1:]
    second = [i * c for i, c in enumerate(first)][1:]
    return FunctionGraph(
        lambda t: horner(coefficients)(t[..., 0]),
        horner(first),
        lambda t: horner(second)(t)[..., None],
        name="polynomial",
    )


def polynomial_distance(coefficients: list[int], x: int, y: int) -> tuple[float, float]:
    """Floats around the distance of (x/8, y/8) to the graph: the least over the real roots of (θ − x) + (f − y)f′."""
    from flint import arb, fmpz_poly

    f = fmpz_poly(coefficients)
    stationary = fmpz_poly([-8 * x, 64]) + (64 * f - 8 * y) * f.derivative()
    best_low, best_high = np.inf, np.inf
    for root, _ in stationary.complex_roots():
        if root.imag.is_zero():
            theta = root.real
            height = sum((arb(c) * theta**i if i else arb(c) for i, c in enumerate(coefficients)), arb(0))
            across, up = theta - arb(x) / 8, height - arb(y) / 8
            square = across * across + up * up
            low, high = float(square.lower()), float(square.upper())
            # Two roundings of half a unit in the last place each; below 0 there is no square.
            best_low = min(best_low, np.sqrt(max(low, 0.0)) * (1 - 4e-16))
            best_high = min(best_high, np.sqrt(high) * (1 + 4e-16))
    return best_low, best_high


def holds(found, low, high=None) -> bool:
    """Whether enclosures contain truths that are known to be between `low` and `high`."""
    high = low if high is None else high
    return bool(np.all((found.lower <= high) & (low <= found.upper) & (found.lower <= found.upper)))
