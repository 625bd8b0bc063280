"""The losses of vectors: as JSON, and evaluated as a port would, in its own arithmetic.

Their coefficients are those of the oracle's losses rounded to float32, so that every port holds them exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from hashlib import sha256
from typing import Any

import numpy

from geometry._namespace import Array, Namespace, array_namespace
from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.losses import Bumps, Loss, Quadratic, Ridges, Term
from rbo_ref.oracle.vectors.numbers import FLOAT64, Record, numbered

__all__ = ["FORMULAS", "described", "dimension", "evaluate", "held", "loss_of", "name_of"]

KINDS: dict[str, type[Any]] = {"quadratic": Quadratic, "ridges": Ridges, "bumps": Bumps}
FORMULAS = {
    "quadratic": "1/2 theta.A theta + b.theta + c;  A = matrix (symmetric), b = slope, c = height",
    "ridges": "sum over k of amplitudes[k] * phi(weights[k].theta + shifts[k]);  phi = profile: sin(u), exp(u) or "
    "softplus(u) = log(1 + exp(u))",
    "bumps": "sum over k of amplitude * exp(-|theta - centers[k]|^2 / square_width)",
}


@cache
def held(loss: Loss) -> Loss:
    """The loss with coefficients that float32 holds."""
    return Loss(tuple(_held(term) for term in loss.terms))


def _held(term: Term) -> Term:
    rounded = {name: numpy.float32(value).astype(float) for name, value in _coefficients(term)}
    return replace(term, **{name: value if value.ndim else float(value) for name, value in rounded.items()})  # type: ignore[type-var]


def _coefficients(term: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a term that are numbers."""
    named = ((field.name, getattr(term, field.name)) for field in fields(term))
    return ((name, value) for name, value in named if not isinstance(value, str))


def described(loss: Loss) -> list[Record]:
    """The terms of a loss as JSON objects.

    Examples
    --------
    >>> described(Loss((Bumps(numpy.zeros((1, 1)), 2.0, 0.5),)))[0]["amplitude"]
    {'bits': '0x4000000000000000', 'decimal': '2.0'}
    """
    return [_described(term) for term in loss.terms]


def _kind(term: Term) -> str:
    return next(name for name, cls in KINDS.items() if type(term) is cls)


def _described(term: Term) -> Record:
    profile = {"profile": term.profile} if isinstance(term, Ridges) else {}
    return {"kind": _kind(term)} | profile | {name: numbered(value) for name, value in _coefficients(term)}


@cache
def name_of(loss: Loss) -> str:
    """What a loss is called: its terms and dimension, and a digest of its coefficients."""
    digest = sha256(json.dumps(described(loss)).encode()).hexdigest()[:8]
    return f"{'-'.join(_kind(term) for term in loss.terms)}-{dimension(loss)}d-{digest}"


def dimension(loss: Loss) -> int:
    """How many parameters a loss has."""
    return int(next(value for _, value in _coefficients(loss.terms[0]) if numpy.ndim(value) == 2).shape[1])


def loss_of(terms: list[Record]) -> Loss:
    """The loss that JSON objects describe.

    Examples
    --------
    >>> loss_of(described(Loss((Bumps(numpy.zeros((1, 1)), 2.0, 0.5),)))).terms[0].amplitude
    2.0
    """
    return Loss(tuple(_term(**term) for term in terms))


def _term(kind: str, **given: Any) -> Term:
    read = {n: v if isinstance(v, str) else decode(v["bits"], FLOAT64) for n, v in given.items()}
    return KINDS[kind](**{n: float(v) if numpy.ndim(v) == 0 and not isinstance(v, str) else v for n, v in read.items()})


# --- as a port evaluates them ---------------------------------------------------------------------------------------


def evaluate(loss: Loss, theta: Array) -> tuple[Array, Array]:
    """f(θ) and ∇f(θ) in the arithmetic of θ, as written in `FORMULAS`; shapes () and that of θ.

    Examples
    --------
    >>> evaluate(Loss((Quadratic(numpy.eye(2), numpy.zeros(2), 1.0),)), numpy.array([2.0, 0.0]))
    (np.float64(3.0), array([2., 0.]))
    """
    xp = array_namespace(theta)
    flat = xp.reshape(theta, (-1,))
    parts = [_EVALUATED[type(term)](term, flat, xp) for term in loss.terms]
    value, gradient = parts[0]
    for other, slope in parts[1:]:
        value, gradient = value + other, gradient + slope
    return value, xp.reshape(gradient, theta.shape)


def _quadratic(term: Quadratic, theta: Array, xp: Namespace) -> tuple[Array, Array]:
    matrix, slope = (xp.asarray(a, dtype=theta.dtype) for a in (term.matrix, term.slope))
    curved = matrix @ theta
    return xp.sum(theta * curved) / 2 + xp.sum(slope * theta) + term.height, curved + slope


def _ridges(term: Ridges, theta: Array, xp: Namespace) -> tuple[Array, Array]:
    weights, shifts, amplitudes = (
        xp.asarray(a, dtype=theta.dtype) for a in (term.weights, term.shifts, term.amplitudes)
    )
    heights, slopes = _profile(term.profile, weights @ theta + shifts, xp)
    return xp.sum(amplitudes * heights), (amplitudes * slopes) @ weights


def _profile(profile: str, u: Array, xp: Namespace) -> tuple[Array, Array]:
    """φ(u) and φ'(u)."""
    if profile == "sin":
        return xp.sin(u), xp.cos(u)
    e = xp.exp(u)
    return (e, e) if profile == "exp" else (xp.log1p(e), e / (1 + e))


def _bumps(term: Bumps, theta: Array, xp: Namespace) -> tuple[Array, Array]:
    away = theta - xp.asarray(term.centers, dtype=theta.dtype)
    bumps = term.amplitude * xp.exp(-xp.sum(away * away, axis=-1) / term.square_width)
    return xp.sum(bumps), (-2 / term.square_width) * (bumps @ away)


_EVALUATED: dict[type[Any], Callable[..., tuple[Array, Array]]] = {
    Quadratic: _quadratic,
    Ridges: _ridges,
    Bumps: _bumps,
}
