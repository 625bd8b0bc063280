"""Source text of recorded functions: one function that gives f, ∇f and ∇²f at one θ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from geometry.expressions._nodes import Node
from geometry.expressions._operations import TABLE, Operation
from geometry.expressions._scalars import Scalar, Scalars

__all__ = ["LANGUAGES", "Writer", "written"]


class Language(NamedTuple):
    """How a language writes what a program is made of."""

    text: Callable[[Operation], str]
    number: Callable[[float], str]
    let: str
    start: str  # of an accumulator
    set: str
    truth: tuple[str, str]  # false, true
    loop: str
    end: str
    store: str
    table: Callable[[str, Any], str]
    head: str
    tail: str
    prelude: str = ""


def _literal(infinity: str, nan: str) -> Callable[[float], str]:
    def write(value: float) -> str:
        if math.isnan(value):
            return nan
        text = repr(float(value)) if math.isfinite(value) else infinity if value > 0 else f"-{infinity}"
        return f"({text})" if text.startswith("-") else text

    return write


def _listed(number: Callable[[float], str], head: str, tail: str) -> Callable[[str, Any], str]:
    def write(name: str, table: Any) -> str:
        flat = table.reshape(-1).tolist()
        entries = ", ".join(str(int(x)) if table.dtype.kind in "bi" else number(x) for x in flat)
        kind = "double" if table.dtype.kind == "f" else "int"
        return head.format(name=name, kind=kind, size=len(flat), dtype=table.dtype) + entries + tail

    return write


MODULO = """\
#ifndef FLOORED_MOD
#define FLOORED_MOD
{specifiers} double floored_mod(double x, double y)
{{
    const double r = fmod(x, y);
    return r != 0.0 && (r < 0.0) != (y < 0.0) ? r + y : r;
}}
#endif
"""
"""The texts of several functions may stand in one file."""
_C = Language(
    text=lambda operation: operation.texts.c,
    number=_literal("INFINITY", "NAN"),
    let="const {kind} {name} = {text};",
    start="double {name} = {text};",
    set="{name} = {text};",
    truth=("0", "1"),
    loop="for (int {var} = 0; {var} < {length}; ++{var}) {{",
    end="}",
    store="{array}[{place}] = {name};",
    table=_listed(_literal("INFINITY", "NAN"), "static const {kind} {name}[{size}] = {{", "};"),
    head="double {name}(const double *x, double *g, double *h)\n{{",
    tail="    return {value};\n}}",
    prelude="#include <math.h>\n\n" + MODULO.format(specifiers="static"),
)
_ON_DEVICE = _literal("(1.0 / 0.0)", "(0.0 / 0.0)")  # the run-time compiler has neither math.h nor its names
LANGUAGES: dict[str, Language] = {
    "c": _C,
    "cuda": _C._replace(
        number=_ON_DEVICE,
        head="__device__ double {name}(const double *x, double *g, double *h)\n{{",
        table=_listed(_ON_DEVICE, "__device__ const {kind} {name}[{size}] = {{", "};"),
        prelude=MODULO.format(specifiers="inline __device__"),
    ),
    "javascript": Language(
        text=lambda operation: operation.texts.javascript,
        number=_literal("Infinity", "NaN"),
        let="const {name} = {text};",
        start="let {name} = {text};",
        set="{name} = {text};",
        truth=("false", "true"),
        loop="for (let {var} = 0; {var} < {length}; ++{var}) {{",
        end="}",
        store="{array}[{place}] = {name};",
        table=_listed(_literal("Infinity", "NaN"), "const {name} = [", "];"),
        head="function {name}(x, g, h) {{",
        tail="    return {value};\n}}",
        prelude="function rint(x) {\n    const down = Math.floor(x), rest = x - down;\n"
        "    return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;\n}\n"
        "function floored_mod(x, y) {\n    const r = x % y;\n"
        "    return r !== 0 && (r < 0) !== (y < 0) ? r + y : r;\n}\n",
    ),
    "numba": Language(
        text=lambda operation: operation.texts.python,
        number=_literal("np.inf", "np.nan"),
        let="{name} = {text}",
        start="{name} = {text}",
        set="{name} = {text}",
        truth=("False", "True"),
        loop="for {var} in range({length}):",
        end="",
        store="{array}[{place}] = {name}",
        table=_listed(_literal("np.inf", "np.nan"), "{name} = np.array([", "])"),
        head="def {name}(x, g, h):",
        tail="    return {value}",
        prelude="import numpy as np\n",
    ),
}


def written(language: Language, name: str, value: Node, gradient: Node | None, hessian: Node | None) -> str:
    """The text of a function `name` of x, which returns f and stores ∇f in g and ∇²f, row by row, in h."""
    scalars = Scalars(folded=True)
    (height,) = scalars.of(value, faithful=True)
    stores = [
        (array, place, scalar)
        for array, node in (("g", gradient), ("h", hessian))
        if node is not None
        for place, scalar in enumerate(scalars.of(node))
    ]
    writer = Writer(language, name)
    writer.write([height, *(scalar for _, _, scalar in stores)], 1)
    for array, place, scalar in stores:
        writer.line(language.store.format(array=array, place=place, name=writer.name(scalar)), 1)
    tables = "".join(language.table(key, table) + "\n" for key, table in writer.tables.items())
    head, tail = language.head.format(name=name), language.tail.format(value=writer.name(height))
    parts = [language.prelude, tables, head, *writer.lines, tail]
    return "\n".join(part for part in parts if part) + "\n"


class Writer:
    """Writes scalars as statements, each once, loops of one length and level as one."""

    def __init__(self, language: Language, name: str) -> None:
        self.language, self._name = language, name
        self.lines: list[str] = []
        self.tables: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._keys: dict[tuple[Any, ...], str] = {}
        self._count = 0

    def line(self, text: str, indent: int) -> None:
        if text:
            self.lines.append("    " * indent + text)

    def name(self, scalar: Scalar) -> str:
        """What to write for a scalar that is at hand."""
        if scalar.operation == "number":
            return self._constant(scalar)
        return self._names[id(scalar)]

    def _new_name(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def _constant(self, scalar: Scalar) -> str:
        if isinstance(scalar.data, bool):
            return self.language.truth[scalar.data]
        return self.language.number(scalar.data)

    def write(self, roots: Sequence[Scalar], indent: int, inside: frozenset[int] = frozenset()) -> None:
        """Statements for all that `roots` need and that is not at hand, inside the loops `inside`."""
        needed = list(self._needed(roots, inside))
        loops = [scalar for scalar in needed if scalar.operation in ("sum", "largest")]
        plain = [scalar for scalar in needed if scalar.operation not in ("sum", "largest")]
        for level in range(1 + max((scalar.level for scalar in needed), default=0)):
            for group in _grouped(loop for loop in loops if loop.level == level):
                self._loop(group, indent, inside)
            for scalar in plain:
                if scalar.level == level:
                    self._let(scalar, indent)

    def _needed(self, roots: Iterable[Scalar], inside: frozenset[int]) -> Iterable[Scalar]:
        """Scalars under the roots in order, without the insides of loops but with what these take from outside."""
        seen: set[int] = set()
        stack = [(root, False) for root in reversed(list(roots))]
        while stack:
            scalar, ready = stack.pop()
            if ready:
                yield scalar
            elif id(scalar) not in seen and id(scalar) not in self._names and scalar.operation != "number":
                seen.add(id(scalar))
                if scalar.loops <= inside:
                    stack.append((scalar, True))
                stack.extend((argument, False) for argument in scalar.arguments)

    def _let(self, scalar: Scalar, indent: int) -> None:
        if scalar.operation in ("parameter", "load"):
            text = self._indexed(scalar)
        else:
            names = [self.name(argument) for argument in scalar.arguments]
            text = self.language.text(TABLE[scalar.operation]).format(*names)
        kind = "int" if scalar.boolean else "double"
        name = self._names[id(scalar)] = self._new_name()
        self.line(self.language.let.format(kind=kind, name=name, text=text), indent)

    def _indexed(self, scalar: Scalar) -> str:
        if scalar.operation == "parameter" and not scalar.loops:
            return f"x[{scalar.data}]"
        place, stride = [], 1
        for axis in reversed(range(scalar.data.ndim)):
            if axis in scalar.loops:
                place.append(f"i{axis}" if stride == 1 else f"{stride} * i{axis}")
                stride *= scalar.data.shape[axis]
        entry = f"{self._table(scalar.data)}[{' + '.join(reversed(place))}]"
        return f"x[{entry}]" if scalar.operation == "parameter" else entry

    def _table(self, table: Any) -> str:
        key = table.dtype.str, table.tobytes()
        if key not in self._keys:
            self._keys[key] = f"{self._name}_{len(self._keys)}"
            self.tables[self._keys[key]] = table
        return self._keys[key]

    def _loop(self, group: list[Scalar], indent: int, inside: frozenset[int]) -> None:
        """Loops of one length side by side, as one."""
        depth, length = group[0].data
        for scalar in group:
            name = self._names[id(scalar)] = self._new_name()
            start = self.language.number(0.0 if scalar.operation == "sum" else -math.inf)
            self.line(self.language.start.format(name=name, text=start), indent)
        self.line(self.language.loop.format(var=f"i{depth}", length=length), indent)
        outside = set(self._names)
        self.write([scalar.arguments[0] for scalar in group], indent + 1, inside | {depth})
        for scalar in group:
            name, body = self._names[id(scalar)], self.name(scalar.arguments[0])
            if scalar.operation == "sum":
                text = f"{name} + {body}"
            else:
                text = self.language.text(TABLE["maximum"]).format(name, body)
            self.line(self.language.set.format(name=name, text=text), indent + 1)
        self.line(self.language.end, indent)
        for known in self._names.keys() - outside:
            del self._names[known]  # it is known inside of the loop alone


def _grouped(loops: Iterable[Scalar]) -> Iterable[list[Scalar]]:
    groups: dict[tuple[int, int], list[Scalar]] = {}
    for loop in loops:
        groups.setdefault(loop.data, []).append(loop)
    return groups.values()
