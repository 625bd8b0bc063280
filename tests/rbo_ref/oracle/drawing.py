"""Hypothesis strategies: terms, losses, hyper-parameters and cases for the oracle to judge."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import Hyper
from rbo_ref.oracle.losses import Bumps, Loss, Quadratic, Ridges

UNIT = st.floats(-1, 1, width=32)


def powers(low, high):
    """Positive numbers from 10^low to 10^high, all magnitudes alike."""
    return st.floats(low, high).map(lambda exponent: float(10.0**exponent))


def vectors(*shape):
    return arrays(float, shape, elements=UNIT)


@st.composite
def quadratics(draw, d, size=1.0, scale=1.0):
    square = draw(vectors(d, d))
    matrix = draw(st.sampled_from([square + square.T, square @ square.T / d])) * (scale / size**2)
    return Quadratic(matrix, draw(vectors(d)) * (scale / size), draw(UNIT) * scale)


@st.composite
def ridges(draw, d, size=1.0, scale=1.0):
    count, frequency = draw(st.integers(1, 3)), draw(powers(-1, 1))
    weights = draw(vectors(count, d)) * (frequency / size)
    profile = draw(st.sampled_from(["sin", "exp", "softplus"]))
    return Ridges(profile, weights, draw(vectors(count)) * 3, draw(vectors(count)) * scale)


@st.composite
def bumps(draw, d, size=1.0, scale=1.0):
    centers = draw(vectors(draw(st.integers(1, 3)), d)) * size
    return Bumps(centers, draw(UNIT) * scale, draw(powers(-2, 1)) * size**2)


def terms(d, size=1.0, scale=1.0):
    """A term with values of the order of `scale` where |θ| is of the order of `size`."""
    return st.one_of(kind(d, size, scale) for kind in (quadratics, ridges, bumps))


def losses(d, size=1.0, scale=1.0):
    return st.lists(terms(d, size, scale), min_size=1, max_size=3).map(lambda chosen: Loss(tuple(chosen)))


def hypers():
    """Hyper-parameters from timid to reckless."""
    return st.builds(Hyper, powers(-4, 1), powers(-3, 2), powers(-5, 0), st.integers(1, 30))


@st.composite
def cases(draw):
    """Any loss, place and hyper-parameters, in up to 12 dimensions and six orders of magnitude."""
    d, size, scale = draw(st.integers(1, 12)), draw(powers(-3, 3)), draw(powers(-3, 3))
    theta = tuple(float(t) for t in (draw(vectors(d)) * size).astype(np.float32))
    schedule = tuple(draw(st.lists(hypers(), min_size=1, max_size=2)))
    return Case("drawn", draw(losses(d, size, scale)), theta, schedule, "drawn", walk=draw(st.integers(0, 3)))
