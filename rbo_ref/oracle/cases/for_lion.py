"""The cases of Lion: the rates are large, so that signs change, and with them what is remembered shows."""

from __future__ import annotations

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

    def case(name: str, length: int, rate: float, betas: tuple[float, float], weight_decay: float) -> Case:
        return case_at("lion", name, length, {"learning_rate": rate, "betas": betas, "weight_decay": weight_decay})

    return (
        case("usual-waves3", 5, 1e-4, (0.9, 0.99), 0.0),
        case("usual-classifier", 13, 0.5, (0.9, 0.99), 0.1),
        case("usual-bowl", 13, 0.5, (0.9, 0.99), 0.0),
        case("usual-waves10", 9, 0.25, (0.9, 0.99), 0.01),
        case("short-waves3", 9, 0.375, (0.5, 0.75), 0.0),
        case("short-waves10", 9, 0.25, (0.75, 0.5), 0.25),
        case("short-saddle", 9, 0.5, (0.625, 0.875), 0.5),
        case("short-steep", 9, 0.125, (0.75, 0.9), 0.125),
        case("decay-far", 5, 0.125, (0.9, 0.99), 1.0),
        case("decay-plane", 5, 0.25, (0.75, 0.5), 0.5),
        case("rest-bowl", 5, 0.1, (0.9, 0.99), 0.1),
    )
