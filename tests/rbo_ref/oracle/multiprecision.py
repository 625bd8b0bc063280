"""The served losses and Algorithm 1 once more, in mpmath: written from the formulas, not from the oracle."""

from __future__ import annotations

from fractions import Fraction

from flint import arb
from mpmath import cos, exp, fdot, fsum, log1p, mpf, sin, sqrt

from rbo_ref.oracle.losses import Bumps, Quadratic, Ridges

PROFILES = {
    "sin": (sin, cos),
    "exp": (exp, exp),
    "softplus": (lambda u: log1p(exp(u)), lambda u: 1 / (1 + exp(-u))),
}


def numbers(array):
    """Floating numbers, or rows of them, as mpf."""
    return [numbers(row) if hasattr(row, "__len__") else mpf(float(row)) for row in array]


def value(loss, theta):
    """f(θ)."""
    return fsum(_value(term, theta) for term in loss.terms)


def gradient(loss, theta):
    """∇f(θ)."""
    return [fsum(entries) for entries in zip(*(_gradient(term, theta) for term in loss.terms), strict=True)]


def _value(term, theta):
    match term:
        case Quadratic():
            curved = fsum(fdot(row, theta) * t for row, t in zip(numbers(term.matrix), theta, strict=True))
            return curved / 2 + fdot(numbers(term.slope), theta) + mpf(float(term.height))
        case Ridges():
            heights = [PROFILES[term.profile][0](u) for u in _arguments(term, theta)]
            return fdot(numbers(term.amplitudes), heights)
        case Bumps():
            return fsum(_bump(term, center, theta) for center in numbers(term.centers))


def _gradient(term, theta):
    match term:
        case Quadratic():
            return [fdot(row, theta) + b for row, b in zip(numbers(term.matrix), numbers(term.slope), strict=True)]
        case Ridges():
            slopes = [PROFILES[term.profile][1](u) for u in _arguments(term, theta)]
            weights = [a * s for a, s in zip(numbers(term.amplitudes), slopes, strict=True)]
            return [fdot(weights, column) for column in zip(*numbers(term.weights), strict=True)]
        case Bumps():
            parts = [(_bump(term, center, theta), center) for center in numbers(term.centers)]
            width = mpf(term.square_width)
            return [fsum(-2 * bump * (t - center[i]) / width for bump, center in parts) for i, t in enumerate(theta)]


def _arguments(ridges, theta):
    return [fdot(row, theta) + s for row, s in zip(numbers(ridges.weights), numbers(ridges.shifts), strict=True)]


def _bump(bumps, center, theta):
    return mpf(bumps.amplitude) * exp(
        -fsum((t - m) ** 2 for t, m in zip(theta, center, strict=True)) / bumps.square_width
    )


def algorithm_1(loss, theta, hyper, factor, start):
    """One step: normal, tangent, centre, candidate (height last) and the inner iterates from θ^(0) to θ^(P)."""
    eta, rho, gamma = (mpf(x) for x in hyper[:3])
    f, g = value(loss, theta), gradient(loss, theta)
    stretch = sqrt(1 + fdot(g, g))
    normal = [-x / stretch for x in g] + [1 / stretch]
    tangent = [*g, fdot(g, g)]
    center = [p + rho * n for p, n in zip([*theta, f], normal, strict=True)]
    *across, height = candidate = [c - eta * t for c, t in zip(center, tangent, strict=True)]
    inner = [theta if start == "contact" else across]
    for _ in range(hyper.projection_steps):
        here = inner[-1]
        f, g = value(loss, here), gradient(loss, here)
        half_gradient = [(t - x) + (f - height) * s for t, x, s in zip(here, across, g, strict=True)]
        inner.append([t - gamma * factor * h for t, h in zip(here, half_gradient, strict=True)])
    return {"normal": normal, "tangent": tangent, "center": center, "candidate": candidate, "inner": inner}


def ball(number, radius=0.0):
    """An mpf, or a fraction of which the denominator is a power of two, as a ball."""
    if isinstance(number, Fraction):
        return arb((number.numerator, 1 - number.denominator.bit_length()), radius)
    sign, man, exponent, _ = number._mpf_
    return arb((-int(man) if sign else int(man), int(exponent)), radius)


def fraction(number):
    """An mpf, an exact ball or a finite floating number as a fraction."""
    if isinstance(number, mpf):
        number = ball(number)
    if isinstance(number, arb):
        man, exponent = number.man_exp()
        return Fraction(int(man)) * Fraction(2) ** int(exponent)
    return Fraction(*number.as_integer_ratio())
