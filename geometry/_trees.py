"""Objects as trees of arrays, as the transforms of JAX and PyTorch carry them in and out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from geometry._namespace import is_array_api_obj, is_compiling

__all__ = ["Tree", "Whole", "once"]

CLASSES: list[type] = []
"""All trees, in the order of their definition."""
Parts = tuple[list[Any], tuple[Any, ...]]  # children; the class, their names, and what is no array


class Tree:
    """An object whose arrays, real numbers and trees are children for ``jax.jit``, ``jax.vmap``, ``torch.func`` ...

    All else that it holds must be hashable, and is part of the structure. All classes are entered where the first
    object of any of them is made after JAX or PyTorch was imported.
    """

    def __init_subclass__(cls) -> None:
        CLASSES.append(cls)

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        if not is_compiling():
            _enter()
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


class once:
    """A property that is evaluated when it is first asked for: `functools.cached_property` without a lock.

    PyTorch's compiler follows no locks.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function, self.name, self.__doc__ = function, function.__name__, function.__doc__

    def __get__(self, owner: Any, cls: type | None = None) -> Any:
        if owner is None:
            return self
        found = owner.__dict__[self.name] = self.function(owner)
        return found


def _holds_numbers(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return bool(value) and all(map(_holds_numbers, value))
    return isinstance(value, float | Tree) or is_array_api_obj(value)


def _enter() -> None:
    for name, register in REGISTERS.items():
        while name in sys.modules and _entered[name] < len(CLASSES):
            _entered[name] += 1
            register(CLASSES[_entered[name] - 1])


def _in_jax(cls: type[Tree]) -> None:
    from jax.tree_util import register_pytree_node

    register_pytree_node(cls, cls._split, cls._joined)


def _in_torch(cls: type[Tree]) -> None:
    from torch.utils._pytree import register_pytree_node

    register_pytree_node(cls, cls._split, partial(_reversed, cls))


def _reversed(cls: type[Tree], children: Any, structure: Any) -> Any:
    return cls._joined(structure, children)


REGISTERS: dict[str, Callable[[type[Tree]], None]] = {"jax": _in_jax, "torch": _in_torch}
_entered = dict.fromkeys(REGISTERS, 0)
