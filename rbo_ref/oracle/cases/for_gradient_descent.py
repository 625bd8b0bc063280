"""The cases of gradient descent."""

from __future__ import annotations

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

    def case(name: str, rate: float, momentum: float, nesterov: bool = False) -> Case:
        hyper = {"learning_rate": rate, "momentum": momentum, "nesterov": nesterov}
        return case_at("gradient-descent", name, 5, hyper)

    return (
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
        case("plain-table", 0.125, 0.0),
        case("plain-steeper", 5e-4, 0.0),
        case("plain-sheer", 1e-5, 0.0),
        case("plain-still", 0.25, 0.0),
        case("momentum-table", 0.125, 0.75),
        case("nesterov-table", 0.0625, 0.5, True),
        case("momentum-still", 0.125, 0.5),
        case("nesterov-sheer", 1e-5, 0.5, True),
        case("long-waves3", 0.1, 0.75),
        case("long-saddle", 0.125, 0.5, True),
    )
