"""Models of landscapes in files: what searches have learned of a surface serves the next process as well."""

from __future__ import annotations

import hashlib
import json
import warnings
from os import PathLike
from zipfile import BadZipFile

import numpy

from geometry._files import whole_file
from geometry._namespace import whole
from geometry.certified._landscape import Landscape, Unsuitable, known_landscape, remember
from geometry.graph import FunctionGraph, check_surface

__all__ = ["load_model", "save_model"]

FORMAT = 1  # of the file, and of what its numbers prove
PARTS = ("rows", "links", "depth", "hopeless", "coefficients", "places", "sizes")


def save_model(surface: FunctionGraph, d: int, path: str | PathLike[str]) -> None:
    """Save the model of a landscape that certified searches have made in this process.

    Parameters
    ----------
    surface : FunctionGraph
    d : int
        Dimension of θ.
    path : path
        Of the file, in NumPy's format `.npz`.

    Raises
    ------
    ValueError
        If there is no model: a first call for 64 points or more makes one, if f is analytic and d ≤ 3.

    Examples
    --------
    >>> import numpy as np, tempfile, os
    >>> from geometry import FunctionGraph
    >>> from geometry.certified import distance
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> queries = np.linspace(-3, 3, 200).reshape(100, 2)
    >>> found = distance(wave, queries)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(wave, 1, os.path.join(folder, "wave.npz"))
    ...     load_model(wave, 1, os.path.join(folder, "wave.npz"))
    True
    """
    check_surface(surface)
    digest = surface.expression(whole("d", d, 1)).digest
    landscape = known_landscape(digest)
    if landscape is None:
        raise ValueError(f"there is no model of {surface.name} yet: certified.distance makes one for many points")
    arrays = {name: getattr(landscape, name) for name in PARTS}
    arrays |= {name: arrays[name][: landscape.count] for name in PARTS[:4]}
    corners = numpy.array(list(landscape._roots), dtype=numpy.int64).reshape(-1, d)
    arrays |= {"corners": corners, "roots": numpy.array(list(landscape._roots.values()), dtype=numpy.int64)}
    identity = {"format": FORMAT, "function": digest, "d": d, "side": landscape.side, "target": landscape.target}
    about = json.dumps(identity | {"checksum": _checksum(identity, arrays)})
    with whole_file(path) as file:
        numpy.savez(file, about=numpy.array(about), **arrays)


def load_model(surface: FunctionGraph, d: int, path: str | PathLike[str]) -> bool:
    """Use the model of a landscape from a file.

    Parameters
    ----------
    surface, d, path
        As in `save_model`.

    Returns
    -------
    bool
        Whether the file was of use. If it is damaged, or of another function, a warning says so, and searches make a
        model of their own. Its checksum tells accidents, not forgeries: take models from whom you would take code from.

    Raises
    ------
    FileNotFoundError

    Examples
    --------
    >>> import numpy as np, tempfile, os
    >>> from geometry import FunctionGraph
    >>> from geometry.certified import distance
    >>> hills = FunctionGraph(lambda t: np.cos(t[..., 0]))
    >>> found = distance(hills, np.linspace(-2, 2, 200).reshape(100, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(hills, 1, os.path.join(folder, "hills.npz"))
    ...     load_model(hills, 1, os.path.join(folder, "hills.npz"))
    True
    """
    check_surface(surface)
    digest, told = surface.expression(whole("d", d, 1)).digest, ""
    try:
        with open(path, "rb") as stream, numpy.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
        identity = {key: about[key] for key in ("format", "function", "d", "side", "target")}
        if about["checksum"] != _checksum(identity, arrays):
            told = "is damaged"
        elif (about["format"], about["function"], about["d"]) != (FORMAT, digest, d):
            told = "is of another function, or another version of this package"
    except (ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        told = f"is damaged ({error})"
    if not told:
        try:
            landscape = Landscape(surface, d, about["side"], about["target"])
        except Unsuitable:
            return False
        for name in PARTS:
            setattr(landscape, name, arrays[name])
        landscape.count = len(arrays["rows"])
        corners = (tuple(map(int, corner)) for corner in arrays["corners"])
        landscape._roots = dict(zip(corners, map(int, arrays["roots"]), strict=True))
        remember(digest, landscape)
        return True
    warnings.warn(f"{path} {told}: the model is made anew", stacklevel=2)
    return False


def _checksum(identity: dict[str, object], arrays: dict[str, numpy.ndarray]) -> str:
    total = hashlib.blake2b(json.dumps(identity).encode(), digest_size=16)
    for name in sorted(arrays):
        total.update(f"{name}{arrays[name].dtype}{arrays[name].shape}".encode())
        total.update(numpy.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()
