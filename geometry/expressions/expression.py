"""A function recorded once, with its derivatives, in whatever arithmetic a purpose needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array, Namespace, floating, whole
from geometry._spread import kronecker
from geometry.expressions._differentiation import FEW, directional, gradient, hessian
from geometry.expressions._interpretation import evaluate, evaluate_balls
from geometry.expressions._lane_source import written_for_lanes
from geometry.expressions._nodes import Node, constant, from_list, listed, ordered, theta
from geometry.expressions._operations import is_smooth
from geometry.expressions._programs import LONGEST, Program, TooLong
from geometry.expressions._recorder import Recorded, RecordingError, as_node, numeric
from geometry.expressions._source import LANGUAGES, written
from geometry.expressions._standard import namespace

__all__ = ["FEW", "TRIALS", "Expression", "agreeing", "difference", "record", "trial_points"]


class Expression:
    """What a function f: ℝᵈ → ℝ did when it ran once, as a graph of operations; made by `record`.

    Evaluation takes arrays of any library and any floating dtype; leading dimensions are a batch. Results follow θ.

    Attributes
    ----------
    d : int
        Number of variables.
    digest : str
        A hash of the whole graph and its constants, the same in every process.

    Notes
    -----
    At a kink of `abs`, `maximum`, `where` and the like a derivative is that of the branch that is taken there. Up to
    six variables are differentiated forward, along the axes; more by one sweep backwards, which costs a few evaluations
    of f however many variables there are.

    Examples
    --------
    >>> bowl = record(lambda t: (t**2).sum(-1), 2)
    >>> bowl.value_and_gradient([3.0, 4.0])
    (np.float64(25.0), array([6., 8.]))
    >>> bowl.hessian_vector([3.0, 4.0], [1.0, 0.0])
    array([2., 0.])
    """

    def __init__(self, node: Node, d: int) -> None:
        self.node, self.d = node, d
        self._programs: dict[tuple[tuple[str, ...], bool], Program | None] = {}

    def __repr__(self) -> str:
        return f"<Expression of {self.d} variables>"

    def __reduce__(self) -> tuple[Any, ...]:
        slope = vars(self).get("slope")  # which may have been written by hand
        return _again, (listed(self.node), self.d, None if slope is None else listed(slope))

    @property
    def digest(self) -> str:
        return self.node.digest.hex()

    @cached_property
    def slope(self) -> Node:
        """∇f, a node of shape (d,)."""
        return gradient(self.node, self.d)

    @cached_property
    def curvature(self) -> Node:
        """∇²f, a node of shape (d, d)."""
        return hessian(self.node, self.d)

    @cached_property
    def bend(self) -> Node:
        """∇²f·v, a node of shape (d,) with the input `vector`."""
        return directional([self.slope], Node("vector", (), (self.d,)))[0]

    @cached_property
    def operations(self) -> list[Node]:
        """What f, ∇f and ∇²f need, each operation once."""
        return [n for n in ordered([self.node, self.slope, self.curvature]) if not n.is_constant]

    @cached_property
    def is_smooth(self) -> bool:
        """Whether f is made of operations without kinks and jumps."""
        return all(map(is_smooth, ordered([self.node])))

    @property
    def too_long(self) -> str:
        """Why this is no function to compile, in words; "" where it is one: longer texts take compilers minutes."""
        count = len(self.operations)
        return f"it takes {count} operations, and {LONGEST} at most are compiled" if count > LONGEST else ""

    @cached_property
    def cost(self) -> int:
        """About how many numbers f, ∇f and ∇²f make on arrays for one θ: those of f, for itself and each derivative."""
        value = sum(node.size for node in ordered([self.node]) if not node.is_constant)
        return value * (self.d + 1) * (self.d + 2) // 2

    def value(self, theta: Array) -> Array:
        """f(θ), shape (...)."""
        return self.parts(*self._parameters(theta), "node")[0]

    def gradient(self, theta: Array) -> Array:
        """∇f(θ), shape (..., d).

        Examples
        --------
        >>> record(lambda t: t[..., 0] * t[..., 1], 2).gradient([3.0, 5.0])
        array([5., 3.])
        """
        return self.parts(*self._parameters(theta), "slope")[0]

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """The pair (f(θ), ∇f(θ)) from one evaluation."""
        value, slope = self.parts(*self._parameters(theta), "node", "slope")
        return value, slope

    def hessian(self, theta: Array) -> Array:
        """∇²f(θ), shape (..., d, d)."""
        return self.parts(*self._parameters(theta), "curvature")[0]

    def _rows(self, xp: Namespace, theta: Array) -> Array:
        """∇²f(θ) of many variables, by its products with the axes."""
        axes = xp.eye(self.d, dtype=theta.dtype)
        rows = xp.broadcast_to(theta[..., None, :], (*theta.shape, self.d))
        return evaluate([self.bend], xp, rows, xp.broadcast_to(axes, rows.shape))[0]

    def hessian_vector(self, theta: Array, vector: Array) -> Array:
        """∇²f(θ)·v, shape (..., d), in the memory of a few evaluations of f."""
        xp, theta, vector = floating("theta and vector", theta, vector)
        self._parameters(theta)
        return evaluate([self.bend], xp, theta, vector)[0]

    def balls(self, theta: Any, order: int = 2) -> tuple[Any, ...]:
        """f, ∇f and ∇²f at a point of python-flint's balls, at its working precision.

        Parameters
        ----------
        theta : sequence of arb (d,)
        order : int
            Of the last derivative.

        Returns
        -------
        tuple of object arrays of shapes (), (d,) and (d, d)
        """
        return tuple(evaluate_balls([getattr(self, part) for part in PARTS[: order + 1]], theta))

    def with_gradient(self, gradient: Callable[[Array], Array]) -> Expression:
        """The same function, of which ∇f is found by a formula, array (d,) → (d,), that is recorded as well."""
        expression = Expression(self.node, self.d)
        expression.slope = as_node(_run(gradient, self.d))
        return expression

    def source(self, language: str, *, order: int = 2, name: str = "f") -> str:
        """The text of a function of one θ that returns f and stores ∇f and ∇²f.

        Parameters
        ----------
        language : {"numba", "cuda", "c", "javascript"}
            "numba" is Python that numba compiles and that also runs without it.
        order : {2, 1, 0}
            Whether f, ∇f, ∇²f are computed, or the first two, or f alone.
        name : str
            Of the function: ``name(x, g, h)`` reads θ from x, returns f, stores ∇f in g and ∇²f, row by row, in h.

        Returns
        -------
        str
            Complete, with the constants of f. A sum over more than 8 terms is a loop, so that the text does not grow
            with the number of terms.

        Examples
        --------
        >>> print(record(lambda t: t[..., 0] ** 2, 1).source("c", order=1, name="bowl").partition("double bowl")[2])
        (const double *x, double *g, double *h)
        {
            const double t1 = x[0];
            const double t2 = (t1 * t1);
            const double t3 = (2.0 * t1);
            g[0] = t3;
            return t2;
        }
        <BLANKLINE>
        """
        if language not in LANGUAGES:
            raise ValueError(f"language must be one of {', '.join(sorted(LANGUAGES))}, got {language!r}")
        if order not in (0, 1, 2):
            raise ValueError(f"order must be 0, 1 or 2, got {order!r}")
        if not name.isidentifier():
            raise ValueError(f"name must be a name of a function, got {name!r}")
        slope, curvature = self.slope if order else None, self.curvature if order == 2 else None
        return written(LANGUAGES[language], name, self.node, slope, curvature)

    def block_source(self, *, order: int, name: str, one: str) -> str:
        """The text of a numba function of many θ: ``name(x, values, g, h)`` reads them from the rows of x.

        `one` is the name that the function of one θ, of the same order, has where the text is compiled.
        """
        nodes = [self.node, *([self.slope] if order else []), *([self.curvature] if order == 2 else [])]
        return written_for_lanes(name, one, self.d, *nodes)

    def _parameters(self, theta: Array) -> tuple[Any, Array]:
        xp, theta = floating("theta", theta)
        if theta.ndim == 0 or theta.shape[-1] != self.d:
            raise ValueError(f"theta must have shape (..., {self.d}), got {tuple(theta.shape)}")
        return xp, theta

    def parts(self, xp: Namespace, theta: Array, *names: str) -> list[Array]:
        """`node`, `slope` and `curvature`, those that are named, at θ of the right shape and a floating dtype."""
        if (program := self.program(*names, exact=hasattr(theta, "constant"))) is not None:
            return program(xp, theta)
        if self.d > SMALL and "curvature" in names:
            return [self._rows(xp, theta)] if len(names) == 1 else [self.parts(xp, theta, name)[0] for name in names]
        return evaluate([getattr(self, name) for name in names], xp, theta)

    def program(self, *names: str, exact: bool = False) -> Program | None:
        """Such parts as text, if there are few variables, and it does not make many more numbers than arrays do."""
        key = names, exact
        if key not in self._programs:
            self._programs[key] = self._written(names, exact) if self.d <= SMALL or exact else None
        return self._programs[key]

    def _written(self, names: tuple[str, ...], exact: bool) -> Program | None:
        nodes = [getattr(self, name) for name in names]
        try:
            program = Program(nodes, exact)
        except TooLong:
            return None
        of_arrays = sum(node.size for node in ordered(nodes) if not node.is_constant)
        return program if exact or program.work <= 2 * of_arrays else None


SMALL = 12
"""Up to so many variables derivatives are programs, number by number; beyond, they are graphs of arrays."""
PARTS = ("node", "slope", "curvature")
TRIALS = 8
"""A recording is compared with the function at so many points."""
AGREEMENT = 1e-9
"""Relative to the largest value: sums in another order differ by less, another formula by more."""


def record(function: Callable[[Array], Array], d: int) -> Expression:
    """Run a function once on a recording array, and keep what it did.

    Parameters
    ----------
    function : callable
        f: array (d,) → array () of the array API standard, written in its functions (through
        ``theta.__array_namespace__()``), in NumPy's own, in operators, methods and slices. Of a function that numba
        compiled, the Python function is run.
    d : int
        Number of variables.

    Returns
    -------
    Expression

    Raises
    ------
    RecordingError
        A `TypeError`: f branches on data, asks for a number, writes into an array, or calls what is not implemented.
        The message quotes the line and says what to write instead. Also where the recording and f itself differ at one
        of several points, as when f draws random numbers.
    ValueError
        f does not return one number.

    Examples
    --------
    >>> import numpy as np
    >>> wave = record(lambda t: np.sin(t[..., 0]) * np.exp(t[..., 1]), 2)
    >>> wave.gradient([0.0, 0.0])
    array([1., 0.])
    >>> wave.hessian([0.0, 0.0])
    array([[-0.,  1.],
           [ 1.,  0.]])
    """
    if not callable(function):
        raise TypeError(f"function must be callable, got {function!r}")
    d = whole("d", d, 1)
    expression = Expression(_returned(_run(function, d)), d)
    if told := difference(expression, function, ()):
        raise RecordingError(f"the recording is not the function: {told}")
    return expression


def _again(node: list[Any], d: int, slope: list[Any] | None) -> Expression:
    expression = Expression(from_list(node), d)
    if slope is not None:
        expression.slope = from_list(slope)
    return expression


def _run(function: Callable[[Array], Array], d: int) -> Any:
    try:
        return getattr(function, "py_func", function)(Recorded(theta(d)))  # what numba compiled stands in py_func
    except RecordingError:
        raise
    except Exception as error:
        said = str(error).partition("\n")[0]
        raise RecordingError(f"the function cannot be recorded: it raised {type(error).__name__}: {said}") from error


def _returned(result: Any) -> Node:
    if isinstance(result, tuple):
        raise ValueError(f"function must return one array, got {len(result)} of them")
    node = result.node if isinstance(result, Recorded) else constant(namespace.asarray(result))
    if node.shape != ():
        raise ValueError(f"function must return one number for theta of shape (d,), got shape {node.shape}")
    return numeric(node)


def trial_points(d: int, count: int) -> NDArray[Any]:
    """Points (count, d) spread over [−2, 2]ᵈ, always the same."""
    return 4 * kronecker(d, 1, count + 1) - 2


def difference(expression: Expression, function: Callable[[Array], Array], batch: tuple[int, ...]) -> str:
    """Where a recording and its function differ at points (batch..., d), in words; "" if nowhere."""
    count = 1 if batch else TRIALS
    points = trial_points(expression.d, count * math.prod(batch)).reshape(count, *batch, expression.d)
    with numpy.errstate(all="ignore"):
        try:
            expected = numpy.stack([numpy.asarray(function(point.copy()), dtype=float) for point in points])
        except Exception as error:
            said = str(error).partition("\n")[0]
            return f"for theta of shape {points.shape[1:]} the function raised {type(error).__name__}: {said}"
        found = expression.value(points)
    if expected.shape != found.shape:
        return f"for theta of shape {points.shape[1:]} the function returns shape {expected.shape[1:]}"
    same = agreeing(found, expected)
    if same.all():
        return ""
    worst = tuple(int(i) for i in numpy.argwhere(~same)[0])
    return f"at {points[worst].tolist()} it is {found[worst]}, the function {expected[worst]}"


def agreeing(found: NDArray[Any], expected: NDArray[Any]) -> NDArray[Any]:
    """Which values of a recording are those of its function, up to rounding."""
    size = numpy.max(numpy.abs(expected), where=numpy.isfinite(expected), initial=0.0)
    with numpy.errstate(invalid="ignore"):
        same = (numpy.abs(expected - found) <= AGREEMENT * size) | (expected == found)
    return same | (numpy.isnan(expected) & numpy.isnan(found))
