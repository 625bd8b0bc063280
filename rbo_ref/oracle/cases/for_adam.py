"""The cases of Adam and AdamW."""

from __future__ import annotations

from typing import Any

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed(optimizer: str = "adam") -> tuple[Case, ...]:
    """Those that no seed draws, of Adam, or of AdamW."""

    def case(name: str, rate: float, betas: tuple[float, float], epsilon: float, weight_decay: float) -> Case:
        hyper: dict[str, Any] = {"learning_rate": rate, "betas": betas, "epsilon": epsilon}
        if optimizer == "adamw":
            hyper["weight_decay"] = weight_decay
        return case_at(optimizer, name, 5, hyper)

    return (
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
        case("usual-table", 1e-2, (0.9, 0.999), 1e-8, 0.5),
        case("usual-steeper", 1e-2, (0.9, 0.999), 1e-8, 0.25),
        case("usual-sheer", 1e-2, (0.9, 0.999), 1e-8, 0.25),
        case("short-table", 0.125, (0.5, 0.75), 1e-3, 0.25),
        case("short-still", 0.125, (0.5, 0.75), 1e-8, 0.25),
        case("bare-waves3", 0.125, (0.75, 0.875), 0.0, 0.125),
        case("bare-faint", 0.125, (0.5, 0.75), 0.0, 0.25),
        case("epsilon-faint", 0.125, (0.75, 0.9), 1e-12, 0.5),
        case("tiny-faint", 0.0625, (0.5, 0.875), 1e-16, 0.125),
        case("long-waves3", 0.01, (0.9, 0.999), 1e-8, 0.1),
        case("long-saddle", 0.0625, (0.5, 0.9), 1e-3, 0.25),
    )
