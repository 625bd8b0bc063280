"""Hypothesis strategies: cases of every optimizer, from timid to reckless."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rbo_ref.oracle.cases.case import Case
from tests.rbo_ref.oracle.drawing import UNIT, losses, powers, vectors

FRACTION = st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]) | st.floats(0, 0.9990234375, width=32)
RATE = powers(-4, 1)
DECAY = st.just(0.0) | powers(-3, 0)
EPSILON = powers(-16, -1)
OR_NONE = st.just(0.0) | EPSILON
BETAS = st.tuples(FRACTION, FRACTION)
ADAM = {"learning_rate": RATE, "betas": BETAS, "epsilon": OR_NONE}
MOMENTUM = {"learning_rate": RATE, "momentum": FRACTION, "nesterov": st.booleans()}
HYPERS = {
    "gradient-descent": MOMENTUM,
    "adam": ADAM,
    "adamw": ADAM | {"weight_decay": DECAY},
    "muon": MOMENTUM
    | {
        "weight_decay": DECAY,
        "steps": st.integers(0, 6),
        "coefficients": st.sampled_from([(3.4445, -4.775, 2.0315), (1.875, -1.25, 0.375), (1.5, -0.5, 0.0)]),
        "epsilon": EPSILON | powers(0, 2),
    },
    "sam": {
        "learning_rate": RATE,
        "radius": powers(-3, 1),
        "adaptive": st.booleans(),
        "epsilon": st.just(0.0) | powers(-16, 0),
    },
    "entropy-sgd": {
        "learning_rate": RATE,
        "steps": st.integers(1, 8),
        "inner_rate": powers(-4, 0),
        "noise": st.just(0.0) | powers(-4, 1),
        "averaging": FRACTION,
        "scope": st.just(0.0) | powers(-4, 1),
        "scoping": st.just(0.0) | powers(-3, 0),
    },
    "induced-metric": {
        "learning_rate": RATE,
        "variant": st.sampled_from(["plain", "log", "rms"]),
        "momentum": FRACTION,
        "xi": powers(-6, 2),
        "beta": FRACTION,
        "beta_rms": FRACTION,
        "epsilon": OR_NONE,
        "weight_decay": DECAY,
    },
    "alice": {
        "learning_rate": powers(-3, 0),
        "betas": st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.6, 0.75]), st.floats(0.8125, 0.9990234375, width=32)),
        "quick_steps": st.integers(0, 3),
        "omega": powers(-1, 1),
        "phi": powers(-1, 1),
        "epsilon": EPSILON,
        "hessian": st.sampled_from(["abs", "rms"]),
        "glass": st.booleans(),
        "bounds": st.sampled_from(["fixed", "sgdm", "adam"]),
        "lowest": st.just(0.0) | powers(-4, -2),
        "highest": powers(-2, 2),
        "l1": DECAY,
        "l2": DECAY,
    },
    "rmsprop": {
        "learning_rate": RATE,
        "smoothing": FRACTION,
        "epsilon": EPSILON,
        "momentum": FRACTION,
        "centered": st.booleans(),
    },
    "nadam": ADAM | {"momentum_decay": st.just(0.0) | powers(-8, 8)},
    "lion": {"learning_rate": RATE, "betas": BETAS, "weight_decay": DECAY},
}


def hypers(optimizer):
    """Hyper-parameters of an optimizer."""
    return st.fixed_dictionaries(HYPERS[optimizer])


def _draws(draw, optimizer, hyper, length, shape):
    """The random numbers of a run, in numbers that float32 holds."""
    if optimizer == "entropy-sgd":
        return draw(arrays(float, (length, hyper["steps"], *shape), elements=UNIT)) * 2
    return (
        np.where(draw(arrays(float, (length, *shape), elements=UNIT)) < 0, -1.0, 1.0) if optimizer == "alice" else None
    )


@st.composite
def cases(draw, optimizer):
    """Any loss, place and hyper-parameters."""
    matrix = st.tuples(st.integers(1, 4), st.integers(1, 5))
    shape = draw(matrix if optimizer == "muon" else st.tuples(st.integers(1, 8)) | matrix)
    d, size, scale = int(np.prod(shape)), draw(powers(-2, 2)), draw(powers(-3, 3) | powers(-12, 6))
    theta = (draw(vectors(d)) * size).astype(np.float32).astype(float).reshape(shape)
    hyper, length = draw(hypers(optimizer)), draw(st.integers(1, 5) | st.just(12)) + 3 * (optimizer == "alice")
    draws = _draws(draw, optimizer, hyper, length, shape)
    return Case("drawn", draw(losses(d, size, scale)), theta, (hyper,), optimizer=optimizer, draws=draws, walk=length)
