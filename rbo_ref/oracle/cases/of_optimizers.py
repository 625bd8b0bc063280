"""The cases of the other optimizers.

The places are the same for all optimizers that take vectors: a bowl, a slope that never changes, a saddle, waves in
three and ten dimensions, a small classifier, a steep and a flat place, parameters far from zero, a point of rest. Muon
takes matrices: tall, wide, square, and a single row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.places import matrix, places
from rbo_ref.oracle.dialects import OPTIMIZERS

__all__ = ["drawn", "fixed"]

Hyper = dict[str, Any]

# --- optimizers -----------------------------------------------------------------------------------------------------


def _case(optimizer: str, name: str, length: int, hyper: Hyper) -> Case:
    """A case of which the name ends with its place."""
    place = max((p for p in places() if name.endswith(p)), key=len)
    loss, theta = places()[place]
    return Case(name, loss, theta, (hyper,), optimizer=optimizer, walk=length)


def _gradient_descent() -> list[Case]:
    def case(name: str, rate: float, momentum: float, nesterov: bool = False) -> Case:
        hyper = {"learning_rate": rate, "momentum": momentum, "nesterov": nesterov}
        return _case("gradient-descent", name, 5, hyper)

    return [
        case("plain-bowl", 0.125, 0.0),
        case("plain-waves10", 0.2, 0.0),
        case("plain-steep", 0.01, 0.0),
        case("momentum-plane", 0.5, 0.5),
        case("momentum-waves3", 0.1, 0.9),
        case("momentum-classifier", 1.0, 0.75),
        case("momentum-far", 0.05, 0.9),
        case("nesterov-saddle", 0.25, 0.5, True),
        case("nesterov-waves10", 0.1, 0.9, True),
        case("nesterov-steep", 0.01, 0.75, True),
        case("rest-bowl", 0.1, 0.9),
    ]


def _adam(decay: tuple[float, ...] = ()) -> list[Case]:
    def case(name: str, rate: float, betas: tuple[float, float], epsilon: float, weight_decay: float) -> Case:
        hyper: Hyper = {"learning_rate": rate, "betas": betas, "epsilon": epsilon}
        if decay:
            hyper["weight_decay"] = weight_decay
        return _case("adamw" if decay else "adam", name, 5, hyper)

    return [
        case("usual-waves3", 1e-3, (0.9, 0.999), 1e-8, 0.01),
        case("usual-waves10", 1e-2, (0.9, 0.999), 1e-8, 0.5),
        case("usual-classifier", 1e-3, (0.9, 0.999), 1e-8, 0.1),
        case("usual-flat", 1e-3, (0.9, 0.999), 1e-8, 0.01),
        case("short-bowl", 0.125, (0.5, 0.75), 1e-8, 0.25),
        case("short-plane", 0.25, (0.75, 0.5), 1e-8, 0.1),
        case("short-steep", 0.0625, (0.25, 0.9), 1e-3, 0.5),
        case("epsilon-flat", 0.01, (0.8, 0.9), 1e-3, 0.25),
        case("epsilon-saddle", 0.05, (0.9, 0.95), 0.125, 0.1),
        case("far-far", 0.05, (0.9, 0.99), 1e-6, 0.25),
        case("rest-bowl", 0.1, (0.9, 0.999), 1e-8, 0.1),
    ]


def _adamw() -> list[Case]:
    return _adam((0.01,))


def _sam() -> list[Case]:
    def case(name: str, rate: float, radius: float, adaptive: bool = False, epsilon: float = 1e-12) -> Case:
        hyper = {"learning_rate": rate, "radius": radius, "adaptive": adaptive, "epsilon": epsilon}
        return _case("sam", name, 4, hyper)

    return [
        case("usual-waves3", 0.1, 0.05),
        case("usual-classifier", 0.5, 0.1),
        case("wide-bowl", 0.125, 0.5),
        case("wide-waves10", 0.2, 1.0),
        case("wide-steep", 0.01, 0.25),
        case("wide-far", 0.05, 2.0),
        case("epsilon-flat", 0.25, 0.01, epsilon=0.00390625),
        case("adaptive-waves3", 0.1, 0.5, True),
        case("adaptive-waves10", 0.1, 2.0, True),
        case("adaptive-saddle", 0.25, 0.25, True, 0.125),
        case("rest-bowl", 0.1, 0.05),
        case("rest-saddle", 0.1, 0.5, True),
        case("paper-waves3", 0.1, 0.05, epsilon=0.0),
        case("paper-bowl", 0.125, 0.5, epsilon=0.0),
        case("paper-classifier", 0.5, 0.1, epsilon=0.0),
        case("paper-waves10", 0.2, 1.0, epsilon=0.0),
        case("asam-waves10", 0.1, 2.0, True, 0.0),
    ]


def _entropy_sgd() -> list[Case]:
    def case(
        name: str, rate: float, inner: tuple[int, float, float], averaging: float, scope: float, scoping: float
    ) -> Case:
        steps, inner_rate, noise = inner
        hyper = {
            "learning_rate": rate,
            "steps": steps,
            "inner_rate": inner_rate,
            "noise": noise,
            "averaging": averaging,
            "scope": scope,
            "scoping": scoping,
        }
        return _noisy(_case("entropy-sgd", name, 4, hyper))

    return [
        case("usual-waves3", 1.0, (20, 0.1, 1e-4), 0.75, 0.03, 1e-3),
        case("usual-classifier", 1.0, (7, 0.1, 1e-4), 0.75, 0.03, 1e-3),
        case("warm-waves10", 0.5, (6, 0.1, 0.25), 0.75, 0.5, 0.125),
        case("warm-bowl", 0.5, (5, 0.125, 1.0), 0.25, 1.0, 0.25),
        case("hot-plane", 0.25, (3, 0.25, 2.0), 0.5, 2.0, 0.5),
        case("tied-far", 0.25, (8, 0.05, 0.01), 0.875, 3.0, 0.0),
        case("tied-steep", 0.25, (4, 0.01, 0.5), 0.6, 4.0, 0.125),
        case("short-saddle", 1.0, (1, 0.5, 0.125), 0.75, 0.5, 0.5),
    ]


def _noisy(case: Case) -> Case:
    """With normal draws, in numbers that float32 holds, for every inner step."""
    shape = (case.walk, case.hyper(0)["steps"], *case.theta.shape)
    seed = sum(map(ord, case.id))
    draws = numpy.random.RandomState(seed).standard_normal(shape).astype(numpy.float32).astype(float)
    return replace(case, draws=draws)


def _induced_metric() -> list[Case]:
    def case(
        name: str, rate: float, momentum: float, xi: float, betas: tuple[float, float], decay: float, eps: float = 1e-8
    ) -> Case:
        hyper = {
            "learning_rate": rate,
            "variant": name.partition("-")[0],
            "momentum": momentum,
            "xi": xi,
            "beta": betas[0],
            "beta_rms": betas[1],
            "epsilon": eps,
            "weight_decay": decay,
        }
        return _case("induced-metric", name, 4, hyper)

    return [
        case("plain-usual-waves3", 0.1, 0.9, 0.1, (0.8, 0.99), 0.0),
        case("plain-bowl", 0.25, 0.5, 2.0, (0.5, 0.99), 0.25),
        case("plain-waves10", 0.125, 0.75, 1.0, (0.25, 0.99), 0.01),
        case("plain-steep", 0.5, 0.0, 0.01, (0.0, 0.99), 0.0),
        case("log-usual-waves3", 0.1, 0.9, 0.1, (0.8, 0.99), 0.0),
        case("log-plane", 1.0, 0.5, 4.0, (0.75, 0.99), 0.125),
        case("log-waves10", 0.5, 0.25, 1.0, (0.1, 0.99), 0.05),
        case("log-classifier", 0.25, 0.75, 0.5, (0.5, 0.99), 0.1),
        case("rms-usual-waves3", 0.1, 0.9, 0.1, (0.8, 0.99), 0.0),
        case("rms-saddle", 0.125, 0.5, 0.5, (0.5, 0.75), 0.25, 0.125),
        case("rms-waves10", 0.05, 0.75, 2.0, (0.25, 0.9), 0.1, 1e-3),
        case("rms-flat", 0.01, 0.5, 1.0, (0.75, 0.5), 0.0, 1e-3),
        case("plain-rest-bowl", 0.1, 0.9, 0.1, (0.8, 0.99), 0.1),
    ]


COEFFICIENTS = (3.4445, -4.775, 2.0315)


def _muon() -> list[Case]:
    def case(
        name: str, shape: tuple[int, int], rate: float, momentum: float, nesterov: bool, decay: float, **other: Any
    ) -> Case:
        loss, theta = matrix(*shape)
        hyper = {
            "learning_rate": rate,
            "momentum": momentum,
            "nesterov": nesterov,
            "weight_decay": decay,
            "steps": 5,
            "coefficients": COEFFICIENTS,
            "epsilon": 1e-7,
        }
        return Case(name, loss, theta, (hyper | other,), optimizer="muon", walk=3)

    return [
        case("usual-wide", (3, 5), 1e-2, 0.95, True, 0.1),
        case("usual-tall", (5, 2), 1e-2, 0.95, True, 0.1),
        case("usual-square", (3, 3), 0.05, 0.95, True, 0.1),
        case("plain-tall", (4, 2), 0.1, 0.5, False, 0.0),
        case("plain-wide", (2, 4), 0.1, 0.75, False, 0.25),
        case("short-square", (2, 2), 0.25, 0.0, True, 0.5, steps=1),
        case("short-tall", (6, 2), 0.125, 0.5, True, 0.01, steps=2, coefficients=(2.0, -1.5, 0.5)),
        case("short-wide", (2, 4), 0.125, 0.75, False, 0.125, steps=1),
        case("short-row-wide", (1, 4), 0.125, 0.5, False, 0.25, steps=2, coefficients=(1.875, -1.25, 0.375)),
        case("cubic-wide", (2, 3), 0.125, 0.25, True, 0.5, steps=3, coefficients=(1.5, -0.5, 0.0)),
        case("epsilon-wide", (2, 5), 0.125, 0.5, True, 0.25, epsilon=64.0),
        case("row-wide", (1, 6), 0.125, 0.9, True, 0.125),
    ]


def _alice() -> list[Case]:
    def case(name: str, rate: float, betas: tuple[float, float], quick: int, length: int, **other: Any) -> Case:
        hyper = {
            "learning_rate": rate,
            "betas": betas,
            "quick_steps": quick,
            "omega": 1.0,
            "phi": 1 - betas[0],
            "epsilon": 1e-8,
            "hessian": "abs",
            "glass": True,
            "bounds": "adam",
            "lowest": 0.0,
            "highest": 2 * rate,
            "l1": 0.0,
            "l2": 0.0,
        }
        return _signed(_case("alice", name, length, hyper | other))

    return [
        case("usual-waves3", 0.015625, (0.9, 0.999), 3, 13),
        case("short-waves3", 0.125, (0.5, 0.75), 1, 7, highest=2.0),
        case("short-bowl", 0.25, (0.5, 0.875), 1, 6, bounds="fixed", highest=4.0),
        case("short-waves10", 0.125, (0.75, 0.9), 2, 8, bounds="fixed", highest=8.0, phi=0.5),
        case("bound-plane", 0.5, (0.5, 0.75), 1, 6, epsilon=0.0009765625, lowest=0.25, highest=0.75),
        case("bound-waves10", 0.125, (0.5, 0.75), 1, 6, lowest=0.25, highest=0.5),
        case("sgdm-steep", 0.125, (0.5, 0.75), 2, 7, bounds="sgdm", highest=0.03125),
        case("sgdm-waves3", 0.25, (0.5, 0.75), 2, 7, bounds="sgdm", highest=4.0, lowest=0.5),
        case("rms-waves3", 0.25, (0.5, 0.75), 1, 6, hessian="rms", bounds="fixed", highest=4.0, l2=0.25),
        case("rms-far", 0.25, (0.5, 0.75), 1, 6, hessian="rms", bounds="fixed", highest=8.0, l1=0.25, l2=0.125),
        case("rms-waves10", 0.5, (0.75, 0.5), 1, 7, hessian="rms", bounds="fixed", highest=8.0, l1=0.125),
        case("decay-saddle", 0.125, (0.5, 0.75), 1, 6, l1=0.5, l2=0.25, highest=1.0),
        case("smooth-classifier", 0.25, (0.5, 0.875), 3, 7, glass=False, bounds="fixed", highest=8.0, omega=1.5),
        case("epsilon-flat", 0.015625, (0.5, 0.75), 1, 6, epsilon=0.25, bounds="fixed", highest=1.0),
        case("rough-steep", 0.25, (0.5, 0.75), 0, 5, bounds="fixed", highest=2.0, omega=0.75),
    ]


def _signed(case: Case) -> Case:
    """With random signs for every step."""
    random = numpy.random.RandomState(sum(map(ord, case.id)))
    return replace(case, draws=random.choice([-1.0, 1.0], (case.walk, *case.theta.shape)))


MAKERS: dict[str, Callable[[], list[Case]]] = {
    "gradient-descent": _gradient_descent,
    "adam": _adam,
    "adamw": _adamw,
    "muon": _muon,
    "sam": _sam,
    "entropy-sgd": _entropy_sgd,
    "induced-metric": _induced_metric,
    "alice": _alice,
}


def fixed(optimizer: str) -> tuple[Case, ...]:
    """Those of an optimizer that no seed draws."""
    return tuple(MAKERS[optimizer]())


def drawn(optimizer: str, seed: int) -> tuple[Case, ...]:
    """Three that `seed` draws."""
    return tuple(_elsewhere(optimizer, fixed(optimizer), seed, number) for number in range(3))


def _elsewhere(optimizer: str, cases: tuple[Case, ...], seed: int, number: int) -> Case:
    """A fixed case elsewhere, with other rates, and with fractions that are neither the usual ones nor simple."""
    random = numpy.random.RandomState([seed, number, OPTIMIZERS.index(optimizer) - 1])
    case = cases[random.randint(len(cases))]

    def other(name: str, value: Any) -> Any:
        if name == "betas" and optimizer != "alice":  # of which β₃ must stay positive
            return tuple(other("beta", beta) for beta in value)
        if not isinstance(value, float) or value == 0:
            return value
        if name in ("momentum", "beta", "beta_rms", "averaging"):
            return float(random.uniform(0.1, 0.9))
        return value * float(random.uniform(0.5, 1.0))

    hyper = {name: other(name, value) for name, value in case.hyper(0).items()}
    shift = random.uniform(-0.25, 0.25, case.theta.shape).astype(numpy.float32)
    theta = (case.theta + shift).astype(numpy.float32).astype(float)
    return replace(case, id=f"drawn-{case.id}-{seed}-{number}", theta=theta, hypers=(hyper,))
