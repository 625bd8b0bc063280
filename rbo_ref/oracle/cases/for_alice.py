"""The cases of Alice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

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
        return _signed(case_at("alice", name, length, hyper | other))

    return (
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
        case("short-table", 0.125, (0.5, 0.75), 1, 6, highest=2.0),
        case("short-sheer", 0.125, (0.5, 0.75), 1, 6, highest=2.0),
        case("sgdm-table", 0.125, (0.5, 0.75), 2, 6, bounds="sgdm", highest=2.0),
        case("bare-faint", 0.015625, (0.5, 0.75), 1, 6, epsilon=0.0, highest=1.0),
        case("long-waves3", 0.0625, (0.5, 0.75), 2, 7, highest=0.5),
        case("rough-steep", 0.25, (0.5, 0.75), 0, 5, bounds="fixed", highest=2.0, omega=0.75),
    )


def _signed(case: Case) -> Case:
    """With random signs for every step."""
    random = numpy.random.RandomState(sum(map(ord, case.id)))
    return replace(case, draws=random.choice([-1.0, 1.0], (case.walk, *case.theta.shape)))
