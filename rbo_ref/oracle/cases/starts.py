"""Places to start from, each on its loss, the same for all optimizers but the rolling ball.

A bowl, a slope that never changes, a saddle, waves in three and ten dimensions, a small classifier, places of all
slopes from 1e-12 to 1e4, parameters far from zero, points of rest, a coordinate that stands still, matrices. The
coefficients are float64 numbers taken as exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.losses import Loss, Quadratic, Ridges

__all__ = ["LONG", "case_at", "faint", "matrix", "places"]

Floats = NDArray[numpy.float64]
LONG = 25  # steps, more than what averages or looks ahead every few steps can hide in


def _waves(d: int, seed: int, steepness: float = 1.0, height: float = 6.0) -> Loss:
    """A tilted bowl with sine ridges across it, positive near zero."""
    random = numpy.random.RandomState(seed)
    square = random.uniform(-1, 1, (d, d))
    hessian = (square @ square.T / d + numpy.eye(d)) / 4
    weights = random.uniform(-1, 1, (d, d)) * (2 / numpy.sqrt(d))
    ridges = Ridges("sin", weights, random.uniform(-3, 3, d), steepness * random.uniform(0.5, 1, d))
    return Loss((Quadratic(hessian * steepness, random.uniform(-1, 1, d) * steepness / 2, height), ridges))


def faint(loss: Loss, factor: float) -> Loss:
    """Waves so many times as high."""
    bowl, ridges = loss.terms
    assert isinstance(bowl, Quadratic)
    assert isinstance(ridges, Ridges)
    low = Quadratic(bowl.matrix * factor, bowl.slope * factor, bowl.height * factor)
    return Loss((low, replace(ridges, amplitudes=ridges.amplitudes * factor)))


def _table() -> tuple[Loss, Floats]:
    """Waves under a matrix, the slopes almost at right angles to each of its rows: what goes along a row shows."""
    loss, theta = matrix(3, 4)
    bowl, ridges = loss.terms
    assert isinstance(bowl, Quadratic)
    slopes = loss.graph.gradient(theta.reshape(-1)).reshape(theta.shape)
    along = (slopes * theta).sum(axis=1, keepdims=True) / (theta * theta).sum(axis=1, keepdims=True)
    tilt = (theta / 64 - along * theta).astype(numpy.float32).astype(float)
    return Loss((replace(bowl, slope=bowl.slope + tilt.reshape(-1)), ridges)), theta


def _still() -> tuple[Loss, Floats]:
    """Waves that the first coordinate has no part in."""
    bowl, ridges = _waves(2, 7).terms
    assert isinstance(bowl, Quadratic)
    assert isinstance(ridges, Ridges)
    bends = numpy.zeros((3, 3))
    bends[1:, 1:] = bowl.matrix
    weights = numpy.column_stack([numpy.zeros(2), ridges.weights])
    loss = Loss((Quadratic(bends, _array(0, *bowl.slope), bowl.height), replace(ridges, weights=weights)))
    return loss, _array(0, 0.75, -1.25)


def _classifier(d: int, samples: int, seed: int) -> Loss:
    """Mean logistic loss."""
    features = numpy.random.RandomState(seed).uniform(-2, 2, (samples, d))
    return Loss((Ridges("softplus", features, numpy.zeros(samples), numpy.full(samples, 1 / samples)),))


def _point(d: int, seed: int, size: float = 1.0) -> Floats:
    """A random point, in numbers that float32 holds."""
    return numpy.random.RandomState(seed).uniform(-size, size, d).astype(numpy.float32).astype(float)


def _array(*numbers: float) -> Floats:
    return numpy.array(numbers, dtype=float)


@cache
def places() -> dict[str, tuple[Loss, Floats]]:
    """Losses of vectors, each with where to start."""
    bowl = Loss((Quadratic(numpy.array([[2.0, 0.5], [0.5, 1.0]]), numpy.zeros(2), 1.0),))
    saddle = Loss((Quadratic(numpy.diag([1.0, -0.5, 0.25]), numpy.zeros(3), 2.0),))
    waves3, waves10 = _waves(3, 3), _waves(10, 10)
    return {
        "bowl": (bowl, _array(1.5, -0.75)),
        "rest-bowl": (bowl, _array(0.0, 0.0)),
        "flat": (bowl, _array(-0.00390625, 0.001953125)),
        "plane": (Loss((Quadratic(numpy.zeros((2, 2)), _array(0.75, -1.25), 8.0),)), _array(3.0, -2.0)),
        "saddle": (saddle, _array(0.75, 0.5, -1.0)),
        "rest-saddle": (saddle, _array(0.0, 0.0, 0.0)),
        "waves3": (waves3, _point(3, 1)),
        "far": (waves3, _array(7.5, -6.25, 0.5)),
        "steep": (_waves(3, 5, steepness=12.0, height=60.0), _point(3, 4)),
        "steeper": (_waves(3, 5, steepness=768.0, height=4096.0), _point(3, 4)),
        "sheer": (_waves(3, 5, steepness=8192.0, height=32768.0), _point(3, 4)),
        "faint": (faint(waves3, 2.0**-41), _point(3, 1)),
        "near": (bowl, _array(-3, 1) * 2.0**-42),
        "still": _still(),
        "table": _table(),
        "waves10": (waves10, _point(10, 5)),
        "classifier": (_classifier(10, 24, 7), _point(10, 6)),
    }


def matrix(rows: int, columns: int) -> tuple[Loss, Floats]:
    """Waves under a matrix of parameters."""
    theta = _point(rows * columns, 10 * rows + columns)
    return _waves(rows * columns, 100 + 10 * rows + columns), theta.reshape(rows, columns)


def case_at(optimizer: str, name: str, length: int, hyper: Mapping[str, Any]) -> Case:
    """A case of so many steps, or of 25 if its name begins with long, at the place with which its name ends.

    Examples
    --------
    >>> case_at("sam", "usual-flat", 4, {}).theta
    array([-0.00390625,  0.00195312])
    """
    length = LONG if name.startswith("long-") else length
    loss, theta = places()[max((place for place in places() if name.endswith(place)), key=len)]
    return Case(name, loss, theta, (hyper,), optimizer=optimizer, walk=length)
