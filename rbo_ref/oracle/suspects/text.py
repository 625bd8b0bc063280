"""The lines of a right port as syntax trees, and ports of which a line reads otherwise."""

from __future__ import annotations
import __future__

import ast
import copy
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any

from rbo_ref.oracle.formulas import Formula
from rbo_ref.oracle.suspects import tools

__all__ = ["Edit", "Path", "Text", "at", "constant_name", "expressions", "replaced", "text_of"]

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
    calls : frozenset of str
        What stands there instead calls these, among them tools.
    """

    text: Text = field(repr=False)
    method: str
    path: Path
    build: Build = field(repr=False)
    kind: str
    rank: int
    start: float | None = None
    grid: tuple[float, ...] = ()
    calls: frozenset[str] = frozenset()


class Text:
    """The methods of a port class by name; one that `super` calls has the name of its class after it."""

    def __init__(self, cls: type[Formula]) -> None:
        self.cls, self.methods = cls, dict[str, ast.FunctionDef]()
        self._functions: dict[Edit, Callable[..., Any]] = {}
        self.scopes: dict[str, Mapping[str, Any]] = {}
        for base in cls.__mro__[:-1]:
            for method in _methods(base):
                if method.name not in cls.machinery:
                    name = method.name if method.name not in self.methods else f"{method.name}_{base.__name__}"
                    self.methods[name], self.scopes[name] = method, vars(sys.modules[base.__module__])
        for name, method in self.methods.items():
            self.methods[name] = ast.fix_missing_locations(_Bases(self).visit(method))

    @cached_property
    def inherited(self) -> dict[str, Callable[..., Any]]:
        """What `super` calls, under the names that it has here, with what calls it."""
        names = {name for name in self.methods if name not in dir(self.cls)}
        callers = {n for n, m in self.methods.items() if any(f"self.{name}(" in ast.unparse(m) for name in names)}
        return {name: self.compiled(name, self.methods[name]) for name in names | callers}

    def edited(self, method: str, edits: Sequence[Edit]) -> ast.FunctionDef:
        """A method with some edits of it; what they leave alone is shared with the method."""
        line = self.methods[method]
        for number, edit in sorted(enumerate(edits), key=lambda pair: -len(pair[1].path)):  # inner ones first
            line = replaced(line, edit.path, partial(_built, edit, constant_name(method, number)))
        return line

    def compiled(self, method: str, line: ast.FunctionDef, **more: Any) -> Callable[..., Any]:
        """The function of a method that reads like this, with more names that it may use."""
        line = copy.copy(line)
        line.name = "line"
        flags, name = __future__.annotations.compiler_flag, f"<{self.cls.__name__}.{method}>"
        scope = {**self.scopes[method], **vars(tools), **more}
        exec(compile(ast.Module([line], type_ignores=[]), name, "exec", flags, dont_inherit=True), scope)
        return scope["line"]

    def function(self, method: str, edits: tuple[Edit, ...]) -> Callable[..., Any]:
        """The same, compiled once for each edit; without edits, what the class does."""
        if not edits:
            return self.inherited.get(method) or getattr(self.cls, method)
        if len(edits) > 1:
            return self.compiled(method, self.edited(method, edits))
        if edits[0] not in self._functions:
            self._functions[edits[0]] = self.compiled(method, self.edited(method, edits))
        return self._functions[edits[0]]


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


def constant_name(method: str, number: int) -> str:
    """The attribute that holds the constant of the edit of this number in a line."""
    return f"constant{number}_of_{method}"


def _built(edit: Edit, constant: str, node: ast.expr) -> ast.expr:
    return edit.build(node, constant)


def replaced(node: Any, path: Path, build: Callable[[ast.expr], ast.expr]) -> Any:
    """A node with something else at a place in it."""
    if not path:
        return ast.fix_missing_locations(ast.copy_location(build(node), node))
    (name, index), *rest = path
    new, child = copy.copy(node), getattr(node, name)
    if index is None:
        setattr(new, name, replaced(child, tuple(rest), build))
    else:
        setattr(new, name, [*child[:index], replaced(child[index], tuple(rest), build), *child[index + 1 :]])
    return new


def at(line: ast.FunctionDef, path: Path) -> Any:
    """The node at a place in a line."""
    node: Any = line
    for name, index in path:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
    return node


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
