"""The cases of Muon, which takes matrices: tall, wide, square, and a single row.

Some ports take no side below 4: those named large are for them. In bfloat16 five iterations with the usual coefficients
amplify rounding until nothing can be decided, unless the matrix is small: where its norm is below ε, as in the cases
named faint, the first iterations are hardly more than multiplications, and the last ones tell.
"""

from __future__ import annotations

from typing import Any

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import LONG, faint, matrix

__all__ = ["fixed"]


COEFFICIENTS = (3.4445, -4.775, 2.0315)


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

    def case(
        name: str,
        shape: tuple[int, int],
        rate: float,
        momentum: float,
        nesterov: bool,
        decay: float,
        height: float = 1.0,
        **other: Any,
    ) -> Case:
        loss, theta = matrix(*shape)
        loss = loss if height == 1 else faint(loss, height)
        hyper = {
            "learning_rate": rate,
            "momentum": momentum,
            "nesterov": nesterov,
            "weight_decay": decay,
            "steps": 5,
            "coefficients": COEFFICIENTS,
            "epsilon": 1e-7,
        }
        return Case(name, loss, theta, (hyper | other,), optimizer="muon", walk=LONG if name.startswith("long-") else 3)

    return (
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
        case("large-usual-wide", (4, 6), 0.02, 0.95, True, 0.1),
        case("large-usual-tall", (8, 5), 0.02, 0.95, True, 0.1),
        case("large-plain-square", (5, 5), 0.125, 0.75, False, 0.0),
        case("large-short-tall", (6, 4), 0.125, 0.5, True, 0.25, steps=2, coefficients=(2.0, -1.5, 0.5)),
        case("large-faint-wide", (4, 6), 0.125, 0.95, True, 0.1, 2.0**-30),
        case("large-faint-tall", (8, 5), 0.125, 0.95, True, 0.5, 2.0**-31),
        case("faint-wide", (2, 3), 0.25, 0.95, True, 0.1, 2.0**-29),
        case("faint-plain-tall", (6, 2), 0.125, 0.5, False, 0.25, 2.0**-31),
        case("faint-tiny-square", (3, 3), 0.125, 0.75, True, 0.125, 2.0**-56, epsilon=1e-15),
        case("sheer-square", (2, 2), 0.125, 0.5, True, 0.25, 2.0**12, steps=2),
        case("long-wide", (2, 3), 0.0625, 0.75, True, 0.125, steps=2, coefficients=(1.875, -1.25, 0.375)),
    )
