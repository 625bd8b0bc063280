"""Groups of parameters with rates of their own, of optimizers that move each number by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import prod

import numpy

from rbo_ref.oracle.adapters import TorchPort
from rbo_ref.oracle.calls import Port
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.comparing import Verdict, verdict_on
from rbo_ref.oracle.dialects import SEPARATE
from rbo_ref.oracle.judge import Run, result_of, unanswered
from rbo_ref.oracle.parts import shapes
from rbo_ref.oracle.playing import takes
from rbo_ref.oracle.report import Diagnosis, Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.truth import Truth

__all__ = ["in_groups", "rates_ignored"]

IGNORED = "the second group has half the rate of the first, and is moved by that of the first"


def in_groups(port: Port, cases: Iterable[Case], setting: Setting) -> Iterator[Result]:
    """The results of walks in which the second group of an optimizer of PyTorch has half the rate of the first.

    Each number is judged by the truth of the rate of its group. In PyTorch alone parameters lie in groups, and only
    where a number moves by its own gradients does an optimizer with several rates have a meaning that nobody disputes.
    """
    for case in cases:
        if not isinstance(port, TorchPort) or case.optimizer not in SEPARATE:
            return
        if case.walk and _is_in_groups(case) and not port.lacks(case.hyper(0)):
            yield _judged(port.with_rates(1.0, 0.5), case, setting)


def _is_in_groups(case: Case) -> bool:
    return len(shapes(case.theta.shape)) > 2


def _judged(port: TorchPort, case: Case, setting: Setting) -> Result:
    first = prod(shapes(case.theta.shape)[0])
    halved = tuple({**hyper, "learning_rate": hyper["learning_rate"] / 2} for hyper in case.hypers)
    truths = Truth(case, setting), Truth(replace(case, hypers=halved), setting)
    run, is_ignored = Run(case, "groups", name=port.entry), True
    for taken in takes(port, case, "groups", setting, lambda: case.theta):
        run.taken.append(taken)
        steps = [truth.step(taken.theta) for truth in truths]
        worst = min(steps, key=lambda step: step.is_bounded)
        if taken.answer is None:
            return replace(unanswered(run, "groups", taken.outcome, worst), declined=False)
        setting.needed += steps[0].evaluations
        whole, half = (verdict_on(taken.theta, taken.answer, step, setting) for step in steps)
        run.verdicts.append(_joined(whole, half, first))
        is_ignored = is_ignored and whole.ratio <= 1
        if run.wrong is not None or not (worst.is_bounded and numpy.isfinite(taken.answer).all()):
            break
    result = result_of(run)
    is_named = result.verdict == "fail" and is_ignored
    return replace(result, message=f"{result.message}: {IGNORED}") if is_named else result


def _joined(whole: Verdict, half: Verdict, first: int) -> Verdict:
    """The verdict on so many entries by the first one, and on the others by the second."""
    errors, tolerances = (
        numpy.concatenate([getattr(whole, name)[:first], getattr(half, name)[first:]])
        for name in ("errors", "tolerances")
    )
    return Verdict(errors, tolerances, whole.move, whole.decidable and half.decidable)


def rates_ignored(results: Iterable[Result]) -> Diagnosis | None:
    """The mistake behind wrong results of `in_groups`, if all of them show it."""
    wrong = [result for result in results if result.verdict == "fail"]
    if not wrong or not all(result.message.endswith(IGNORED) for result in wrong):
        return None
    evidence = f"it reproduces {len(wrong)} of {len(wrong)} failing walks"
    return Diagnosis("rates_of_groups_ignored", "All groups are moved by the rate of the first", evidence)
