"""Arrays of jets: a number with its first and second derivatives, each of them an array of affine forms.

A function that runs on arrays runs on jets, and so its values are all that is needed of it: gradient and Hessian
are enclosed by differentiation of the very formulas that are evaluated, by the rules

    (ab)′ = a b′ + b a′,    (ab)″ = a b″ + b a″ + a′ b′ᵀ + b′ a′ᵀ,
    φ(x)′ = φ′(x) x′,       φ(x)″ = φ′(x) x″ + φ″(x) x′ x′ᵀ.

They hold where the record of the evaluation knows of no irregularity. What has no rule raises a `TypeError`.

A. Griewank, A. Walther, "Evaluating Derivatives" (2008), Chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations_with_replacement
from typing import Any

import numpy

from geometry.certified._face import Face, operand
from geometry.certified._forms import Form
from geometry.certified._intervals import Interval

__all__ = ["Jet", "differentiated", "plain"]

Key = tuple[int, ...]  # (i,) for ∂/∂θᵢ, (i, j) with i ≤ j for ∂²/∂θᵢ∂θⱼ


class Jet(Face):
    """An array of jets.

    Attributes
    ----------
    value : Form (...)
    parts : dict of Form
        Derivatives by (i,) and (i, j); each broadcasts against the value. What is missing is zero.
    keys : tuple
        Of all derivatives that are wanted.
    """

    __slots__ = ("keys", "parts", "value")

    def __init__(self, value: Form, parts: Mapping[Key, Form], keys: tuple[Key, ...], shared: bool = False) -> None:
        self.value, self.keys, self.shared = value, keys, shared
        self.parts = {key: part for key, part in parts.items() if not _is_zero(part)}

    @property
    def record(self) -> Any:
        return self.value.record

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def range(self) -> Interval:
        return self.value.range()

    def flat(self, values: Interval) -> Form:
        return self.value.flat(values)

    def constant(self, value: Any) -> Form:
        return self.value.constant(value)

    def __repr__(self) -> str:
        return f"Jet({self.value!r}, {self.parts!r})"

    # Functions of every part.

    def new(self, value: Form, parts: Mapping[Key, Form]) -> Jet:
        return Jet(value, parts, self.keys)

    def view(self, function: Callable[[Form], Form]) -> Jet:
        """A function of all parts that moves elements about."""
        self.shared = True
        parts = {key: function(self.full(key)) for key in self.parts}
        return Jet(function(self.value), parts, self.keys, shared=True)

    def copy(self) -> Jet:
        return self.new(self.value, self.parts)

    def becomes(self, other: Any) -> None:
        self.value, self.parts = plain(other), other.parts if isinstance(other, Jet) else {}

    def full(self, key: Key) -> Form:
        """A derivative, one of each for every element."""
        return self.parts[key].spread_to(self.shape) if key in self.parts else self.constant(numpy.zeros(self.shape))

    def linear(self, function: Callable[[Form], Form]) -> Jet:
        """A linear function."""
        return self.new(function(self.value), {key: function(part) for key, part in self.parts.items()})

    def composed(self, value: Form, first: Form, second: Any) -> Jet:
        """φ(x), from φ(x), φ′(x) and φ″(x)."""
        parts = {}
        for key in self.keys:
            terms = [first * self.parts[key]] if key in self.parts else []
            if len(key) == 2 and all((i,) in self.parts for i in key):
                terms.append(second * (self.parts[key[:1]] * self.parts[key[1:]]))
            if terms:
                parts[key] = sum(terms[1:], terms[0])
        return self.new(value, parts)

    def moved(self, move: Callable[[numpy.ndarray], numpy.ndarray], full: bool = True) -> Jet:
        return self.view(lambda form: form.moved(move, full))

    def reshaped(self, shape: tuple[int, ...]) -> Jet:
        return self.view(lambda form: form.reshaped(shape))

    def spread_to(self, shape: tuple[int, ...]) -> Jet:
        self.shared = True
        return Jet(self.value.spread_to(shape), self.parts, self.keys, shared=True)

    def __getitem__(self, key: Any) -> Jet:
        return self.view(lambda form: form[key])

    # Arithmetic.

    def __neg__(self) -> Jet:
        return self.linear(lambda form: -form)

    def __add__(self, other: Any) -> Any:
        other = operand(other)
        if not isinstance(other, Jet):
            return NotImplemented if other is None else self.new(self.value + other, self.parts)
        both = {key: self.parts[key] + other.parts[key] for key in self.parts.keys() & other.parts.keys()}
        return self.new(self.value + other.value, {**self.parts, **other.parts, **both})

    def __mul__(self, other: Any) -> Any:
        if other is self:
            return self.namespace.square(self)
        other = operand(other)
        if not isinstance(other, Jet):
            return NotImplemented if other is None else self.linear(lambda form: form * other)
        parts = {key: terms for key in self.keys if (terms := _product(self, other, key))}
        return self.new(self.value * other.value, {key: sum(t[1:], t[0]) for key, t in parts.items()})

    def __truediv__(self, other: Any) -> Any:
        other = operand(other)
        if not isinstance(other, Jet):
            return NotImplemented if other is None else self.linear(lambda form: form / other)
        return self * self.namespace.reciprocal(other)

    def _compared(self, other: Any) -> tuple[numpy.ndarray, numpy.ndarray]:
        return self.value._compared(plain(other))


def plain(x: Any) -> Any:
    """The values alone."""
    return x.value if isinstance(x, Jet) else x


def _is_zero(part: Form) -> bool:
    return part.slopes is None and not (numpy.any(part.center.lo) or numpy.any(part.center.hi))


def _product(x: Jet, y: Jet, key: Key) -> list[Form]:
    """The terms of a derivative of x·y."""
    terms = [a.value * b.parts[key] for a, b in ((x, y), (y, x)) if key in b.parts]
    if len(key) == 2:
        for i, j in [key] if key[0] == key[1] else [key, key[::-1]]:
            if (i,) in x.parts and (j,) in y.parts:
                term = x.parts[i,] * y.parts[j,]
                terms.append(term + term if i == j else term)
    return terms


def differentiated(function: Callable[[Any], Any], theta: Form, order: int = 2) -> tuple[Form, ...]:
    """f(θ), ∇f(θ) and, to second order, ∇²f(θ), from a function of arrays: (...), (..., d), (..., d, d)."""
    d = theta.shape[-1]
    keys = tuple(key for k in range(1, order + 1) for key in combinations_with_replacement(range(d), k))
    seeds: dict[Key, Form] = {(i,): theta.constant(row) for i, row in enumerate(numpy.eye(d))}
    value = function(Jet(theta, seeds, keys, shared=True))
    if not isinstance(value, Jet):  # it does not depend on θ
        value = Jet(value, {}, keys)
    stack = theta.namespace.stack
    gradient = stack([value.full((i,)) for i in range(d)], -1)
    if order == 1:
        return value.value, gradient
    hessian = {key: value.full(key) for key in keys if len(key) == 2}
    rows = [stack([hessian[min(i, j), max(i, j)] for j in range(d)], -1) for i in range(d)]
    return value.value, gradient, stack(rows, -2)
