"""The cases of the optimizers of the induced metric."""

from __future__ import annotations

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import LONG, case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

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
        return case_at("induced-metric", name, LONG if "-long-" in name else 4, hyper)

    return (
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
        case("plain-table", 0.25, 0.5, 1.0, (0.5, 0.99), 0.125),
        case("plain-sheer", 0.25, 0.5, 1e-4, (0.5, 0.99), 0.0),
        case("plain-still", 0.25, 0.5, 1.0, (0.5, 0.99), 0.25),
        case("plain-long-waves3", 0.125, 0.75, 0.5, (0.5, 0.99), 0.01),
        case("log-table", 0.5, 0.5, 1.0, (0.25, 0.99), 0.125),
        case("rms-table", 0.0625, 0.5, 0.5, (0.5, 0.75), 0.125, 1e-3),
        case("rms-faint", 0.125, 0.5, 1.0, (0.5, 0.75), 0.125, 1e-12),
        case("rms-bare-faint", 0.125, 0.5, 1.0, (0.5, 0.75), 0.0, 0.0),
        case("rms-long-waves3", 0.0625, 0.75, 0.5, (0.5, 0.9), 0.01, 0.0),
        case("plain-rest-bowl", 0.1, 0.9, 0.1, (0.8, 0.99), 0.1),
    )
