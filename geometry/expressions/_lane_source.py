"""Source text of recorded functions for many θ at once: what is done to one is done to all lanes of a vector.

The text is numba's. Between loops over the terms of sums stand loops over the lanes, free of branches, which compilers
turn into vector instructions; exp, sin and cos are those of `geometry._kernels.elementary`, which they may inline. A
number that is needed beyond its loop over the lanes is kept in a row of the workspace `w`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from geometry.expressions._nodes import Node
from geometry.expressions._operations import TABLE
from geometry.expressions._scalars import Scalar, Scalars
from geometry.expressions._source import LANGUAGES, Writer

__all__ = ["LANES", "written_for_lanes"]

LANES = 16
INLINED = ("exp", "sin", "cos")
PERIODIC = ("sin", "cos")
"""Where their arguments are `is_far`, the function of one θ is called, for these lanes alone."""

TEXT = """\
def {name}(x, values, g, h):
    w = np.empty({size})
    for first in range(0, len(values), {lanes}):
        count = min({lanes}, len(values) - first)
        for j in range({lanes}):
            for k in range({d}):
                w[{lanes} * k + j] = x[first + min(j, count - 1), k]
{body}
        for j in range(count):
{stores}
"""
BESIDE = """\
        for j in range(count):
            if w[{lanes} * {flag} + j] != 0.0:
                values[first + j] = {one}(x[first + j], g[first + j], h[first + j])
"""


def written_for_lanes(name: str, one: str, d: int, value: Node, *derivatives: Node) -> str:
    """The text of a function `name` of many θ (n, d), which fills f (n,), ∇f (n, d) and ∇²f, row by row, (n, d²).

    `one` is the name of the function of a single θ: see `geometry.expressions._source.written`.
    """
    scalars = Scalars()
    (height,) = scalars.of(value)
    slots = [("values[first + j]", height)]
    for array, node in zip("gh", derivatives, strict=False):
        slots += [(f"{array}[first + j, {place}]", scalar) for place, scalar in enumerate(scalars.of(node))]
    writer = _LaneWriter(name, d)
    writer.write([scalar for _, scalar in slots], 2)
    stores = [f"            {place} = {writer.kept(scalar)}" for place, scalar in slots]
    body = "\n".join(writer.rendered())
    settings = {"name": name, "one": one, "d": d, "lanes": LANES, "size": LANES * writer.rows, "flag": writer.flag}
    text = TEXT.format(**settings, body=body, stores="\n".join(stores))
    tables = "".join(LANGUAGES["numba"].table(key, table) + "\n" for key, table in writer.tables.items())
    return tables + text + (BESIDE.format(**settings) if writer.periodic else "")


class _Block:
    """A loop over the lanes."""

    def __init__(self, indent: int) -> None:
        self.indent = indent
        self.lines: list[str] = []
        self.known: set[int] = set()

    def rendered(self) -> Iterable[str]:
        yield "    " * self.indent + f"for j in range({LANES}):"
        for line in self.lines:
            yield "    " * (self.indent + 1) + line


class _LaneWriter(Writer):
    """Writes scalars as statements in loops over the lanes; what is the same for all lanes stands before them."""

    def __init__(self, name: str, d: int) -> None:
        super().__init__(LANGUAGES["numba"], name)
        self.flag, self.rows, self.periodic = d, d + 1, False
        self._parts: list[str | _Block] = []
        self._open: _Block | None = None
        self._home: dict[int, _Block] = {}
        self._row: dict[int, int] = {}
        self._uniform: dict[int, bool] = {}
        self._block(2).lines.append(f"w[{LANES * d} + j] = 0.0")

    def rendered(self) -> Iterable[str]:
        for part in self._parts:
            yield from [part] if isinstance(part, str) else part.rendered()

    def kept(self, scalar: Scalar) -> str:
        """Where a number is after all loops."""
        if scalar.operation == "number" or self._is_uniform(scalar):
            return super().name(scalar)
        return self._place(scalar)

    def name(self, scalar: Scalar) -> str:
        if scalar.operation == "number" or self._is_uniform(scalar):
            return super().name(scalar)
        block, name = self._open, self._names[id(scalar)]
        assert block is not None
        if id(scalar) not in block.known:
            block.lines.append(f"{name} = {self._place(scalar)}" + " != 0.0" * scalar.boolean)
            block.known.add(id(scalar))
        return name

    def _block(self, indent: int) -> _Block:
        if self._open is None or self._open.indent != indent:
            self._open = _Block(indent)
            self._parts.append(self._open)
        return self._open

    def _place(self, scalar: Scalar) -> str:
        """The place of a number in the workspace, where its own loop leaves it."""
        if id(scalar) not in self._row:
            self._row[id(scalar)], self.rows = self.rows, self.rows + 1
            if (home := self._home.get(id(scalar))) is not None:
                name = self._names[id(scalar)]
                value = f"(1.0 if {name} else 0.0)" if scalar.boolean else name
                home.lines.append(f"w[{LANES * self._row[id(scalar)]} + j] = {value}")
        return f"w[{LANES * self._row[id(scalar)]} + j]"

    def _is_uniform(self, scalar: Scalar) -> bool:
        """Whether a number is the same for all θ."""
        if id(scalar) not in self._uniform:
            inside = scalar.operation not in ("parameter", "sum", "largest")
            self._uniform[id(scalar)] = inside and all(map(self._is_uniform, scalar.arguments))
        return self._uniform[id(scalar)]

    def _let(self, scalar: Scalar, indent: int) -> None:
        if self._is_uniform(scalar):
            before = len(self._parts) - (self._open is not None)
            super()._let(scalar, indent)
            self._parts.insert(before, self.lines.pop())
            return
        block = self._block(indent)
        if scalar.operation == "parameter":
            text = self._parameter(scalar)
        else:
            names = [self.name(argument) for argument in scalar.arguments]
            text = self._text(scalar.operation).format(*names)
            if scalar.operation in PERIODIC:
                self.periodic = True
                flag = f"w[{LANES * self.flag} + j]"
                block.lines.append(f"{flag} = {flag} + is_far({names[0]})")
        name = self._names[id(scalar)] = self._new_name()
        block.lines.append(f"{name} = {text}")
        block.known.add(id(scalar))
        self._home[id(scalar)] = block

    def _text(self, operation: str) -> str:
        return f"{operation}({{0}})" if operation in INLINED else self.language.text(TABLE[operation])

    def _parameter(self, scalar: Scalar) -> str:
        index = self._indexed(scalar)[2:-1]
        return f"w[{LANES} * {index} + j]"

    def _loop(self, group: list[Scalar], indent: int, inside: frozenset[int]) -> None:
        depth, length = group[0].data
        for scalar in group:
            self._names[id(scalar)] = self._new_name()
            start = self.language.number(0.0 if scalar.operation == "sum" else -math.inf)
            self._block(indent).lines.append(f"{self._place(scalar)} = {start}")
        self._parts.append("    " * indent + self.language.loop.format(var=f"i{depth}", length=length))
        self._open, outside = None, set(self._names)
        self.write([scalar.arguments[0] for scalar in group], indent + 1, inside | {depth})
        block = self._block(indent + 1)
        for scalar in group:
            place, body = self._place(scalar), self.name(scalar.arguments[0])
            text = f"{place} + {body}" if scalar.operation == "sum" else self._text("maximum").format(place, body)
            block.lines.append(f"{place} = {text}")
        self._open = None
        for known in self._names.keys() - outside:  # it is known inside of the loop alone
            del self._names[known]
            self._row.pop(known, None)
