"""The currency of the comparison: one evaluation of the loss and its gradient on one mini-batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry import FunctionGraph
from geometry._namespace import Array, array_namespace

__all__ = ["BudgetSpent", "Meter"]


class BudgetSpent(Exception):
    """The next evaluation would exceed the budget; the step that asks for it is void."""


class Meter:
    """Counts the evaluations of one loss after another, and stops before the budget is exceeded.

    An evaluation at the very point, on the very batch, of the one before is answered from memory and costs nothing: the
    inner loops of RBO start at the contact, whose height and gradient the step knows already.

    Parameters
    ----------
    budget : int
        Largest number of evaluations.
    spent : int
        How many have been made.

    Examples
    --------
    >>> import numpy as np
    >>> meter = Meter(budget=2)
    >>> loss = meter.counted(lambda theta: (theta @ theta, 2 * theta))
    >>> for x in (1.0, 1.0, 2.0):
    ...     value = loss.value(np.array([x]))
    >>> meter.spent
    2
    """

    def __init__(self, budget: int, spent: int = 0) -> None:
        self.budget, self.spent = budget, spent

    def counted(self, function: Callable[[Array], tuple[Array, Array]]) -> FunctionGraph:
        """A function θ ↦ (value, gradient) as the loss of one step."""
        last: list[Any] = []

        def evaluate(theta: Array) -> tuple[Array, Array]:
            xp = array_namespace(theta)
            if not last or not bool(xp.all(last[0] == theta)):
                if self.spent >= self.budget:
                    raise BudgetSpent
                self.spent += 1
                last[:] = theta, function(theta)
            return last[1]

        return FunctionGraph.from_value_and_gradient(evaluate, name="loss")
