"""The package's own optimizers in the shape of a port: the oracle judges them like any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry._namespace import Array

__all__ = ["reference"]

NAMES = {
    "gradient-descent": "GradientDescent",
    "adam": "Adam",
    "adamw": "AdamW",
    "muon": "Muon",
    "sam": "SAM",
    "entropy-sgd": "EntropySGD",
    "induced-metric": "InducedMetric",
    "alice": "Alice",
}
READINGS: dict[tuple[str, str], dict[str, Any]] = {
    ("muon", "match_rms_adamw"): {"adjustment": "match_rms_adamw"},
    ("entropy-sgd", "code"): {"noise_form": "code", "average_form": "code", "scaled": False},
}


class _Served:
    """The oracle's loss for the package's optimizers."""

    def __init__(self, loss: Callable[[Array], tuple[Array, Array]]) -> None:
        self.value_and_gradient = loss


def reference(optimizer: str, dialect: str | None = None) -> Callable[..., list[Array]]:
    """The package's own optimizer as a port.

    Examples
    --------
    >>> from rbo_ref.oracle import check_optimizer
    >>> check_optimizer(reference("adam"), "adam", cases="usual-*").passed
    True
    """
    import rbo_ref.optimizers

    made = getattr(rbo_ref.optimizers, NAMES[optimizer])
    reading = READINGS.get((optimizer, dialect or ""), {})

    def port(
        loss: Callable[[Array], tuple[Array, Array]],
        theta: Array,
        *,
        iterations: int,
        draws: Array | None = None,
        **hyper: Any,
    ) -> list[Array]:
        if "nesterov" in hyper and not hyper["momentum"]:
            hyper = hyper | {"nesterov": False}
        stepper, iterates = made(**hyper, **reading), []
        state = stepper.init(theta)
        for t in range(iterations):
            noise = {} if draws is None else {"noise": draws[t, ...]}
            step = stepper.step(_Served(loss), theta, state, **noise)
            theta, state = step.theta, step.state
            iterates.append(theta)
        return iterates

    port.__qualname__ = NAMES[optimizer]
    return port
