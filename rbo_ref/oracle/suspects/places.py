"""Places in the lines of a port, and what may stand there instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from rbo_ref.oracle.suspects.survey import Shape, Survey
from rbo_ref.oracle.suspects.text import Edit, Path, Text

__all__ = ["THRESHOLDS", "Constant", "Found", "Place", "edited", "quantities"]

THRESHOLDS = tuple(10.0**k for k in (-6, -5, -4, -3, -2, -1, 0, 1, 2, 3))
DECIDING = ("best_iterate", "unless_farther")
HEARING = ("best_iterate", "heard_before", "mean_iterate")
MEMORIES = ("late", "kept_first", "kept", "mean_so_far", "gathered", "averaged", "gathered_ahead")


class Place(NamedTuple):
    """An expression in a line."""

    method: str
    path: Path
    node: ast.expr
    shape: Shape
    is_count: bool

    @property
    def text(self) -> str:
        return ast.unparse(self.node)


Found = tuple[int, str, Any]  # rank, kind, what stands there instead: source, a node, or either with a constant


class Constant(NamedTuple):
    """Source with a free constant, written as CONSTANT."""

    source: str
    start: float
    grid: tuple[float, ...] = ()


def edited(text: Text, place: Place, rank: int, kind: str, instead: Any) -> Edit:
    """An edit: source, where NODE stands for what was there, or a function of the node."""
    source = instead.source if isinstance(instead, Constant) else instead if isinstance(instead, str) else ""
    hears, remembers = any(f"{tool}(" in source for tool in HEARING), any(f"{tool}(" in source for tool in MEMORIES)
    if isinstance(instead, Constant):
        build = partial(_with_constant, source)
        start, grid = instead.start, instead.grid
        return Edit(text, place.method, place.path, build, kind, rank + 40, start, grid, remembers=remembers)
    build = partial(_built, instead)
    decides = any(f"{tool}(" in source for tool in DECIDING)
    return Edit(text, place.method, place.path, build, kind, rank, hears=hears, remembers=remembers, decides=decides)


def _built(instead: Any, node: ast.expr, name: str) -> ast.expr:
    """NODE in source stands for what was there, edited or not; a number is one of the arithmetic."""
    new = _filled(instead, node) if isinstance(instead, str) else instead(node)
    return _filled(f"{new.value!r} + 0 * (NODE)", node) if isinstance(new, ast.Constant) else new


def _with_constant(source: str, node: ast.expr, name: str) -> ast.expr:
    return _filled(source.replace("CONSTANT", f"self.{name}"), node)


def _filled(source: str, node: ast.expr) -> ast.expr:
    class Filler(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.AST:
            return node if name.id == "NODE" else name

    return Filler().visit(ast.parse(source, mode="eval").body)


def quantities(place: Place, survey: Survey, shape: Shape) -> Iterator[str]:
    """Quantities of a shape that may stand in a place."""
    pool = survey.pool.everywhere | survey.pool.locally[place.method]
    own = place.text
    for name, other in pool.items():
        if other == shape and name != own:
            yield name
        if len(other) == 1 and (other[0] - 1,) == survey.theta:
            if shape == survey.theta and f"{name}[:-1]" != own:
                yield f"{name}[:-1]"
            if shape == () and f"{name}[-1]" != own:
                yield f"{name}[-1]"
    if shape == survey.theta and "self.theta" in pool and "self.eta" in pool:
        yield "self.theta - self.eta * self.g"
