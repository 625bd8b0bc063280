"""Recorded runs: their fields and metadata, whatever file they come from.

Row t of a recording holds θ_t and what the step from it was made with; the last row holds θ_T alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry._namespace import is_array_api_obj, to_numpy
from geometry.arithmetic.formats import Format, format_of, rounded
from rbo_ref._words import Quoting

__all__ = ["FIELDS", "HYPERS", "Piece", "Recording", "RecordingError", "Rows", "filled", "verified"]

HYPERS = ("learning_rate", "radius", "projection_rate", "projection_steps")
FIELDS: dict[str, tuple[str, ...]] = {  # the axes behind that of the steps
    "theta": ("d",),
    **dict.fromkeys(HYPERS, ()),
    "value": (),
    "gradient": ("d",),
    "inner": ("P", "d"),
    "inner_value": ("P",),
    "inner_gradient": ("P", "d"),
}
LARGEST_ROW = 2**24  # numbers in a row
Rows = dict[str, NDArray[Any]]  # fields of successive rows, first axis: row


class RecordingError(Quoting, ValueError):
    """What is wrong with a recording, in a sentence."""


class Piece(NamedTuple):
    """Successive steps of a recording."""

    first: int  # number of the first step
    theta: NDArray[Any]  # (n + 1, d)
    fields: Rows  # of n steps

    def __len__(self) -> int:
        return len(self.theta) - 1

    def part(self, start: int, stop: int) -> Piece:
        """Steps `start` to `stop` of these."""
        fields = {name: array[start:stop] for name, array in self.fields.items()}
        return Piece(self.first + start, self.theta[start : stop + 1], fields)


class Recording:
    """A recorded run of T steps.

    Parameters
    ----------
    theta : array (T + 1, d)
        θ_0, ..., θ_T, in the dtype that they were computed in.
    learning_rate, radius, projection_rate, projection_steps : float, int or array (T,), optional
        Hyper-parameters of all steps, or of each.
    value, gradient : array (T,) and (T, d), optional
        f(θ_t) and ∇f(θ_t) as the port saw them.
    inner, inner_value, inner_gradient : array (T, P, d), (T, P) and (T, P, d), optional
        The inner iterates θ^(0), ..., θ^(P−1) at which the port asked for the loss, and what it was told there.
    dtype : str, optional
        The format of the numbers, if it is not that of the array `theta`: "bfloat16" in an array of float32.
    metadata
        Anything else worth keeping: dialect, loss, port, ...

    Attributes
    ----------
    metadata : dict
        With "dtype" and those hyper-parameters that all steps share.
    name : str
        What reports call it: the path of its file.

    Examples
    --------
    >>> recording = Recording([[1.0], [0.75]], learning_rate=0.5, radius=1.0, projection_rate=0.25, projection_steps=1)
    >>> recording.metadata["dtype"], recording.dimension
    ('float64', 1)
    >>> [len(piece) for piece in recording.pieces(100)]
    [1]
    """

    name = "recording"

    def __init__(self, theta: Any, *, dtype: str | None = None, **fields_and_metadata: Any) -> None:
        arrays = {"theta": _array("theta", theta)}
        own = str(getattr(theta, "dtype", "")).rpartition(".")[2]
        metadata: dict[str, Any] = {"dtype": dtype or ("bfloat16" if own == "bfloat16" else arrays["theta"].dtype.name)}
        for name, value in fields_and_metadata.items():
            if value is None:
                continue
            if name not in FIELDS or (name in HYPERS and numpy.ndim(value) == 0):
                metadata[name] = value
            else:
                arrays[name] = _array(name, value)
        self._start(metadata, {name: array.shape[1:] for name, array in arrays.items()}, _slices(arrays))

    @classmethod
    def of_rows(
        cls,
        metadata: dict[str, Any],
        shapes: dict[str, tuple[int, ...]],
        rows: Callable[[int], Iterator[Rows]],
        name: str = "recording",
    ) -> Recording:
        """A recording of which the rows are fetched when they are needed.

        Parameters
        ----------
        metadata : dict
        shapes : dict
            The shape of each field in one row.
        rows : callable
            ``rows(size)`` → an iterator over the fields of at most `size` successive rows.
        name : str
            What reports call it.

        Examples
        --------
        >>> numbers = lambda size: iter([{"theta": numpy.zeros((3, 2))}])
        >>> recording = Recording.of_rows({"dtype": "float64"}, {"theta": (2,)}, numbers)
        >>> [piece.theta.shape for piece in recording.pieces(10)]
        [(3, 2)]
        """
        recording = cls.__new__(cls)
        recording._start(metadata, shapes, rows)
        recording.name = name
        return recording

    def _start(
        self, metadata: dict[str, Any], shapes: dict[str, tuple[int, ...]], rows: Callable[[int], Iterator[Rows]]
    ) -> None:
        self.metadata, self.raw_rows = verified(metadata), rows
        self.shapes = _consistent(shapes)

    @property
    def dimension(self) -> int:
        """d."""
        return self.shapes["theta"][0]

    @property
    def target(self) -> Format:
        """The format of its numbers."""
        return format_of(self.metadata["dtype"])

    def rows(self, size: int) -> Iterator[Rows]:
        """The rows, at most `size` at a time, in numbers of the format."""
        for rows in self.raw_rows(size):
            yield {name: rows[name] if name in HYPERS else rounded(rows[name], self.target) for name in rows}

    def pieces(self, size: int) -> Iterator[Piece]:
        """The steps, at most `size` at a time; each piece begins where the last one ended."""
        held: Rows | None = None
        first = 0
        for rows in self.rows(size):
            if held is not None:
                rows = {name: numpy.concatenate([held[name], rows[name]]) for name in rows}
            steps = len(rows["theta"]) - 1
            if steps > 0:
                yield Piece(first, rows["theta"], {n: a[:-1] for n, a in rows.items() if n != "theta"})
                first += steps
            held = {name: array[-1:] for name, array in rows.items()}


def _array(name: str, value: Any) -> NDArray[Any]:
    try:
        array = (
            to_numpy(value)
            if is_array_api_obj(value) and not isinstance(value, numpy.ndarray)
            else numpy.asarray(value)
        )
    except ValueError as error:
        raise RecordingError(f"{name} must be an array, got ragged lists") from error
    if array.dtype.kind in "iu":
        array = array.astype(float)
    if array.dtype.kind != "f":
        raise RecordingError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.ndim != 1 + len(FIELDS[name]):
        raise RecordingError(f"{name} must have shape ({', '.join(('steps', *FIELDS[name]))}), got {array.shape}")
    return array


def _slices(arrays: Rows) -> Callable[[int], Iterator[Rows]]:
    """The rows of arrays in memory: fields of T rows are filled up by one."""
    count = len(arrays["theta"])
    if not count:
        raise RecordingError("theta has no rows")
    for name, array in arrays.items():
        if not count - 1 <= len(array) <= count:
            raise RecordingError(f"{name} has {len(array)} rows, expected {count - 1}, one for each step")

    def rows(size: int) -> Iterator[Rows]:
        for start in range(0, count, size):
            stop = min(start + size, count)
            yield {name: filled(array[start:stop], stop - start) for name, array in arrays.items()}

    return rows


def filled(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """An array of `rows` rows: what is missing at the end becomes NaN."""
    missing = numpy.full((rows - len(array), *array.shape[1:]), numpy.nan, dtype=array.dtype)
    return numpy.concatenate([array, missing]) if len(missing) else array


def _consistent(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The shapes of the fields of one row, once they agree with each other."""
    if "theta" not in shapes:
        raise RecordingError(f"the recording has no theta, only {', '.join(shapes) or 'nothing'}")
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        axes = FIELDS[name]
        if len(shape) != len(axes) or any(sizes.setdefault(a, n) != n for a, n in zip(axes, shape, strict=True)):
            expected = ", ".join(str(sizes.get(axis, axis)) for axis in axes)
            raise RecordingError(f"{name} must have shape ({expected}) in every step, got {tuple(shape)}")
        if not 0 < numpy.prod([float(n) for n in shape]) <= LARGEST_ROW:
            raise RecordingError(f"{name} has shape {tuple(shape)} in every step: expected 1 to {LARGEST_ROW} numbers")
    return shapes


@cache
def _validate() -> Callable[[Any], Any]:
    import json

    import fastjsonschema

    text = resources.files("rbo_ref.oracle").joinpath("schemas/recording.json").read_text(encoding="utf-8")
    return fastjsonschema.compile(json.loads(text)["$defs"]["metadata"])


def verified(metadata: Any) -> dict[str, Any]:
    """The metadata of a recording, if they follow the schema.

    Examples
    --------
    >>> verified({"dtype": "float64", "radius": 0.5})
    {'dtype': 'float64', 'radius': 0.5}
    """
    import fastjsonschema

    try:
        _validate()(metadata)
    except fastjsonschema.JsonSchemaValueException as error:
        raise RecordingError(f"metadata: {str(error).removeprefix('data.').removeprefix('data ')}"[:300]) from error
    return dict(metadata)
