"""The cases of NAdam."""

from __future__ import annotations

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

    def case(name: str, rate: float, betas: tuple[float, float], epsilon: float, momentum_decay: float) -> Case:
        hyper = {"learning_rate": rate, "betas": betas, "epsilon": epsilon, "momentum_decay": momentum_decay}
        return case_at("nadam", name, 5, hyper)

    return (
        case("usual-waves3", 2e-3, (0.9, 0.999), 1e-8, 0.004),
        case("usual-classifier", 2e-3, (0.9, 0.999), 1e-8, 0.004),
        case("usual-flat", 1e-3, (0.9, 0.999), 1e-8, 0.004),
        case("short-bowl", 0.125, (0.5, 0.75), 1e-8, 0.004),
        case("short-plane", 0.25, (0.75, 0.5), 1e-8, 0.25),
        case("short-steep", 0.0625, (0.25, 0.9), 1e-3, 4.0),
        case("quick-waves10", 0.01, (0.9, 0.99), 1e-8, 16.0),
        case("quick-saddle", 0.05, (0.875, 0.75), 1e-6, 8.0),
        case("epsilon-flat", 0.01, (0.8, 0.9), 1e-3, 1.0),
        case("epsilon-saddle", 0.05, (0.9, 0.95), 0.125, 2.0),
        case("far-far", 0.05, (0.9, 0.99), 1e-6, 0.5),
        case("rest-bowl", 0.1, (0.9, 0.999), 1e-8, 0.004),
    )
