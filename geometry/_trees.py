"""Objects as trees of arrays, as the transforms of JAX and PyTorch carry them in and out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from geometry._namespace import is_array_api_obj, is_compiling

__all__ = ["Tree", "Whole"]

Parts = tuple[list[Any], tuple[Any, ...]]  # children; the class, their names, and what is no array


class Tree:
    """An object whose arrays, real numbers and trees are children for ``jax.jit``, ``jax.vmap``, ``torch.func`` ...

    All else that it holds must be hashable, and is part of the structure. A class is entered where its first object
    is made after JAX or PyTorch was imported.
    """

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        if not is_compiling():
            _enter(cls)
        return super().__new__(cls)

    def _is_child(self, name: str, value: Any) -> bool:
        return _holds_numbers(value)

    def _split(self) -> Parts:
        held = {name: value for name, value in vars(self).items() if self._is_child(name, value)}
        rest = tuple((name, value) for name, value in vars(self).items() if name not in held)
        return list(held.values()), (tuple(held), rest)

    @classmethod
    def _joined(cls, structure: Any, children: Any) -> Any:
        """The object again. The children may be anything: transforms rebuild trees of their own symbols."""
        names, rest = structure
        made = object.__new__(cls)
        made.__dict__.update(zip(names, children, strict=True))
        made.__dict__.update(rest)
        return made


class Whole(Tree):
    """A tree without children: the object is its own structure."""

    def _split(self) -> Parts:
        return [], (self,)

    @classmethod
    def _joined(cls, structure: Any, children: Any) -> Any:
        return structure[0]


def _holds_numbers(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return bool(value) and all(map(_holds_numbers, value))
    return isinstance(value, float | Tree) or is_array_api_obj(value)


def _enter(cls: type[Tree]) -> None:
    for name, register in REGISTERS.items():
        if name in sys.modules and (name, cls) not in _entered:
            _entered.add((name, cls))
            register(cls)


def _in_jax(cls: type[Tree]) -> None:
    from jax.tree_util import register_pytree_node

    register_pytree_node(cls, cls._split, cls._joined)


def _in_torch(cls: type[Tree]) -> None:
    from torch.utils._pytree import register_pytree_node

    register_pytree_node(cls, cls._split, partial(_reversed, cls))


def _reversed(cls: type[Tree], children: Any, structure: Any) -> Any:
    return cls._joined(structure, children)


REGISTERS: dict[str, Callable[[type[Tree]], None]] = {"jax": _in_jax, "torch": _in_torch}
_entered: set[tuple[str, type[Tree]]] = set()
