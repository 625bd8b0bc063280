"""The result of a sweep: arrays whose axes have names and labels, in memory and in one file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from enum import IntEnum
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from geometry._files import write_whole
from geometry._results import comparable

__all__ = ["Status", "SweepTable", "read_table"]


class Status(IntEnum):
    """What came of a point."""

    DONE = 0
    DIVERGED = 1  # θ or its height is infinite or NaN
    FAILED = 2  # the loss or the optimizer raised an exception


DIMS = {
    "theta": ("optimizer", "loss", "start", "parameter"),
    "height": ("optimizer", "loss", "start"),
    "status": ("optimizer", "loss", "start"),
    "starts": ("start", "parameter"),
}


@comparable
class SweepTable(NamedTuple):
    """Where every optimizer ended on every loss from every start.

    Parameters
    ----------
    optimizers, losses : tuple of str
        Labels of the first two axes.
    starts : array (n, d)
    theta : array (optimizer, loss, start, parameter)
        The last contact; NaN where a point failed.
    height : array (optimizer, loss, start)
        The loss there.
    status : int8 array (optimizer, loss, start)
        `Status`.
    messages : dict
        (optimizer, loss, number of the start) of each point that failed, with what its exception says.
    """

    optimizers: tuple[str, ...]
    losses: tuple[str, ...]
    starts: numpy.ndarray
    theta: numpy.ndarray
    height: numpy.ndarray
    status: numpy.ndarray
    messages: Mapping[tuple[str, str, int], str]

    def at(self, name: str, *, optimizer: str | None = None, loss: str | None = None) -> numpy.ndarray:
        """One of the arrays theta, height and status, of one optimizer or one loss if they are named.

        Raises
        ------
        KeyError
            For a name that is not there.
        """
        if name not in DIMS or name == "starts":
            raise KeyError(f"expected theta, height or status, got {name!r}")
        place = [_place(self.optimizers, "optimizer", optimizer), _place(self.losses, "loss", loss)]
        return getattr(self, name)[tuple(place)]

    def to_xarray(self) -> Any:
        """An ``xarray.Dataset`` with the same names. It needs xarray."""
        import xarray

        arrays = {name: (DIMS[name], getattr(self, name)) for name in ("theta", "height", "status")}
        coords = {
            "optimizer": list(self.optimizers),
            "loss": list(self.losses),
            "starts": (DIMS["starts"], self.starts),
        }
        return xarray.Dataset(arrays, coords)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the table into one file, a zipped Zarr group, as a whole or not at all; it needs Zarr.

        The arrays carry the names of their dimensions; labels and messages are attributes of the group.

        Raises
        ------
        ImportError, OSError
        """
        zarr = _zarr()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "table.zip")
            with zarr.storage.ZipStore(place, mode="w") as store:
                group = zarr.create_group(store, attributes=self._attributes())
                for name, dims in DIMS.items():
                    group.create_array(name, data=getattr(self, name), dimension_names=dims)
            write_whole(path, place.read_bytes())

    def _attributes(self) -> dict[str, Any]:
        flags = {status.name.lower(): int(status) for status in Status}
        messages = [[*place, told] for place, told in self.messages.items()]
        return {"optimizer": list(self.optimizers), "loss": list(self.losses), "status": flags, "messages": messages}


def read_table(path: str | PathLike[str]) -> SweepTable:
    """The table in a file that `SweepTable.save` wrote; it needs Zarr.

    Raises
    ------
    ImportError, OSError, ValueError
        The last for a file that holds something else.

    Examples
    --------
    >>> read_table("map.zarr.zip").at("height", optimizer="rho 0.5")  # doctest: +SKIP
    """
    zarr = _zarr()
    content = Path(path).read_bytes()
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "table.zip")
            place.write_bytes(content)
            with zarr.storage.ZipStore(place, mode="r") as store:
                group = zarr.open_group(store, mode="r")
                arrays = {name: group[name][...] for name in DIMS}
                labels = json.loads(json.dumps(dict(group.attrs)))
        messages = {(optimizer, loss, int(start)): told for optimizer, loss, start, told in labels["messages"]}
        return SweepTable(tuple(labels["optimizer"]), tuple(labels["loss"]), messages=messages, **arrays)
    except Exception as error:  # a damaged file may make zipfile and Zarr raise anything
        raise ValueError(f"{path} is no table of a sweep: {type(error).__name__}: {error}"[:200]) from error


def _place(labels: tuple[str, ...], dim: str, label: str | None) -> Any:
    if label is None:
        return slice(None)
    if label not in labels:
        raise KeyError(f"{dim} must be one of {', '.join(labels)}, got {label!r}")
    return labels.index(label)


def _zarr() -> Any:
    try:
        import zarr
    except ModuleNotFoundError as error:
        raise ImportError('tables in files need Zarr: pip install "rbo-ref[sweeps]"') from error
    return zarr
