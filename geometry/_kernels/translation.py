"""Compiled functions in CUDA C++, so that a loop stands once, in the Python that numba compiles.

Of Python this takes what loops over numbers at addresses, and over vectors of a known length, need; everything else is
refused by its line. Functions become
templates: numbers are `double`, `int` or `bool`, as they come.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable
from typing import Any, TypeVar

Node = TypeVar("Node", bound=ast.AST)

__all__ = ["PRELUDE", "translated"]

PRELUDE = """\
template <class T> __device__ constexpr T *at(T *pointer, int places) { return pointer + places; }
template <class T> __device__ constexpr T square(T x) { return x * x; }
template <class A, class B> __device__ constexpr auto least(A a, B b) { return b < a ? b : a; }
template <class A, class B> __device__ constexpr auto most(A a, B b) { return b > a ? b : a; }
template <class A, class B> struct Two { A first; B second; };
template <class A, class B, class C> struct Three { A first; B second; C third; };
template <class A, class B> __device__ constexpr Two<A, B> together(A a, B b) { return {a, b}; }
template <class A, class B, class C> __device__ constexpr Three<A, B, C> together(A a, B b, C c) { return {a, b, c}; }
template <int N> struct Literal { __device__ constexpr operator int() const { return N; } };
template <int N, class T = double> struct Vector {
    T *data;
    __device__ constexpr T &operator[](int i) const { return data[i]; }
};
template <int N, class T> __device__ constexpr int len(Vector<N, T>) { return N; }
template <int N, class T> __device__ constexpr T *address(Vector<N, T> vector) { return vector.data; }
"""
COMPOUND = ast.If | ast.For | ast.While
MEMBERS = ("first", "second", "third")
CALLS = {
    "abs": "fabs",
    "address": "address",
    "at": "at",
    "len": "len",
    "max": "most",
    "min": "least",
    **{f"math.{name}": name for name in ("copysign", "hypot", "isfinite", "sqrt")},
}
NAMES = {"np.inf": "(1.0 / 0.0)", "math.inf": "(1.0 / 0.0)"}
BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
UNARY = {ast.USub: "-", ast.Not: "!"}
ORDERS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


def translated(*functions: Any) -> str:
    """The texts of compiled functions, each after those that it calls.

    Parameters
    ----------
    functions : numba dispatchers

    Raises
    ------
    TypeError
        For what has no translation.
    """
    known: dict[Any, str] = {}
    texts: list[str] = []
    for function in functions:
        _translate(function, known, texts)
    return "\n".join(texts)


def _translate(function: Any, known: dict[Any, str], texts: list[str]) -> str:
    """The name of a function, whose text is among the texts from now on."""
    if function not in known:
        text = _Text(function.py_func, known, texts)
        lines = text.function()
        name = known[function] = function.py_func.__name__
        if list(known.values()).count(name) > 1:
            raise TypeError(f"two functions are called {name}")
        texts.append("\n".join(lines) + "\n")
    return known[function]


class _Text:
    """Writes one function."""

    def __init__(self, function: Any, known: dict[Any, str], texts: list[str]) -> None:
        self.tree: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        self.globals, self.known, self.texts = function.__globals__, known, texts
        stored = {node.id for node in _within(self.tree, ast.Name) if isinstance(node.ctx, ast.Store)}
        self.locals = stored | {node.arg for node in _within(self.tree, ast.arg)}
        self.lines: list[str] = []
        self.count = self.loops = 0

    def function(self) -> list[str]:
        names = [argument.arg for argument in self.tree.args.args]
        kinds = ", ".join(f"class T{i}" for i in range(len(names)))
        arguments = ", ".join(f"T{i} {self.name(name)}" for i, name in enumerate(names))
        self.line(0, f"template <{kinds}> __device__ constexpr auto {self.tree.name}({arguments})")
        self.line(0, "{")
        self.block(self.tree.body, 1, set(names))
        self.line(0, "}")
        return self.lines

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def refuse(self, node: ast.AST) -> TypeError:
        return TypeError(f"{self.tree.name} cannot be translated: {ast.unparse(node)}")

    # Statements. `names` are those that are declared.

    def block(self, statements: list[ast.stmt], indent: int, names: set[str]) -> None:
        for place, statement in enumerate(statements):
            if isinstance(statement, COMPOUND):
                later = set().union(*map(_read, statements[place + 1 :]))
                for name, value in _assigned(statement):
                    if name in later - names and self.loops:
                        raise self.refuse(statement)  # it would keep its value from round to round
                    if name in later - names:
                        self.store(ast.Name(name), self.of(value), indent, names)
            self.statement(statement, indent, names)

    def statement(self, node: ast.stmt, indent: int, names: set[str]) -> None:
        match node:
            case ast.Expr(ast.Constant()):  # a docstring
                pass
            case ast.Expr(ast.Call() as call):
                self.line(indent, f"{self.of(call)};")
            case ast.Assign(targets, value):
                self.assign(targets, value, indent, names)
            case ast.AugAssign(target, operator, value) if type(operator) in BINARY:
                self.line(indent, f"{self.of(target)} {BINARY[type(operator)]}= {self.of(value)};")
            case ast.Return(None):
                self.line(indent, "return;")
            case ast.Return(ast.Tuple(entries)):
                self.line(indent, f"return together({self.listed(entries)});")
            case ast.Return(ast.expr() as value):
                self.line(indent, f"return {self.of(value)};")
            case ast.Break():
                self.line(indent, "break;")
            case ast.If(test, body, orelse):
                self.nested(f"if ({self.of(test)}) {{", body, indent, names)
                if orelse:
                    self.nested("else {", orelse, indent, names)
            case ast.While(test, body, []):
                self.nested(f"while ({self.of(test)}) {{", body, indent, names, loop=True)
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), bounds, []), body, []) if len(bounds) < 3:
                start, stop = [self.of(bound) for bound in bounds] if len(bounds) == 2 else ["0", self.of(bounds[0])]
                i = self.name(name)
                self.nested(f"for (int {i} = {start}; {i} < {stop}; ++{i}) {{", body, indent, names | {name}, loop=True)
            case _:
                raise self.refuse(node)

    def nested(self, head: str, body: list[ast.stmt], indent: int, names: set[str], loop: bool = False) -> None:
        self.loops += loop
        self.line(indent, head)
        self.block(body, indent + 1, set(names))
        self.line(indent, "}")
        self.loops -= loop

    def assign(self, targets: list[ast.expr], value: ast.expr, indent: int, names: set[str]) -> None:
        """All values before any target, as in Python."""
        if isinstance(targets[0], ast.Tuple) and len(targets) == 1:
            entries = targets[0].elts
            if isinstance(value, ast.Tuple):
                values = [self.held(self.of(entry), indent) for entry in value.elts]
            else:
                whole = self.held(self.of(value), indent)
                values = [f"{whole}.{member}" for member in MEMBERS[: len(entries)]]
            for target, text in zip(entries, values, strict=True):
                self.store(target, text, indent, names)
        elif len(targets) == 1:
            self.store(targets[0], self.of(value), indent, names)
        else:
            text = self.held(self.of(value), indent)
            for target in targets:
                self.store(target, text, indent, names)

    def held(self, text: str, indent: int) -> str:
        self.count += 1
        self.line(indent, f"const auto held{self.count} = {text};")
        return f"held{self.count}"

    def store(self, target: ast.expr, text: str, indent: int, names: set[str]) -> None:
        new = isinstance(target, ast.Name) and target.id not in names
        self.line(indent, f"{'auto ' if new else ''}{self.of(target)} = {text};")
        if isinstance(target, ast.Name):
            names.add(target.id)

    # Expressions.

    def of(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(bool() as value):
                return "true" if value else "false"
            case ast.Constant(int() | float() as value):
                return repr(value)
            case ast.Name(name):
                return self.name(name)
            case ast.Attribute() if ast.unparse(node) in NAMES:
                return NAMES[ast.unparse(node)]
            case ast.Subscript(value, index) if not isinstance(index, ast.Slice | ast.Tuple):
                return f"{self.of(value)}[{self.of(index)}]"
            case ast.BinOp(left, ast.Pow(), ast.Constant(2)):
                return f"square({self.of(left)})"
            case ast.BinOp(left, ast.Div(), right):
                return f"(double({self.of(left)}) / {self.of(right)})"
            case ast.BinOp(left, operator, right) if type(operator) in BINARY:
                return f"({self.of(left)} {BINARY[type(operator)]} {self.of(right)})"
            case ast.UnaryOp(operator, operand) if type(operator) in UNARY:
                return f"({UNARY[type(operator)]}{self.of(operand)})"
            case ast.BoolOp(operator, values):
                sign = " && " if isinstance(operator, ast.And) else " || "
                return f"({sign.join(self.of(value) for value in values)})"
            case ast.Compare(left, operators, comparators) if all(type(o) in ORDERS for o in operators):
                sides = [self.of(side) for side in (left, *comparators)]
                pairs = zip(sides, operators, sides[1:], strict=False)
                return f"({' && '.join(f'{a} {ORDERS[type(o)]} {b}' for a, o, b in pairs)})"
            case ast.IfExp(test, body, orelse):
                return f"({self.of(test)} ? {self.of(body)} : {self.of(orelse)})"
            case ast.Call(function, arguments, []):
                return f"{self.called(function)}({self.listed(arguments)})"
        raise self.refuse(node)

    def listed(self, nodes: Iterable[ast.expr]) -> str:
        return ", ".join(self.of(node) for node in nodes)

    def name(self, name: str) -> str:
        """A local name, so that it is no word of C++, or the number that a global one stands for."""
        value = self.globals.get(name)
        if name in self.locals:
            return f"{name}_"
        if isinstance(value, bool | int):
            return self.of(ast.Constant(value))
        if isinstance(value, float):
            return repr(float(value))
        raise self.refuse(ast.Name(name))

    def called(self, function: ast.expr) -> str:
        text = ast.unparse(function)
        if hasattr(found := self.globals.get(text), "py_func"):
            return _translate(found, self.known, self.texts)
        if text in CALLS:
            return CALLS[text]
        if text in self.locals:
            return self.name(text)
        raise self.refuse(function)


def _within(tree: ast.AST, kind: type[Node]) -> list[Node]:
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def _read(statement: ast.stmt) -> set[str]:
    """The names that a statement reads, but for those that it gives values of its own first."""
    names = _within(statement, ast.Name)
    own = {node.id for node in names if isinstance(node.ctx, ast.Store) and isinstance(statement, COMPOUND)}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - own


def _assigned(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """The names that are assigned somewhere in a statement, each with its first value."""
    plain = [node for node in _within(statement, ast.Assign) if isinstance(node.targets[0], ast.Name)]
    return [(node.targets[0].id, node.value) for node in plain]  # type: ignore[attr-defined]
