"""Fused multiply-add: compilers contract a·b + c into one operation that rounds once.

That is right, and more precise; but results differ in bits from those without it, wherever numbers cancel in all their
digits. A port whose bits are those of contracted operations is told so.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy

from geometry.arithmetic.machine_arrays import Fusing
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.formulas import Formula, formula_of
from rbo_ref.oracle.formulas.machines import over
from rbo_ref.oracle.judge import Run
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.suspects.courses import floating
from rbo_ref.oracle.suspects.played import Played, Step

__all__ = ["contracted", "notes"]

LARGEST = (10, 20)  # dimension and inner steps of the cases that are taken
LEAST = 3  # steps that tell
SHARE = 1 / 3  # of these, that have the bits: compilers contract sums in more ways than one


def contracted(cls: type[Formula]) -> type[Formula]:
    """The ports of a formula on NumPy of which every multiplication that is followed by an addition is fused with it.

    Examples
    --------
    >>> port = contracted(formula_of("gradient-descent"))()
    >>> hyper = {"learning_rate": 0.5, "momentum": 0.0, "nesterov": False}
    >>> port(lambda x: (x @ x, 2 * x), numpy.array([1.0]), iterations=1, **hyper)
    [array([0.])]
    """

    return over(cls, Fusing)


@numpy.errstate(all="ignore")
def notes(judged: Iterable[tuple[Result, Run]], setting: Setting) -> list[str]:
    """A sentence, if a port that is right has the bits of contracted operations."""
    plain, fusing, telling = 0, 0, 0
    for run in {id(run): run for _, run in judged if _tells(run, setting)}.values():
        cls, played = formula_of(run.case.optimizer, setting.dialect), _played(run)
        loss = ServedLoss(run.case.loss, numpy, run.case.theta.shape)
        both = (floating(make, played, loss, setting.target.dtype) for make in (cls, contracted(cls)))
        for step, one, other in zip(played.steps, *both, strict=False):
            if not numpy.array_equal(one, other):
                telling += 1
                plain += numpy.array_equal(step.answer, one)
                fusing += numpy.array_equal(step.answer, other)
    if telling < LEAST or fusing < SHARE * telling:
        return []
    share = f"{fusing} of the {telling} steps in which it shows ({plain} have those without it)"
    return [f"the bits are those of a fused multiply-add in {share}: right either way"]


def _played(run: Run) -> Played:
    """The steps of a run, as far as they were answered."""
    case, known = run.case, numpy.zeros(run.case.theta.shape)
    steps = [
        Step(t.theta, t.hyper, None if case.draws is None else case.draws[k], t.answer, known, known, wrong=False)
        for k, t in enumerate(run.taken)
        if t.answer is not None
    ]
    return Played(case.id, case.loss, steps, alone=run.level == "step")


def _tells(run: Run, setting: Setting) -> bool:
    """Whether it is a run of short steps, of several for what has memory, in a format that NumPy rounds to."""
    if run.level != ("step" if formula_of(run.case.optimizer).is_memoryless else "walk"):
        return False
    inner = max((count for count in run.taken[0].hyper.values() if type(count) is int), default=0)
    small = run.case.dimension <= LARGEST[0] and inner <= LARGEST[1]
    return small and setting.formats.compute is None and setting.target.name in ("float32", "float64")
