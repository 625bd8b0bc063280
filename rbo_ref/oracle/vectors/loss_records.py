"""The losses of vectors, as JSON.

Their coefficients are those of the oracle's losses rounded to float32, so that every port holds them exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from hashlib import sha256
from typing import Any

import numpy

from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.losses import Bumps, Loss, Quadratic, Ridges, Term
from rbo_ref.oracle.vectors.notation import FLOAT64, Record, numbered

__all__ = ["FORMULAS", "described", "dimension", "held", "loss_of", "name_of"]

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
