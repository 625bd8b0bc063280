"""What is known of a wrong port that no formula explains: what its errors are like, as facts, and no name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from rbo_ref.oracle.suspects.courses import served
from rbo_ref.oracle.suspects.played import Floats, Played, Step

__all__ = ["facts"]

INDEPENDENT = 3  # cases that have to show a proportion
VISIBLE = 1e3  # tolerances that an error has to have to show it,
ALIKE = 1e-6  # and the share of it that may be left
CONSTANT = 1e-3  # relative: factors that differ by less are one


class _Error(NamedTuple):
    """The error of a wrong step."""

    case: str
    step: Step
    off: Floats
    gradient: Floats

    def quantities(self) -> dict[str, Floats]:
        """What it may be proportional to."""
        theta = self.step.theta.astype(float)
        slope = numpy.sqrt(1 + (self.gradient * self.gradient).sum())
        several = {"the move": self.step.truth - theta, "θ": theta, "∇f(θ)": self.gradient}
        several["∇f(θ)/√(1 + |∇f(θ)|²)"] = self.gradient / slope
        return several | {f"η·{name}": self.step.hyper["learning_rate"] * several[name] for name in ("θ", "∇f(θ)")}


@numpy.errstate(all="ignore")
def facts(runs: Sequence[Played]) -> list[str]:
    """The step that is the first wrong one, the coordinates that are off, and what the errors are proportional to.

    A proportion is told only where it holds in every step that can show it, and in several cases.
    """
    errors = [
        _Error(run.case, step, step.answer.astype(float) - step.truth, numpy.asarray(served(run.loss)(step.theta)[1]))
        for run in runs
        for step in run.judged
        if step.wrong and step.is_known and numpy.isfinite(step.answer).all()
    ]
    return [*_first_steps(runs), *_coordinates(errors), *_proportions(errors)]


def _first_steps(runs: Sequence[Played]) -> list[str]:
    wrong = [[step.wrong for step in run.judged].index(True) for run in runs if run.is_wrong and not run.alone]
    if not wrong or min(wrong) == 0:
        return []
    return [f"in each of {len(wrong)} runs the first step is right; step {min(wrong) + 1} is the first that is wrong"]


def _coordinates(errors: Sequence[_Error]) -> list[str]:
    """Which coordinates are off, if these are always the same of several."""
    off = [(error.step.errors > error.step.tolerance).reshape(-1) for error in errors if error.off.size > 1]
    if len(off) < INDEPENDENT:
        return []
    shapes: dict[str, Any] = {
        "every coordinate is": lambda which: which.all(),
        "only the first coordinate is": lambda which: which[0] and not which[1:].any(),
        "only the last coordinate is": lambda which: which[-1] and not which[:-1].any(),
        "all coordinates but the first are": lambda which: not which[0] and which[1:].all(),
        "all coordinates but the last are": lambda which: not which[-1] and which[:-1].all(),
    }
    told = [words for words, holds in shapes.items() if all(holds(which) for which in off)]
    return [f"{words} off in all {len(off)} failing steps of several coordinates" for words in told]


def _proportions(errors: Sequence[_Error]) -> list[str]:
    """What the errors are multiples of; of several such quantities the one with a constant factor, if there is one."""
    visible = [e for e in errors if e.off.size > 1 and (e.step.errors > VISIBLE * e.step.tolerance).any()]
    if len({error.case for error in visible}) < INDEPENDENT:
        return []
    factors = {name: [_factor(e, e.quantities()[name]) for e in visible] for name in visible[0].quantities()}
    known = {name: several for name, several in factors.items() if numpy.isfinite(several).all()}
    constant = {name: several for name, several in known.items() if _spread(several) <= CONSTANT}
    where = f"in all {len(visible)} failing steps that can show it"
    if constant:
        name = min(constant, key=lambda name: _spread(constant[name]))
        return [f"the error is {_told(constant[name])} times {name} {where}"]
    return [
        f"the error is a multiple of {name} {where}, by factors from {min(several):.3g} to {max(several):.3g}"
        for name, several in [*known.items()][:1]
    ]


def _factor(error: _Error, quantity: Floats) -> float:
    """How many times a quantity an error is; NaN if it is no multiple of it."""
    a, b = error.off.reshape(-1), quantity.reshape(-1)
    factor = float(a @ b / (b @ b))
    left = numpy.abs(a - factor * b) <= ALIKE * numpy.abs(a).max() + 2 * error.step.tolerance.reshape(-1)
    return factor if left.all() else numpy.nan


def _spread(factors: Sequence[float]) -> float:
    return (max(factors) - min(factors)) / max(abs(factor) for factor in factors)


def _told(factors: Sequence[float]) -> str:
    """A factor with its spread over the steps."""
    middle = float(numpy.median(factors))
    return f"{middle:.6g} (to within {max(abs(factor - middle) for factor in factors):.1g})"
