"""The cases of SAM and ASAM."""

from __future__ import annotations

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

    def case(name: str, rate: float, radius: float, adaptive: bool = False, epsilon: float = 1e-12) -> Case:
        hyper = {"learning_rate": rate, "radius": radius, "adaptive": adaptive, "epsilon": epsilon}
        return case_at("sam", name, 4, hyper)

    return (
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
        case("wide-table", 0.125, 0.5),
        case("wide-steeper", 5e-4, 0.25),
        case("wide-sheer", 1e-5, 0.25),
        case("wide-still", 0.25, 0.5),
        case("adaptive-table", 0.125, 1.0, True),
        case("epsilon-near", 0.25, 0.5, epsilon=1e-12),
        case("tiny-near", 0.125, 1.0, epsilon=1e-15),
        case("paper-table", 0.125, 0.5, epsilon=0.0),
        case("paper-sheer", 1e-5, 0.25, epsilon=0.0),
        case("long-waves3", 0.1, 0.5, epsilon=0.0),
    )
