"""The lines of a right port as syntax trees, and ports of which a line reads otherwise."""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from types import MethodType
from typing import Any

from rbo_ref.oracle.formulas import Formula
from rbo_ref.oracle.suspects import tools

__all__ = ["Edit", "Path", "Text", "expressions", "ported", "text_of"]

Path = tuple[tuple[str, int | None], ...]  # fields and indices from a method to a node in it
Build = Callable[[ast.expr, str], ast.expr]  # of a node and the name of a constant


@dataclass(frozen=True, eq=False)
class Edit:
    """A node of a line replaced by something else.

    Attributes
    ----------
    method : str
        The line.
    path : tuple
        Where the node is.
    build : callable
        Of the node and the name of a constant → what stands there instead.
    kind : str
        What was done, in words.
    rank : int
        The simpler, the smaller.
    start : float or None
        The constant with which the line is right; None if there is none.
    grid : tuple of float
        Constants to begin the search with.
    """

    text: Text = field(repr=False)
    method: str
    path: Path
    build: Build = field(repr=False)
    kind: str
    rank: int
    start: float | None = None
    grid: tuple[float, ...] = ()
    hears: bool = False  # it uses earlier evaluations of the loss
    remembers: bool = False  # or anything else of earlier

    @cached_property
    def line(self) -> ast.FunctionDef:
        """The line as it reads with the edit."""
        return self.text.edited(self.method, [self])


class Text:
    """The methods of a port class by name; one that `super` calls has the name of its class after it."""

    def __init__(self, cls: type[Formula]) -> None:
        self.cls, self.methods = cls, dict[str, ast.FunctionDef]()
        self.scopes: dict[str, Mapping[str, Any]] = {}
        for base in cls.__mro__[:-1]:
            for method in _methods(base):
                if method.name not in cls.machinery:
                    name = method.name if method.name not in self.methods else f"{method.name}_{base.__name__}"
                    self.methods[name], self.scopes[name] = method, vars(sys.modules[base.__module__])
        for name, method in self.methods.items():
            self.methods[name] = _Bases(self).visit(method)

    @cached_property
    def inherited(self) -> dict[str, Callable[..., Any]]:
        """What `super` calls, under the names that it has here, with what calls it."""
        names = {name for name in self.methods if name not in dir(self.cls)}
        callers = {n for n, m in self.methods.items() if any(f"self.{name}(" in ast.unparse(m) for name in names)}
        return {name: self.compiled(name, []) for name in names | callers}

    def edited(self, method: str, edits: list[Edit]) -> ast.FunctionDef:
        """A method with some edits of it."""
        line = copy.deepcopy(self.methods[method])
        for number, edit in enumerate(edits):
            name = f"constant{number}_of_{method}" if edit.start is not None else ""
            _replace(line, edit, name)
        return ast.fix_missing_locations(line)

    def compiled(self, method: str, edits: list[Edit]) -> Callable[..., Any]:
        """The function of a method with some edits."""
        line = self.edited(method, edits)
        line.name = "line"
        module = ast.Module([*ast.parse("from __future__ import annotations").body, line], type_ignores=[])
        scope = {**self.scopes[method], **vars(tools)}
        exec(compile(ast.fix_missing_locations(module), f"<{self.cls.__name__}.{method}>", "exec"), scope)
        return scope["line"]


class _Bases(ast.NodeTransformer):
    """Calls of ``super().method`` as those of a method of another name."""

    def __init__(self, text: Text) -> None:
        self.text = text

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func).startswith("super()."):
            assert isinstance(node.func, ast.Attribute)
            names = [n for n in self.text.methods if n.startswith(f"{node.func.attr}_")]
            return ast.Call(ast.Attribute(ast.Name("self", ast.Load()), names[0], ast.Load()), node.args, node.keywords)
        return node


def _methods(cls: type[Formula]) -> Iterator[ast.FunctionDef]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.decorator_list, node.returns = [], None
            for argument in node.args.args:
                argument.annotation = None
            if ast.get_docstring(node):
                del node.body[0]
            if node.body:
                yield node


@lru_cache(maxsize=64)
def text_of(cls: type[Formula]) -> Text:
    """The text of a port class."""
    return Text(cls)


def _replace(line: ast.FunctionDef, edit: Edit, constant: str) -> None:
    *way, (name, index) = edit.path
    node: Any = line
    for step, at in way:
        node = getattr(node, step) if at is None else getattr(node, step)[at]
    if index is None:
        setattr(node, name, edit.build(getattr(node, name), constant))
    else:
        getattr(node, name)[index] = edit.build(getattr(node, name)[index], constant)


def expressions(node: ast.AST, path: Path = ()) -> Iterator[tuple[Path, ast.expr]]:
    """The expressions in a method that are numbers or arrays, with their paths; the larger ones first."""
    for name, child in ast.iter_fields(node):
        if name == "func" if isinstance(node, ast.Call) else name in ("args", "slice"):
            continue
        for index, item in enumerate(child) if isinstance(child, list) else [(None, child)]:
            if isinstance(item, ast.AST):
                here: Path = (*path, (name, index))
                if isinstance(item, ast.expr) and _is_number(item):
                    yield here, item
                yield from expressions(item, here)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Name | ast.Attribute):
        return isinstance(node.ctx, ast.Load) and ast.unparse(node) not in ("self", "self.xp", "self.h", "math")
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.Subscript | ast.IfExp)


def ported(
    text: Text,
    make: Callable[[], Any],
    edits: tuple[Edit, ...],
    constants: tuple[float, ...] = (),
    doubts: tuple[float, ...] = (),
) -> Any:
    """A port with edits; the constants are of those that have one, in their order, and how uncertain they are."""
    port = make()
    port.recalled, port.doubts = {}, {}
    uncertain = iter(doubts)
    for name, function in text.inherited.items():
        setattr(port, name, MethodType(function, port))
    given = iter(constants)
    for method in {edit.method for edit in edits}:
        own = tuple(edit for edit in edits if edit.method == method)
        setattr(port, method, MethodType(_function(own), port))
        for number, edit in enumerate(own):
            if edit.start is not None:
                name = f"constant{number}_of_{method}"
                setattr(port, name, next(given))
                port.doubts[name] = next(uncertain, 0.0)
    if any(edit.hears for edit in edits):
        port.served = partial(_recorded, port, port.served)
    port.advance = partial(_forgetful, port, port.advance)
    return port


def _recorded(port: Any, served: Callable[[Any], Any], loss: Any) -> Any:
    """The loss, of which the last two answers are remembered."""
    answer = served(loss)

    def recorded(theta: Any) -> Any:
        now = answer(theta)
        port.recalled["before"] = port.recalled.get("now", now)
        port.recalled["now"] = now
        return now

    return recorded


def _forgetful(port: Any, advance: Callable[..., Any], *question: Any) -> Any:
    """A step, before which is forgotten what does not outlast one."""
    port.recalled = {key: x for key, x in port.recalled.items() if not key.endswith("each step")}
    return advance(*question)


@lru_cache(maxsize=16384)
def _function(edits: tuple[Edit, ...]) -> Callable[..., Any]:
    return edits[0].text.compiled(edits[0].method, list(edits))
