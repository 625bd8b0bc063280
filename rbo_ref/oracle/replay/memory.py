"""What a formula remembers along a recorded run, of which all places are known."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.batched import Batch
from geometry.arithmetic.rounded import Rounded
from rbo_ref.oracle.formulas import Formula
from rbo_ref.oracle.replay.maps import Beside, Hypers, Map

__all__ = ["Memory"]


class Memory:
    """A formula on its way along a run, which goes no farther in each step than it must to remember.

    Its numbers know what rounding may have done to them since the run began. They do not depend on the lines that
    come after them in a step, so that these can be evaluated in many steps at once.

    Parameters
    ----------
    rule : Map
    """

    def __init__(self, rule: Map) -> None:
        self.rule, self.batch = rule, rule.batch()
        self.formula = _brief(rule.formula)()
        self.names: list[str] = []  # of what is remembered: all that there is before the first step

    @numpy.errstate(all="ignore")
    def along(self, theta: NDArray[Any], hyper: Hypers, beside: Beside) -> Beside:
        """The next n steps, with what is remembered before each of them."""
        asked, rows = self.rule.batch(), list[dict[str, Any]]()
        answers = self.rule.loss(asked, beside.gradient)(asked.along(theta))
        known: dict[str, Any] = {}
        for i in range(len(theta)):
            if (row := hyper.one(i)) != known:
                known, given = row, hyper.take([i]).given(self.batch)
            told = tuple(_step_of(numbers, i, self.batch) for numbers in answers)
            draw = None if beside.draws is None else self.batch.along(beside.draws[i : i + 1])
            place = self.batch.along(theta[i : i + 1])
            self.formula.told(lambda _, told=told: told, place, given, draw)
            rows.append(self._before(place))
        memory = {name: _together([row[name] for row in rows], self.batch) for name in self.names}
        return beside._replace(memory=memory)

    def _before(self, place: Rounded) -> dict[str, Any]:
        """What is remembered before the next step, which is taken."""
        if self.formula.t == 0:
            told = set(vars(self.formula))
            self.formula.begin(place)
            self.names = [name for name in vars(self.formula) if name not in told]
        before = {name: getattr(self.formula, name) for name in self.names}
        self.formula.t += 1
        self.formula.awaited = frozenset(self.names)
        with suppress(_Renewed):
            self.formula.remember(place)
        self.formula.awaited = frozenset()
        return before


class _Renewed(Exception):
    """All that is remembered is known anew."""


def _brief(formula: type[Formula]) -> Any:
    """The same formula, which goes no farther once nothing is awaited that it will remember."""

    class Brief(formula):  # type: ignore[valid-type,misc]
        awaited = frozenset[str]()

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name in self.awaited:
                self.awaited -= {name}
                if not self.awaited:
                    raise _Renewed

    return Brief


def _step_of(numbers: Rounded, i: int, batch: Batch) -> Rounded:
    """The numbers of one step."""
    value, rest = (part[..., i : i + 1] if part.shape[-1] > 1 else part for part in (numbers.value, numbers.rest))
    return batch.enclosed(value, rest)


def _together(rows: list[Any], batch: Batch) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values (..., 1, n) and errors (..., 3, n) of numbers of n steps."""
    numbers = [row if isinstance(row, Rounded) else batch.exact(float(row)) for row in rows]
    values = numpy.concatenate([x.value for x in numbers], axis=-1)
    errors = [numpy.broadcast_to(x.radius, (*x.shape, 3, 1)) for x in numbers]
    return values, numpy.concatenate(errors, axis=-1)
