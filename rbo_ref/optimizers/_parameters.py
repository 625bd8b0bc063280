"""What every optimizer shares: θ as vectors, whatever its structure, and (value, gradient) from whatever loss.

The algorithms are written for vectors (..., d). A tree (mappings, lists and tuples of arrays) becomes one vector, the
leaves one after the other, so that a norm is one norm over all parameters; the answer is put back into the structure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

import numpy

from geometry import FunctionGraph
from geometry._namespace import (
    Array,
    array_namespace,
    broadcast,
    count_dtype,
    device_of,
    floating,
    is_array_api_obj,
    is_compiling,
    is_traced,
    library,
    per_item,
    positive,
    quietly,
    to_numpy,
)
from geometry._trees import Tree

__all__ = [
    "Flat",
    "Outcome",
    "VectorOptimizer",
    "bias_correction",
    "check_betas",
    "check_fraction",
    "counter",
    "flatten",
    "hyper_parameters",
    "surface_of",
]


class Outcome(IntEnum):
    """What became of one item of the batch in a step."""

    STEPPED = 0  #: θ' is the algorithm's
    NOT_FINITE = 1  #: the loss, its gradient or θ' is NaN or infinite; θ' is what the formulas give
    UNDEFINED = 2  #: the algorithm has no step here: θ and the state of this item stay


class VectorOptimizer(Tree):
    """An optimizer of which the algorithm, `_advance`, is written for vectors (..., d).

    The first fields of its step are θ, the state, the height and the gradient, the last is the status.
    """

    _start: Callable[..., Any]  # the state before the first step, for a vector
    _advance: Callable[..., Any]  # the step, for a loss, a vector and a state

    @property
    def _vectors(self) -> bool:
        """Whether one array is a batch of vectors; if not, it is one leaf."""
        return True

    def init(self, theta: Any) -> Any:
        """The state before the first step.

        Parameters
        ----------
        theta : array (..., d), or tree of arrays

        Returns
        -------
        NamedTuple of arrays
            On a tree they are about the vector of all leaves, as `flatten` orders them.
        """
        flat = Flat(theta, self._vectors)
        self._layout(flat)
        return self._start(flat.vector)

    @quietly
    def step(self, loss: Any, theta: Any, state: Any = None, **options: Any) -> Any:
        """One step: from θ_t to θ_{t+1}.

        Parameters
        ----------
        loss : FunctionGraph, object or callable
            An object has ``value_and_gradient(theta) -> (value, gradient)``, the gradient structured as θ. A callable
            is differentiated by PyTorch or JAX.
        theta : array (..., d), or tree of arrays
            Leading axes are a batch, and hyper-parameters broadcast against it. A tree (mapping, list or tuple of
            arrays, also nested) is one set of parameters: norms run over all leaves together.
        state : NamedTuple of arrays
            What `init` or the previous step returned. May be left out where there is nothing to remember.
        **options
            The optimizers that draw random numbers take ``noise``, an array, to be used instead.

        Returns
        -------
        Step
            `theta` is structured as θ; on a tree all else is about the vector of all leaves, as `flatten` orders them.
            `status` (...) holds an `Outcome` for every item.

        Raises
        ------
        TypeError, ValueError
            For arguments of the wrong kind, structure or shape, and where the state is missing: without it every step
            would be a first one. Numerical trouble is a `status`.

        Notes
        -----
        PyTorch tensors that require gradients give results that do, and that remember all steps behind them: detach
        them, or call `step` under ``torch.no_grad()``.
        """
        flat = Flat(theta, self._vectors)
        if state is None and self._remembers:
            raise TypeError(
                f"state must be what init(theta) or the step before returned, got None: {type(self).__name__} would "
                "begin anew; the first step is step(loss, theta, init(theta))"
            )
        state = self._start(flat.vector) if state is None else state
        taken = self._advance(surface_of(loss, flat), flat.vector, state, **self._layout(flat), **options)
        return taken._replace(theta=flat.restore(taken.theta), status=_status(taken))

    @property
    def _remembers(self) -> bool:
        """Whether a step depends on those before it."""
        return True

    def _layout(self, flat: Flat) -> dict[str, Any]:
        """What `_advance` must know of the leaves."""
        return {}


def _status(taken: Any) -> Array:
    """NOT_FINITE where it is so, else what the algorithm says."""
    theta, _, height, gradient = taken[:4]
    xp = array_namespace(theta)
    vectors = xp.all(xp.isfinite(gradient), axis=-1) & xp.all(xp.isfinite(theta), axis=-1)
    wrong = xp.astype(~(xp.isfinite(height) & vectors), count_dtype(xp, theta)) * int(Outcome.NOT_FINITE)
    return wrong if taken.status is None else xp.where(wrong > 0, wrong, taken.status)


# Trees.


class Flat:
    """Parameters as one vector, and the way back; what `flatten` returns.

    Attributes
    ----------
    vector : array (..., d)
    shapes : list of tuple
        Shapes of the leaves, in the order of the vector.
    is_tree : bool
        Whether the parameters are leaves of a tree; if not, they are a batch of vectors, and nothing changes.
    """

    def __init__(self, theta: Any, vectors: bool = True) -> None:
        self.is_tree = _is_tree(theta) or not vectors
        named = _leaves("theta", theta) if self.is_tree else {"theta": theta}
        if not named:
            _no_parameters(theta)
        self._xp, *leaves = floating("theta", *named.values())
        self._theta, self._paths = theta, list(named)
        if self.is_tree:
            self.shapes = [tuple(leaf.shape) for leaf in leaves]
            self.vector = self._joined(leaves)
        else:
            self.shapes = [tuple(leaves[0].shape[-1:])]
            self.vector = leaves[0]
        if self.vector.ndim == 0 or self.vector.shape[-1] == 0:
            _no_parameters(theta)

    def restore(self, vector: Array) -> Any:
        """A vector in the structure of the parameters. Mappings become dictionaries."""
        if not self.is_tree:
            return vector
        if vector.shape != self.vector.shape:
            raise ValueError(
                "a tree of parameters has no batch axes, and hyper-parameters must be single numbers, "
                f"got vectors of shape {tuple(vector.shape)} in place of {tuple(self.vector.shape)}"
            )
        return _structured(self._theta, self._parts(vector))

    def join(self, name: str, tree: Any) -> Array:
        """The vector of another tree, say a gradient, that must be structured as the parameters."""
        if not self.is_tree:
            return tree
        named = _leaves("theta", tree)
        if list(named) != self._paths:
            raise ValueError(f"{name} must be structured as theta, {_listed(self._paths)}, got {_listed(named)}")
        for (path, leaf), shape in zip(named.items(), self.shapes, strict=True):
            if tuple(numpy.shape(leaf)) != shape:
                place = path.replace("theta", name, 1)
                raise ValueError(f"{place} must have shape {shape}, as theta there, got {tuple(numpy.shape(leaf))}")
        xp, *leaves = floating(name, *named.values())
        if xp is not self._xp:
            raise TypeError(f"{name} must hold arrays of theta's library, {library(self._xp)}, got {library(xp)}")
        return self._joined(leaves)

    def _joined(self, leaves: list[Array]) -> Array:
        return self._xp.concat([self._xp.reshape(leaf, (math.prod(leaf.shape),)) for leaf in leaves])

    def _parts(self, vector: Array) -> Iterator[Array]:
        start = 0
        for shape in self.shapes:
            stop = start + math.prod(shape)
            yield self._xp.reshape(vector[start:stop], shape)
            start = stop


def flatten(theta: Any) -> Flat:
    """Parameters as one vector, and the way back.

    Parameters
    ----------
    theta : array (..., d), or tree of arrays
        A tree is a mapping, list or tuple of arrays or of trees; a list of numbers is an array. Leaves come in the
        order of lists and of *sorted* keys, and in their common floating dtype. An array is a batch of vectors, and
        stays.

    Returns
    -------
    Flat
        `vector`; ``restore(vector)``, in the structure of `theta`; ``join(name, tree)``, the vector of another tree.

    Raises
    ------
    TypeError, ValueError
        For trees without parameters, leaves that are not real arrays or of several array libraries, keys without an
        order.

    Examples
    --------
    >>> import numpy as np
    >>> flat = flatten({"weight": np.eye(2), "bias": np.zeros(2)})
    >>> flat.vector
    array([0., 0., 1., 0., 0., 1.])
    >>> flat.restore(2 * flat.vector)
    {'weight': array([[2., 0.], [0., 2.]]), 'bias': array([0., 0.])}
    """
    return Flat(theta)


def _no_parameters(theta: Any) -> Any:
    raise ValueError(f"theta must hold at least one parameter, shape (..., d) with d >= 1 or a tree, got {theta!r}")


def _listed(paths: Iterable[str]) -> str:
    return "[" + ", ".join(paths) + "]"


def _is_tree(theta: Any) -> bool:
    """Whether `theta` is a mapping, or a list or tuple that holds arrays or trees, or nothing."""
    if isinstance(theta, list | tuple):
        return not theta or any(
            _is_tree(t) or (is_array_api_obj(t) and not isinstance(t, numpy.generic)) for t in theta
        )
    return isinstance(theta, Mapping)


def _branches(tree: Any) -> list[tuple[Any, Any]]:
    """The keys and the branches of a tree, in the order of flattening."""
    if not isinstance(tree, Mapping):
        return list(enumerate(tree))
    try:
        return [(key, tree[key]) for key in sorted(tree)]
    except TypeError as error:
        raise TypeError(f"the keys of a mapping of parameters must have an order, got {list(tree)}") from error


def _leaves(path: str, tree: Any) -> dict[str, Any]:
    """The leaves of a tree under their paths."""
    if not _is_tree(tree):
        return {path: tree}
    found: dict[str, Any] = {}
    for key, branch in _branches(tree):
        found |= _leaves(f"{path}[{key!r}]", branch)
    return found


def _structured(tree: Any, leaves: Iterator[Array]) -> Any:
    """The structure of `tree`, with other leaves."""
    if not _is_tree(tree):
        return next(leaves)
    branches = {key: _structured(branch, leaves) for key, branch in _branches(tree)}
    if isinstance(tree, Mapping):
        return {key: branches[key] for key in tree}
    fill = getattr(tree, "_make", type(tree))  # a NamedTuple, or a list or tuple
    return fill(branches.values())


# Losses.


def surface_of(loss: Any, flat: Flat) -> FunctionGraph:
    """The loss as a function of vectors."""
    if isinstance(loss, FunctionGraph):
        if flat.is_tree:
            raise TypeError(
                "loss must be a callable or an object with value_and_gradient(theta) for a tree of parameters: "
                f"a FunctionGraph is a function of vectors (..., d), got {loss!r}"
            )
        return loss
    name = getattr(loss, "__name__", type(loss).__name__)
    if hasattr(loss, "value_and_gradient") and not isinstance(loss, type):

        def evaluate(vector: Array) -> tuple[Array, Array]:
            pair = loss.value_and_gradient(flat.restore(vector))
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise ValueError(f"{name}: expected a pair (value, gradient), got {type(pair).__name__}")
            return pair[0], flat.join("gradient", pair[1])

        return FunctionGraph.from_value_and_gradient(evaluate, name=name)
    if callable(loss):
        return FunctionGraph(lambda vector: loss(flat.restore(vector)), name=name)
    raise TypeError(f"loss must be a FunctionGraph, a callable or have value_and_gradient(theta), got {loss!r}")


# Hyper-parameters.


def hyper_parameters(theta: Array, **values: Any) -> tuple[Any, ...]:
    """The namespace, θ repeated for every combination of the hyper-parameters, and those, ready to multiply vectors."""
    xp = array_namespace(theta)
    ready = [per_item(xp, name, value, theta) for name, value in values.items()]
    batches = {name: r.shape[:-1] for name, r in zip(values, ready, strict=True) if not isinstance(r, float)}
    batch = broadcast(**{"the batch": theta.shape[:-1]}, **batches)
    return xp, xp.broadcast_to(theta, (*batch, theta.shape[-1])), *ready


def check_fraction(name: str, value: Any, *, closed: bool = False) -> None:
    """Raise unless every number in `value` is in [0, 1), or with `closed` in [0, 1]."""
    positive(name, value, zero=True)
    if isinstance(value, float | int):
        inside = value <= 1 if closed else value < 1
    elif is_traced(value) or is_compiling():
        return
    else:
        array = to_numpy(floating(name, value)[1])
        inside = bool((array <= 1 if closed else array < 1).all())
    if not inside:
        raise ValueError(f"{name} must be at least 0 and {'at most' if closed else 'less than'} 1, got {value}")


def check_betas(betas: Any) -> None:
    """Raise unless `betas` is a pair of such numbers."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ValueError(f"betas must be a pair (beta1, beta2), got {betas!r}")
    for i, beta in enumerate(betas):
        check_fraction(f"betas[{i}]", beta)


# Counting steps.


def counter(theta: Array) -> Array:
    """The number of steps before the first: 0, an integer array of no dimensions."""
    xp = array_namespace(theta)
    return xp.zeros((), dtype=count_dtype(xp, theta), device=device_of(theta))


def bias_correction(theta: Array, beta: Any, steps: Array) -> Any:
    """1 − βᵗ, the weight that an exponential average has gathered after t ≥ 1 steps, to full relative precision.

    The difference itself would lose the digits that 1 − β has lost, three of seven in float32 for β = 0.999.
    """
    xp = array_namespace(theta)
    t = xp.astype(steps, theta.dtype)
    if isinstance(beta, float):
        return -xp.expm1(t * (math.log(beta) if beta > 0 else -math.inf))
    return -xp.expm1(t * xp.log(beta))
