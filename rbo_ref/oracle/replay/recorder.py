"""Recording real runs: of PyTorch's optimizers, of Optax's transformations, and of any other loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy
from numpy.typing import NDArray

from geometry._namespace import is_array_api_obj, to_numpy
from rbo_ref.oracle.adapters import SPELLINGS
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.dialects import dialect_of, optimizer_of
from rbo_ref.oracle.replay.files import save_recording
from rbo_ref.oracle.replay.recording import HYPERS, Recording, RecordingError
from rbo_ref.oracle.replay.told import TOLD

__all__ = ["Recorder"]

SUFFIXES = (".npz", ".csv", ".jsonl")


class _Evaluation(NamedTuple):
    """What a port was told of the loss, and where."""

    theta: list[NDArray[Any]]  # one for each recording
    gradient: list[NDArray[Any]]
    value: float


class _Row(NamedTuple):
    """A step of one recording."""

    theta: NDArray[Any]
    gradient: NDArray[Any]
    value: float
    inner: list[tuple[NDArray[Any], NDArray[Any], float]]  # further evaluations: place, gradient, value
    hyper: Mapping[str, Any]


class Recorder:
    """Records the steps that are taken inside a ``with`` block, and writes them when it ends, however it ends.

    Parameters
    ----------
    path : str or Path
        The file, in NPZ, CSV or JSON Lines by its suffix. It is written as a whole or not at all. Where there are
        several groups of parameters that do not know of each other, as in SGD and Adam, each has a file of its own:
        run-0.npz, run-1.npz.
    optimizer : str
        What the steps claim to be, see `rbo_ref.oracle.OPTIMIZERS`.
    dialect : str, optional
    **hyper
        Hyper-parameters that the optimizer cannot be asked for: numbers, lists of one for each step, or functions of
        the number of the step, as Optax's schedules are.

    Notes
    -----
    ``rbo-ref replay run.npz`` judges runs of gradient descent, Adam and AdamW by the gradients in the recording, and
    runs of the rolling ball by its inner iterates, whatever the loss was; of any other optimizer it needs the loss. All
    steps are held in memory until the block ends: two arrays of the size of the model for each.

    Examples
    --------
    A loop of one's own says itself what happens:

    >>> import tempfile
    >>> from rbo_ref.oracle import check_trajectory
    >>> path, theta = Path(tempfile.mkdtemp()) / "run.npz", numpy.array([1.0, -2.0])
    >>> with Recorder(path, "gradient-descent", learning_rate=lambda t: 0.5 / (t + 1)) as recorder:
    ...     for t in range(4):
    ...         gradient, before = theta**3, theta
    ...         theta = theta - 0.5 / (t + 1) * gradient
    ...         recorder.add(before, gradient, after=theta)
    >>> check_trajectory(path).verdict
    'RIGHT'
    """

    def __init__(self, path: str | Path, optimizer: str, *, dialect: str | None = None, **hyper: Any) -> None:
        self.path, self.optimizer = Path(path), optimizer_of(optimizer)
        self.dialect = dialect_of(dialect, self.optimizer)
        if self.path.suffix not in SUFFIXES:
            raise ValueError(f"path must end in {', '.join(SUFFIXES)}, got {str(path)!r}")
        self._known = tuple(all_cases(self.optimizer)[0].hyper(0))
        if unknown := [name for name in hyper if name not in self._known]:
            raise TypeError(f"{optimizer} has no {', '.join(unknown)}, but {', '.join(self._known)}")
        self._hyper, self._rows, self._end = hyper, list[list[_Row]](), list[NDArray[Any]]()
        self._dtype: str | None = None
        self._leave: list[Callable[[], Any]] = []
        self._number: Callable[[int], Any] = int  # of a step, as a schedule is given it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for leave in self._leave:
                leave()
        finally:
            self._leave = []
            if self._rows:
                self._write()
        if error is None and not self._rows:
            raise RecordingError("no step was taken while the recorder looked on")

    def add(self, theta: Any, gradient: Any, value: float = numpy.nan, *, after: Any, **hyper: Any) -> None:
        """Record a step.

        Parameters
        ----------
        theta, gradient, after : array (d,)
            Where the step began, the gradient that it was told there, and where it led.
        value : float
            Of the loss there.
        **hyper
            Of this step.
        """
        start, slope, end = (self._flat([array]) for array in (theta, gradient, after))
        self._step([_Evaluation([start], [slope], float(value))], [hyper], [end])

    # --- PyTorch ----------------------------------------------------------------------------------------------------

    def watch(self, optimizer: Any) -> None:
        """Record every ``step()`` and ``step(closure)`` of a PyTorch optimizer from here on.

        The rates are read from its groups before each step, so that schedules are recorded too. With a closure the
        value, and the gradients at all places where it is called, are recorded.
        """
        asked: list[_Evaluation] = []

        def before(_: Any, args: Any, kwargs: Any) -> Any:
            asked.clear()
            self._refuse_jump(self._places(optimizer))
            closure = args[1] if len(args) > 1 else kwargs.get("closure")  # the first is the optimizer
            if closure is None:
                asked.append(_Evaluation(self._places(optimizer), self._slopes(optimizer), numpy.nan))
                return None

            def heard() -> Any:
                places = self._places(optimizer)
                value = closure()
                asked.append(_Evaluation(places, self._slopes(optimizer), float(_plain(value))))
                return value

            return ((args[0], heard, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "closure": heard})

        def after(_: Any, args: Any, kwargs: Any) -> None:
            self._step(asked, self._rates(optimizer), self._places(optimizer))

        hooks = optimizer.register_step_pre_hook(before), optimizer.register_step_post_hook(after)
        self._leave += [hook.remove for hook in hooks]

    def _groups(self, optimizer: Any) -> list[list[Any]]:
        """The parameters of each recording."""
        groups = [[p for p in group["params"] if p.requires_grad] for group in optimizer.param_groups]
        return groups if self.optimizer in TOLD else [list(chain.from_iterable(groups))]

    def _places(self, optimizer: Any) -> list[NDArray[Any]]:
        return [self._flat([p.detach() for p in group]) for group in self._groups(optimizer)]

    def _slopes(self, optimizer: Any) -> list[NDArray[Any]]:
        if any(p.grad is None for group in self._groups(optimizer) for p in group):
            raise RecordingError("a parameter has no gradient: it is not to be moved, and must not be recorded")
        return [self._flat([p.grad for p in group]) for group in self._groups(optimizer)]

    def _rates(self, optimizer: Any) -> list[dict[str, Any]]:
        """The hyper-parameters of each recording."""
        found = []
        for group in optimizer.param_groups:
            spelled = {
                name: next((s for s in (name, *SPELLINGS.get(name, ())) if s in group), "") for name in self._known
            }
            found.append({name: _plain(group[s]) for name, s in spelled.items() if s})
        if self.optimizer not in TOLD and any(rates != found[0] for rates in found):
            raise RecordingError(f"{self.optimizer} moves all parameters together, but its groups have different rates")
        return found if self.optimizer in TOLD else found[:1]

    def _refuse_jump(self, places: Sequence[NDArray[Any]]) -> None:
        """Between two steps nothing may move the parameters: it would be taken for a part of the step."""
        same = len(places) == len(self._end) and all(map(_equal, places, self._end))
        if self._end and not same:
            raise RecordingError("the parameters were changed between two steps, by other than the optimizer")

    # --- JAX --------------------------------------------------------------------------------------------------------

    def wrapped(self, transformation: Any) -> Any:
        """An Optax transformation that does the same, and records every update; also under ``jax.jit``.

        The gradients are the updates that it is given. It must be given the parameters, too; where it is given a
        ``value``, and a ``value_and_grad_fn`` to ask for more, what it is told is recorded.
        """
        import jax
        import optax
        from jax.experimental import io_callback

        inside, further = optax.with_extra_args_support(transformation), list[_Evaluation]()

        def heard(place: Any, slope: Any, value: Any) -> None:
            further.append(_Evaluation([self._flat(place)], [self._flat(slope)], float(value)))

        def seen(start: Any, slope: Any, end: Any, value: Any) -> None:
            first = _Evaluation([self._flat(start)], [self._flat(slope)], float(value))
            self._step([first, *further], [{}], [self._flat(end)])
            further.clear()

        def listening(function: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any], tuple[Any, Any]]:
            def value_and_grad(params: Any) -> tuple[Any, Any]:
                value, slope = function(params)
                io_callback(heard, None, *map(jax.tree.leaves, (params, slope)), value, ordered=True)
                return value, slope

            return value_and_grad

        def update(updates: Any, state: Any, params: Any = None, **more: Any) -> Any:
            if params is None:
                raise RecordingError("update(gradients, state, params) must be given the parameters to be recorded")
            heard_of = {name: listening(more[name]) for name in ("value_and_grad_fn",) if name in more}
            moves, state = inside.update(updates, state, params, **(more | heard_of))
            leaves = map(jax.tree.leaves, (params, updates, optax.apply_updates(params, moves)))
            io_callback(seen, None, *leaves, more.get("value", numpy.nan), ordered=True)
            return moves, state

        self._leave.append(jax.effects_barrier)
        self._number = jax.numpy.int32  # as Optax counts: a rate of float32 also where x64 is on
        return optax.GradientTransformationExtraArgs(inside.init, update)

    # --- what is written --------------------------------------------------------------------------------------------

    def _flat(self, arrays: Sequence[Any]) -> NDArray[Any]:
        """A copy of arrays of one format, one after the other."""
        for array in arrays:
            dtype = str(array.dtype).rpartition(".")[2]
            if self._dtype not in (None, dtype):
                raise RecordingError(f"a recording holds numbers of one format, got {self._dtype} and {dtype}")
            self._dtype = dtype
        return numpy.concatenate([numpy.array(_held(array)).reshape(-1) for array in arrays])

    def _step(self, asked: Sequence[_Evaluation], rates: list[dict[str, Any]], end: list[NDArray[Any]]) -> None:
        """A step is done, in as many recordings as there are ends."""
        if not asked:
            raise RecordingError("the optimizer took a step without calling its closure")
        self._rows = self._rows or [[] for _ in end]
        first, further = asked[0], asked[1:]
        if self.optimizer == "rolling-ball" and len(asked) == rates[0].get("projection_steps", self._count()):
            further = asked  # the first inner iterate is the contact, where it was not asked again
        for i, (rows, hyper) in enumerate(zip(self._rows, rates, strict=True)):
            inner = [(e.theta[i], e.gradient[i], e.value) for e in further]
            rows.append(_Row(first.theta[i], first.gradient[i], first.value, inner, hyper))
        self._end = end

    def _count(self) -> Any:
        return self._hyper.get("projection_steps")

    def _write(self) -> None:
        for number, (rows, end) in enumerate(zip(self._rows, self._end, strict=True)):
            path = self.path if len(self._end) == 1 else self.path.with_stem(f"{self.path.stem}-{number}")
            save_recording(self._recording(rows, end), path)

    def _recording(self, rows: Sequence[_Row], end: NDArray[Any]) -> Recording:
        theta = numpy.stack([*(row.theta for row in rows), end])
        fields: dict[str, Any] = {"gradient": numpy.stack([row.gradient for row in rows])}
        values = numpy.array([row.value for row in rows])
        fields |= {} if numpy.isnan(values).any() else {"value": values}
        lengths = {len(row.inner) for row in rows}
        if lengths != {0} and len(lengths) == 1 and self.path.suffix != ".csv":
            for place, name in enumerate(("inner", "inner_gradient", "inner_value")):
                fields[name] = numpy.stack([numpy.stack([e[place] for e in row.inner]) for row in rows])
        for name in self._known:
            found = self._schedule(name, rows)
            fields |= {} if found is None else {name: found}
        about = {"optimizer": self.optimizer, "dialect": self.dialect, "dtype": self._dtype}
        return Recording(theta, **about, **fields)

    def _schedule(self, name: str, rows: Sequence[_Row]) -> Any:
        """A hyper-parameter: of all steps where it is the same, else of each; None where nobody knows it."""
        if name not in self._hyper:
            values = [row.hyper.get(name) for row in rows]
        elif callable(self._hyper[name]):
            values = [_plain(self._hyper[name](self._number(t))) for t in range(len(rows))]
        else:
            return _plain(self._hyper[name])
        if values.count(values[0]) == len(values):
            return values[0]
        return numpy.array(values) if name in HYPERS else values


def _held(array: Any) -> NDArray[Any]:
    """An array in NumPy; bfloat16, which NumPy lacks, in float32."""
    if str(array.dtype).endswith("bfloat16"):
        array = array.float() if hasattr(array, "float") else array.astype("float32")
    return to_numpy(array) if is_array_api_obj(array) else numpy.asarray(array)


def _plain(value: Any) -> Any:
    """A hyper-parameter as JSON holds it."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return numpy.array_equal(one, other, equal_nan=True)
