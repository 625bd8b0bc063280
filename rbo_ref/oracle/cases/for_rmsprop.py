"""The cases of RMSprop."""

from __future__ import annotations

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

    def case(name: str, rate: float, smoothing: float, epsilon: float, momentum: float, centered: bool = False) -> Case:
        hyper = {"learning_rate": rate, "smoothing": smoothing, "epsilon": epsilon, "momentum": momentum}
        return case_at("rmsprop", name, 5, {**hyper, "centered": centered})

    return (
        case("usual-waves3", 1e-2, 0.99, 1e-8, 0.0),
        case("usual-classifier", 1e-2, 0.99, 1e-8, 0.0),
        case("usual-flat", 1e-3, 0.9, 1e-8, 0.0),
        case("short-bowl", 0.0625, 0.5, 1e-8, 0.0),
        case("epsilon-saddle", 0.05, 0.75, 0.125, 0.0),
        case("epsilon-flat", 0.01, 0.9, 1e-3, 0.0),
        case("momentum-waves10", 0.01, 0.9, 1e-8, 0.9),
        case("momentum-plane", 0.125, 0.75, 1e-3, 0.5),
        case("momentum-steep", 0.03125, 0.5, 1e-6, 0.75),
        case("centered-waves3", 0.01, 0.9, 1e-6, 0.0, True),
        case("centered-bowl", 0.0625, 0.5, 1e-3, 0.5, True),
        case("centered-far", 0.02, 0.75, 0.25, 0.75, True),
        case("rest-bowl", 0.1, 0.9, 1e-8, 0.9),
    )
