"""What the vectors of all optimizers have in common, as JSON objects."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format
from geometry.arithmetic.rounded import Rounded
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.vectors.answering import Evaluated, Scripted
from rbo_ref.oracle.vectors.loss_records import name_of
from rbo_ref.oracle.vectors.notation import Record, enclosed, numbered, tolerated
from rbo_ref.oracle.vectors.truths import Expected, certain, followed, walked

__all__ = ["Begin", "Draft", "head_record", "hyper_record", "judged", "run_record"]

Draft = tuple[Record, Loss]
Begin = Callable[[Evaluated | Scripted], Generator[Rounded, Rounded, None]]  # the steps of a formula


def head_record(case: Case, kind: str, dialect: str, target: Format) -> Record:
    """What a vector of a case begins with."""
    return {
        "id": f"{case.optimizer}.{kind}.{case.id}.{dialect}.{target.name}",
        "optimizer": case.optimizer,
        "kind": kind,
        "dialect": dialect,
        "dtype": target.name,
    } | ({"note": case.note} if case.note else {})


def hyper_record(hyper: Mapping[str, Any]) -> Record:
    """Hyper-parameters: numbers as numbers, counts, names and switches as they are.

    Examples
    --------
    >>> hyper_record({"radius": 0.5, "steps": 3})
    {'radius': {'bits': '0x3fe0000000000000', 'decimal': '0.5'}, 'steps': 3}
    """
    return {name: numbered(value) if isinstance(value, float | tuple) else value for name, value in hyper.items()}


def judged(truths: Mapping[str, Expected], rule: str, target: Format, decidable: bool = True) -> Record:
    """What is expected, and how far from it a right port may be."""
    return {
        "decidable": decidable,
        "expected": {name: enclosed(truth.value, target) for name, truth in truths.items()},
        "tolerance": {"rule": rule} | {name: tolerated(truth.tolerance) for name, truth in truths.items()},
    }


def run_record(
    begin: Begin, arithmetic: type[Evaluated | Scripted], loss: Loss, start: NDArray[Any], length: int, target: Format
) -> Record:
    """The iterates of a run, as far as they can be judged."""

    def run(length: int) -> tuple[Evaluated | Scripted, list[Expected]]:
        fresh = arithmetic(target)
        return fresh, followed(begin(fresh), fresh.exact(start), length, target)

    used, truths = certain(lambda: run(length), of=lambda found: found[1])
    decided = walked(start, truths, target)
    if decided < length:
        used, truths = certain(lambda: run(max(decided, 1)), of=lambda found: found[1])
    iterates = Expected(*(numpy.stack(parts) for parts in zip(*truths, strict=True)))
    scripted = isinstance(used, Scripted)
    told = {"script": _script(used)} if scripted else {"loss": name_of(loss)}
    return (
        {"theta": numbered(start, target), "iterations": len(truths)}
        | told
        | judged({"iterates": iterates}, "scripted" if scripted else "evaluated", target, decided > 0)
    )


def _script(arithmetic: Scripted) -> Record:
    """Where the loss is asked for, and the answers: as many rows as questions."""
    names = ("theta", "value", "gradient")
    columns = zip(*arithmetic.script, strict=True)
    return {name: numbered(numpy.stack(rows), arithmetic.target) for name, rows in zip(names, columns, strict=True)}
