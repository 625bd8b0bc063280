"""Formulas evaluated in an arithmetic that knows the truth and what rounding does."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from functools import partial
from typing import Any

import geometry.arithmetic.number_arrays  # noqa: F401  # the functions of such numbers, as those of an array library
from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["given", "mixed", "steps_of", "watched"]


def given(arithmetic: Any, hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Hyper-parameters in an arithmetic; counts, names and switches as they are."""

    def one(value: Any) -> Any:
        if isinstance(value, float):
            return arithmetic.given(value)
        return tuple(map(one, value)) if isinstance(value, tuple) else value

    return {name: one(value) for name, value in hyper.items()}


def steps_of(
    formula: Formula, arithmetic: Any, loss: Any, hypers: Iterable[Mapping[str, Any]], draws: Any = None
) -> Generator[Any, Any, None]:
    """The steps of a formula: it is sent where a port really stood, and yields where the next step leads from there.

    So every step is judged by itself, whatever the earlier ones did. What is remembered between steps follows from the
    places where the port was.
    """
    theta = yield
    for t, hyper in enumerate(hypers):
        draw = None if draws is None else arithmetic.exact(draws[t])
        theta = yield formula.advance(partial(arithmetic.evaluate, loss), theta, given(arithmetic, hyper), draw)


def mixed(formula: Formula, arithmetic: Any, inner: Any) -> Formula:
    """A formula of which the line meant for it is computed in another format, if there is one."""
    if inner is not None and formula.inner_line:
        line = getattr(formula, formula.inner_line)

        def within(array: Array) -> Array:
            with arithmetic.within(inner):
                return line(array)

        setattr(formula, formula.inner_line, within)
    return formula


def watched(formula: Formula) -> list[Any]:
    """A list that receives θ^(0), θ^(1), ... of the inner loop of a formula, if it has one, whenever it runs."""
    iterates: list[Any] = []
    if formula.loop is not None:
        run, iteration = (getattr(formula, line) for line in formula.loop[2:])

        def begun(theta: Array) -> Array:
            iterates.append(theta)
            return run(theta)

        def iterated(*known: Any) -> Array:
            iterates.append(iteration(*known))
            return iterates[-1]

        setattr(formula, formula.loop.run, begun)
        setattr(formula, formula.loop.iteration, iterated)
    return iterates
