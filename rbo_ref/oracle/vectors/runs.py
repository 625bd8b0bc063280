"""Vectors of runs: a few steps of a port that evaluates the loss, or is answered from a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

from geometry.arithmetic.formats import Format, format_of, rounded
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import OPTIMIZERS, ROLLING_BALL
from rbo_ref.oracle.formulas import FORMULAS, formula_of
from rbo_ref.oracle.formulas.evaluation import steps_of
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.vectors.answering import Evaluated, Scripted
from rbo_ref.oracle.vectors.drafts import Draft, head_record, hyper_record, run_record
from rbo_ref.oracle.vectors.loss_records import held
from rbo_ref.oracle.vectors.notation import Record, numbered

__all__ = ["run_vectors"]

ANSWERED: dict[str, type[Evaluated | Scripted]] = {"run": Evaluated, "scripted": Scripted}
UNORDERED = ("alice",)  # asks for several gradients in a step, in no natural order: there is no script
IN_ALL_DIALECTS = ("valley-1d", "bowl-jumps", "saddle-small", "crest-2d", "waves-3d", "waves-10d", "schedule-3d")
"""Of the rolling ball, which has the most cases."""
IN_ALL_CASES = {
    ("muon", "match_rms_adamw"),
    ("entropy-sgd", "code"),
    ("rmsprop", "tensorflow"),
    ("nadam", "optax"),
    ("nadam", "keras"),
}
TELLING = ("short-", "momentum-", "wide-", "warm-")
"""The cases in which the other dialects are asked."""


def run_vectors(optimizers: Sequence[str] = OPTIMIZERS) -> Iterator[Draft]:
    """Those of some optimizers, each with the loss of its case."""
    for optimizer in optimizers:
        for case in all_cases(optimizer):
            if not case.id.startswith("drawn-"):
                loss = held(case.loss)
                yield from ((_vector(*asked, case, loss), loss) for asked in _asked(case))


def _asked(case: Case) -> Iterator[tuple[str, str, Format]]:
    """Kinds, dialects and formats."""
    kinds = [kind for kind in ANSWERED if kind == "run" or case.optimizer not in UNORDERED]
    first, *others = FORMULAS[case.optimizer]
    dtypes = ("float32", "float64") + ("bfloat16", "float16") * case.id.startswith("half-")
    yield from ((kind, first, format_of(dtype)) for dtype in dtypes for kind in kinds)
    for dialect in others:
        if case.id in IN_ALL_DIALECTS if case.optimizer == ROLLING_BALL else (case.optimizer, dialect) in IN_ALL_CASES:
            yield from ((kind, dialect, format_of("float64")) for kind in kinds)
        elif case.optimizer != ROLLING_BALL and case.id.startswith(TELLING):
            yield "run", dialect, format_of("float64")


def _vector(kind: str, dialect: str, target: Format, case: Case, loss: Loss) -> Record:
    start = rounded(case.theta, target)
    draws = {} if case.draws is None else {"draws": rounded(case.draws, target)}

    def begin(arithmetic: Any) -> Any:
        formula = formula_of(case.optimizer, dialect)()
        return steps_of(formula, arithmetic, loss, cycle(case.hypers), draws.get("draws"))

    head = head_record(case, kind, dialect, target) | {"hyper": [hyper_record(hyper) for hyper in case.hypers]}
    told = run_record(begin, ANSWERED[kind], loss, start, max(case.walk, 1), target)
    return head | {name: numbered(numbers[: told["iterations"]], target) for name, numbers in draws.items()} | told
