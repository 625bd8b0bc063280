"""The tables of mistakes, of each optimizer one."""

from __future__ import annotations

from rbo_ref.oracle.mistakes import (
    in_adam,
    in_alice,
    in_entropy_sgd,
    in_gradient_descent,
    in_induced_metric,
    in_lion,
    in_muon,
    in_nadam,
    in_rmsprop,
    in_sam,
    of_memory,
    of_numbers,
    of_projection,
    of_step,
    of_vectors,
)
from rbo_ref.oracle.mistakes.in_all import in_all
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["KNOWN"]

OF_THE_BALL = (of_memory, of_numbers, of_projection, of_step, of_vectors)

KNOWN: dict[str, dict[str, Mistake]] = {
    "rolling-ball": {name: mistake for part in OF_THE_BALL for name, mistake in part.MISTAKES.items()},
    "gradient-descent": in_gradient_descent.MISTAKES | in_all("memory_lost"),  # that of momentum_ignored
    "adam": in_adam.IN_ADAM | in_all(),
    "adamw": in_adam.IN_ADAMW | in_all(),
    "muon": in_muon.MISTAKES | in_all("gradient_averaged"),
    "sam": in_sam.MISTAKES | in_all("memory_lost"),
    "entropy-sgd": in_entropy_sgd.MISTAKES | in_all("memory_lost"),  # that of scope_fixed
    "induced-metric": in_induced_metric.MISTAKES | in_all(),
    "alice": in_alice.MISTAKES | in_all(),
    "rmsprop": in_rmsprop.MISTAKES | in_all(),
    "nadam": in_nadam.MISTAKES | in_all(),
    "lion": in_lion.MISTAKES | in_all("gradient_averaged", "memory_lost"),  # no effect; that of memory_ignored
}
"""By the names of the optimizer and the mistake."""
