"""What the numbers in the lines of a right port are: their shapes, seen in a run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import partial
from types import MethodType
from typing import Any, NamedTuple

import numpy

from rbo_ref.oracle.suspects.courses import floating, served
from rbo_ref.oracle.suspects.played import Played
from rbo_ref.oracle.suspects.text import Path, Text, at, expressions, replaced

__all__ = ["Pool", "Survey", "surveyed"]

Shape = tuple[int, ...]


class Pool(NamedTuple):
    """Quantities that a line may use, as they are written."""

    everywhere: dict[str, Shape]
    locally: dict[str, dict[str, Shape]]  # by method


class Survey(NamedTuple):
    """Of the expressions by method and path: their shapes, and whether they are counts."""

    shapes: dict[tuple[str, Path], Shape]
    counts: set[tuple[str, Path]]
    theta: Shape
    hyper: Mapping[str, Any]
    pool: Pool

    @property
    def ambient(self) -> Shape | None:
        """The shape of a point of the ambient space."""
        return (self.theta[0] + 1,) if len(self.theta) == 1 else None


def surveyed(text: Text, run: Played) -> Survey:
    """What is seen in a run of the right port."""
    shapes: dict[tuple[str, Path], Shape] = {}
    counts: set[tuple[str, Path]] = set()
    made: list[Any] = []

    def seen(key: tuple[str, Path], value: Any) -> Any:
        if isinstance(value, bool) or not (hasattr(value, "shape") or isinstance(value, int | float)):
            return value
        shapes[key] = tuple(getattr(value, "shape", ()))
        if isinstance(value, int):
            counts.add(key)
        return value

    def watched() -> Any:
        port = text.cls()
        made.append(port)
        for name in text.methods:
            setattr(port, name, MethodType(_watched(text, name, seen), port))
        return port

    with numpy.errstate(all="ignore"):
        list(floating(watched, run, served(run.loss)))
    return Survey(shapes, counts, run.steps[0].theta.shape, run.steps[0].hyper, _pool(text, made[-1], shapes))


def _watched(text: Text, name: str, seen: Callable[..., Any]) -> Callable[..., Any]:
    """A method that shows what its expressions are."""
    line = text.methods[name]
    keys = [(name, path) for path, _ in [*expressions(line)][::-1]]  # the smaller ones first
    for number, (_, path) in enumerate(keys):
        line = replaced(line, path, partial(_shown, number))
    return text.compiled(name, line, _seen=lambda number, value: seen(keys[number], value))


def _shown(number: int, node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("_seen", ast.Load()), [ast.Constant(number), node], [])


def _pool(text: Text, port: Any, shapes: dict[tuple[str, Path], Shape]) -> Pool:
    """Attributes and hyper-parameters of the port, and the local names of each line."""
    everywhere = {}
    for name, value in vars(port).items():
        if isinstance(value, numpy.ndarray | float):
            everywhere[f"self.{name}"] = tuple(getattr(value, "shape", ()))
    for name, value in vars(getattr(port, "h", object())).items() if hasattr(port, "h") else ():
        several = value if isinstance(value, tuple) else ()
        everywhere |= {f"self.h.{name}[{i}]": () for i in range(len(several))}
        if isinstance(value, float):
            everywhere[f"self.h.{name}"] = ()
    locally: dict[str, dict[str, Shape]] = {name: {} for name in text.methods}
    for (method, path), shape in shapes.items():
        node = at(text.methods[method], path)
        if isinstance(node, ast.Name):
            locally[method][node.id] = shape
    return Pool(everywhere, locally)
