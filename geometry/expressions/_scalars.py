"""A recorded function number by number: what compiled code does for one θ.

Every entry of every array becomes a `Scalar`; short axes are written out, a sum over a long one is a loop. An index
that runs with loops is a NumPy array over their grid, axis k for the k-th loop from outside: looking it up in the
indices of a `take` gives the next one. Scalars that do the same are one object, so that whatever value, gradient and
Hessian share is computed once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.expressions._nodes import Node, ordered
from geometry.expressions._operations import TABLE, evaluated

__all__ = ["UNROLLED", "Scalar", "Scalars", "TooLong"]

UNROLLED = 8
"""Longer axes are loops."""
POWER = 16
"""Whole powers up to this one are products."""

PARTIAL = {
    "divide",
    "remainder",
    "pow",
    "sqrt",
    "log",
    "log1p",
    "log2",
    "log10",
    "tan",
    "asin",
    "acos",
    "acosh",
    "atanh",
}
"""Operations that are not defined everywhere."""

Index = tuple[NDArray[Any], ...]  # one array over the grid of the loops for each axis of a node


@dataclass(frozen=True, eq=False, slots=True)
class Scalar:
    """One number: an operation on others.

    Besides the operations of the table there are "number" (data: the number), "parameter" (data: which; or a table of
    which), "load" (data: a table over the grid) and "sum" and "largest" (data: loop and length; argument: the body).
    """

    operation: str
    arguments: tuple[Scalar, ...]
    data: Any
    loops: frozenset[int]  # those that it changes with
    level: int  # how many loops come before it, one after the other
    boolean: bool
    partial: bool  # whether there may be θ for which it is undefined


class TooLong(Exception):
    """There are more scalars than allowed."""


class Scalars:
    """Numbers of nodes, each made once.

    Parameters
    ----------
    limit : int, optional
        Of the number of scalars.
    folded : bool
        Whether operations on numbers and tables are done at once, as NumPy rounds them.
    exact : bool
        Whether whole powers stay powers, where small ones are products else; and whether all are faithful (see `of`).
    """

    def __init__(self, *, limit: int | None = None, folded: bool = False, exact: bool = False) -> None:
        self.limit, self.folded, self.exact = limit, folded, exact
        self._faithful = exact
        self._made: dict[Any, Scalar] = {}
        self._seen: dict[Any, Scalar] = {}

    def of(self, node: Node, *, faithful: bool = False) -> list[Scalar]:
        """All entries of a node, in the order of the flattened array.

        To be `faithful` is to be undefined where the operations are, also where the result is multiplied by nothing.
        """
        self._faithful = faithful or self.exact
        for part in ordered([node]):  # from below, so that a long chain of operations is no deep recursion
            if part.size <= UNROLLED:
                self._entries(part)
        return self._entries(node)

    def _entries(self, node: Node) -> list[Scalar]:
        return [self.at(node, tuple(map(numpy.asarray, index))) for index in numpy.ndindex(node.shape)]

    def at(self, node: Node, index: Index, depth: int = 0) -> Scalar:
        """The entry of a node at an index, inside `depth` loops."""
        key = node, depth, tuple((i.shape, i.tobytes()) for i in index)
        if key not in self._seen:
            self._seen[key] = self._entry(node, index, depth)
        return self._seen[key]

    def _entry(self, node: Node, index: Index, depth: int) -> Scalar:
        match node.operation:
            case "theta":
                return self._lookup("parameter", index[0], numpy.arange(node.size))
            case "constant":
                return self._lookup("load", _flat(index, node.shape), node.data.reshape(-1))
            case "take":
                return self._moved(node.arguments[0], node.data.reshape(-1)[_flat(index, node.shape)], depth)
            case "join":
                return self._part(node, index[0], depth)
            case "sum" | "largest":
                return self._reduced(node, lambda k, d: self.at(node.arguments[0], (*index, k), d), depth)
            case "matmul":
                *stack, i, j = index
                left, right = node.arguments

                def product(k: NDArray[Any], d: int) -> Scalar:
                    return self.apply("multiply", self.at(left, (*stack, i, k), d), self.at(right, (*stack, k, j), d))

                return self._reduced(node, product, depth)
        return self.apply(node.operation, *(self.at(argument, index, depth) for argument in node.arguments))

    def number(self, value: float | bool) -> Scalar:
        return self._make("number", (), value, boolean=isinstance(value, bool | numpy.bool_))

    def apply(self, name: str, *arguments: Scalar) -> Scalar:
        """An operation of the table; what zeros and ones make of sums and products is not written."""
        if (simpler := self._simpler(name, arguments)) is not None:
            return simpler
        if self.folded and all(a.operation in ("number", "load") for a in arguments):
            tables = [numpy.asarray(a.data) for a in arguments]
            rank = max(table.ndim for table in tables)
            return self.table(evaluated(name, *(t.reshape(t.shape + (1,) * (rank - t.ndim)) for t in tables)))
        return self._make(name, arguments, None, boolean=TABLE[name].boolean)

    def _make(
        self, operation: str, arguments: tuple[Scalar, ...], data: Any, *, key: Any = None, **known: Any
    ) -> Scalar:
        key = operation, tuple(map(id, arguments)), repr(data) if key is None else key
        if key not in self._made:
            if self.limit is not None and len(self._made) >= self.limit:
                raise TooLong
            loops = known.get("loops", frozenset().union(*(a.loops for a in arguments)))
            level = known.get("level", max((a.level for a in arguments), default=0))
            partial = operation in PARTIAL or any(a.partial for a in arguments)
            self._made[key] = Scalar(operation, arguments, data, loops, level, known.get("boolean", False), partial)
        return self._made[key]

    def _simpler(self, name: str, arguments: tuple[Scalar, ...]) -> Scalar | None:
        values = [a.data if a.operation == "number" else None for a in arguments]
        match name, arguments, values:
            case "add", (x, y), (a, b):
                return y if a == 0 else x if b == 0 else None
            case "subtract", (x, y), (a, b):
                return x if b == 0 else self.apply("negative", y) if a == 0 else None
            case "multiply", (x, y), (a, b) if 0 not in (a, b):
                return y if a == 1 else x if b == 1 else None
            case "multiply", (x, y), _:
                return None if self._faithful and (x.partial or y.partial) else self.number(0.0)
            case "divide", (x, _), (a, b):
                return x if (a == 0 and not self._faithful) or b == 1 else None
            case "negative", (x,), (a,):
                return self.number(-a) if a is not None else x.arguments[0] if x.operation == "negative" else None
            case "where", (_, x, y), (c, *_):
                return x if c is True or x is y else y if c is False else None
            case "pow", (x, _), (_, p) if not self.exact and p is not None and p == int(p) and abs(p) <= POWER:
                return self._power(x, int(p))
        return None

    def _power(self, x: Scalar, p: int) -> Scalar:
        if p < 0:
            return self.apply("divide", self.number(1.0), self._power(x, -p))
        if p < 2:
            return x if p else self.number(1.0)
        root = self._power(x, p // 2)
        return self.apply("multiply", x, self.apply("square", root)) if p % 2 else self.apply("square", root)

    def _lookup(self, operation: str, places: NDArray[Any], entries: NDArray[Any]) -> Scalar:
        """An entry of θ or of a table: a fixed one, or one that runs with the loops."""
        return self.table(entries[places], operation)

    def table(self, values: NDArray[Any], operation: str = "load") -> Scalar:
        """Numbers over the grid of the loops, or entries of θ; a number where they do not differ."""
        values = values[tuple(slice(None) if _varies(values, k) else slice(1) for k in range(values.ndim))]
        if values.size == 1:
            only = values.reshape(-1)[0].item()
            return self._make(operation, (), only) if operation == "parameter" else self.number(only)
        loops = frozenset(k for k, n in enumerate(values.shape) if n > 1)
        key = values.shape, values.tobytes()
        return self._make(operation, (), values, key=key, loops=loops, level=0, boolean=values.dtype == bool)

    def _moved(self, node: Node, places: NDArray[Any], depth: int) -> Scalar:
        """An entry of a flattened node by its place; place −1 is 0."""
        entry = self.at(node, _unflat(numpy.maximum(places, 0), node.shape), depth)
        if not numpy.any(places < 0):
            return entry
        there = self._lookup("load", numpy.asarray(places >= 0).astype(int), numpy.asarray([False, True]))
        return self.apply("where", there, entry, self.number(False if node.boolean else 0.0))

    def _part(self, node: Node, places: NDArray[Any], depth: int) -> Scalar:
        """An entry of joined nodes; where the loops run over several, a choice between them."""
        result, start = None, 0
        for argument in node.arguments:
            inside = (places >= start) & (places < start + argument.size)
            if numpy.any(inside):
                local = numpy.where(inside, places - start, 0)
                entry = self.at(argument, _unflat(local, argument.shape), depth)
                mask = self._lookup("load", inside.astype(int), numpy.asarray([False, True]))
                result = entry if result is None else self.apply("where", mask, entry, result)
            start += argument.size
        assert result is not None
        return result

    def _reduced(self, node: Node, entry: Any, depth: int) -> Scalar:
        length, name = node.arguments[0].shape[-1], "maximum" if node.operation == "largest" else "add"
        if length <= UNROLLED:
            result = entry(numpy.asarray(0), depth)
            for k in range(1, length):
                result = self.apply(name, result, entry(numpy.asarray(k), depth))
            return result
        running = numpy.arange(length).reshape((1,) * depth + (length,))
        body = entry(running, depth + 1)
        kind = "largest" if node.operation == "largest" else "sum"
        if body.operation == "number" and body.data == 0:
            return body
        if self.folded and body.operation == "load" and depth in body.loops:
            return self.table(body.data.max(-1) if kind == "largest" else body.data.sum(-1))
        loops, level = body.loops - {depth}, body.level + 1
        return self._make(kind, (body,), (depth, length), loops=loops, level=level)


def _varies(values: NDArray[Any], axis: int) -> bool:
    return bool(values.shape[axis] > 1 and (values != numpy.take(values, [0], axis)).any())


def _flat(index: Index, shape: tuple[int, ...]) -> NDArray[Any]:
    """The place of an index in the flattened array."""
    place = numpy.asarray(0)
    for i, n in zip(index, shape, strict=True):
        place = _padded(place, i) * n + _padded(i, place)
    return place


def _padded(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """An array over fewer loops, over as many as another: axis k is loop k, so that axes are missing behind."""
    return one.reshape(one.shape + (1,) * (other.ndim - one.ndim))


def _unflat(places: NDArray[Any], shape: tuple[int, ...]) -> Index:
    size = math.prod(shape)
    index = []
    for n in shape:
        size //= n
        index.append(places // size)
        places = places % size
    return tuple(index)
