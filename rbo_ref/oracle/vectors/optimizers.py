"""Vectors of the other optimizers, from the oracle's cases: runs of a few steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.optimizers.cases import DIALECTS, OPTIMIZERS, Case, all_cases
from rbo_ref.oracle.optimizers.truth import FORMULAS, Problem, hyper_parameters
from rbo_ref.oracle.rounding import Format, format_of, rounded
from rbo_ref.oracle.vectors.arithmetic import Evaluated, Scripted
from rbo_ref.oracle.vectors.losses import held
from rbo_ref.oracle.vectors.numbers import Record, numbered
from rbo_ref.oracle.vectors.records import Draft, hyper_record, run_record

__all__ = ["optimizer_vectors"]

ANSWERED: dict[str, type[Evaluated | Scripted]] = {"run": Evaluated, "scripted": Scripted}
UNORDERED = ("alice",)  # asks for several gradients in a step, in no natural order: there is no script


def optimizer_vectors() -> Iterator[Draft]:
    """All of them, each with the loss of its case."""
    for optimizer in OPTIMIZERS:
        for case in all_cases(optimizer):
            if not case.id.startswith("drawn-"):
                loss = held(case.loss)
                yield from ((_vector(*asked, case, loss), loss) for asked in _asked(optimizer))


def _asked(optimizer: str) -> Iterator[tuple[str, str, Format]]:
    """Kinds, dialects and formats."""
    kinds = [kind for kind in ANSWERED if kind == "run" or optimizer not in UNORDERED]
    first, *others = DIALECTS[optimizer]
    yield from ((kind, first, format_of(dtype)) for dtype in ("float32", "float64") for kind in kinds)
    yield from ((kind, dialect, format_of("float64")) for dialect in others for kind in kinds)


def _vector(kind: str, dialect: str, target: Format, case: Case, loss: Loss) -> Record:
    start = rounded(case.theta, target)
    draws = {} if case.draws is None else {"draws": rounded(case.draws, target)}

    def begin(arithmetic: Any) -> Any:
        problem = Problem(arithmetic, loss, draws.get("draws"))
        hyper = hyper_parameters(arithmetic, case.hyper)
        return FORMULAS[case.optimizer](problem, arithmetic.exact(start), hyper, dialect)

    head = {
        "id": f"{case.optimizer}.{kind}.{case.id}.{dialect}.{target.name}",
        "optimizer": case.optimizer,
        "kind": kind,
        "dialect": dialect,
        "dtype": target.name,
        "hyper": [hyper_record(case.hyper)],
    }
    told = run_record(begin, ANSWERED[kind], loss, start, case.length, target)
    return head | {name: numbered(numbers[: told["iterations"]], target) for name, numbers in draws.items()} | told
