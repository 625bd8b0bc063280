"""``rbo-ref iron``: the range of the offset function of a landscape, a profile or an image."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy

from geometry import FunctionGraph, dilate
from rbo_ref.cli._common import RIGHT, CouldNotRun
from rbo_ref.cli._heights import load_heights
from rbo_ref.cli._output import ALONE, PICTURES, add_file, check_files, check_picture, save_picture, write_text
from rbo_ref.cli._streams import say
from rbo_ref.ironed import Ironing, ironing, ironing_of_samples, ironing_of_sine
from rbo_ref.landscapes import LANDSCAPES, by_name

__all__ = ["add"]

RADII = 100_000  # in a sequence, at most
SIDE = 3.0  # half the side of the default box; of the sine, three periods as in the paper
SHOWN = 6  # ironed functions in a picture
FINE, FAR = 2000, 100  # samples of a function of one variable in a picture, and how many pictures beyond it


def add(iron: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    iron.description = _iron.__doc__
    known = ", ".join(LANDSCAPES)
    iron.add_argument("target", metavar="LANDSCAPE|FILE", help=f"a .npy file, a table, an image, or one of {known}")
    iron.add_argument(
        "--radius", nargs="+", required=True, metavar="R", help="radii; LOW:HIGH:COUNT is a geometric sequence"
    )
    iron.add_argument(
        "--box", nargs=2, type=float, action="append", metavar=("LOW", "HIGH"), help="of a landscape, per dimension"
    )
    iron.add_argument("--spacing", nargs="+", type=float, metavar="H", help="of samples; one, or one per axis")
    iron.add_argument("--boundary", choices=("none", "periodic"), help="of samples")
    iron.add_argument("--nan", choices=("raise", "omit", "propagate"), help="of samples")
    iron.add_argument("--page", type=int, metavar="N", help="of an image file with several, from 1 up")
    add_file(iron, "--json", "write the result as JSON", ALONE)
    add_file(iron, "--out", f"a picture: {', '.join(PICTURES)}")
    iron.set_defaults(run=_iron)


@numpy.errstate(all="ignore")
def _iron(options: argparse.Namespace) -> int:
    """The range Δ(ρ) = max f_ρ − min f_ρ of the offset function, for balls of several radii.

    A landscape is given by its name, samples by a .npy file of any dimension, by a text (a column of heights, positions
    and heights, or the rows of an image), or by an image, whose heights are its grey levels; pages of a TIFF are the
    slices of a volume. Radius, spacing and heights have one unit.
    """
    check_files(json=options.json, out=options.out)
    if options.out:
        check_picture(options.out)
    radii = sorted({radius for text in options.radius for radius in _radii(text)})
    try:
        iron = _of_landscape if options.target in LANDSCAPES else _of_file
        result, profile = iron(options, radii)
        if options.json != "-":
            _print(result)
        if options.json:
            _write_json(options.target, result, options.json)
        if options.out:
            save_picture(_figure(options.target, result, profile()), options.out)
    except (TypeError, ValueError, ImportError, MemoryError) as error:
        raise CouldNotRun(str(error) or "there is not enough memory") from error
    except ArithmeticError as error:
        raise CouldNotRun(f"radius, box, spacing and heights differ too much in size: {error}") from error
    return RIGHT


def _radii(text: str) -> Iterator[float]:
    """One number, or LOW:HIGH:COUNT."""
    parts = text.split(":")
    try:
        if len(parts) == 1:
            yield float(text)
            return
        low, high, count = float(parts[0]), float(parts[1]), int(parts[2])
    except (ValueError, IndexError) as error:
        raise CouldNotRun(f"--radius takes numbers or LOW:HIGH:COUNT, got {text!r}") from error
    if not (0 < low < high < math.inf and 2 <= count <= RADII and len(parts) == 3):
        raise CouldNotRun(f"--radius LOW:HIGH:COUNT needs 0 < LOW < HIGH and COUNT >= 2, at most {RADII}, got {text!r}")
    yield from numpy.geomspace(low, high, count).tolist()


Profile = tuple[Any, Any, list[tuple[float, Any]]]  # places, heights, and f_ρ for some radii
Work = tuple[Ironing, Callable[[], Profile | None]]


def _of_landscape(options: argparse.Namespace, radii: list[float]) -> Work:
    given = [name for name in ("spacing", "boundary", "nan", "page") if getattr(options, name) is not None]
    if given:
        raise CouldNotRun(f"--{given[0]} is for samples in a file; {options.target} is a function")
    surface = by_name(options.target)
    box = options.box or _default_box(surface, options.target)
    result = _joined(ironing(surface, radius, box) for radius in _with_progress(radii))
    return result, lambda: _profile(surface, box[0], _some(radii)) if len(box) == 1 else None


def _profile(surface: FunctionGraph, side: Sequence[float], radii: list[float]) -> Profile | None:
    """Samples of a function of one variable, unless a ball covers too much beyond the picture."""
    step = (side[1] - side[0]) / (FINE - 1)
    margin = math.ceil(max(radii, default=0.0) / step)
    if margin > FAR * FINE:
        return None
    places = side[0] + step * numpy.arange(-margin, FINE + margin)
    heights, inner = surface.value(places[:, None]), slice(margin, margin + FINE)
    rolled = [(radius, dilate(heights, radius, spacing=step, nan="omit")[inner]) for radius in radii]
    return places[inner], heights[inner], rolled


def _default_box(surface: FunctionGraph, name: str) -> list[tuple[float, float]]:
    side = 3 * math.pi if name == "sine" else SIDE
    for d in (1, 2):
        try:
            surface.value([0.5] * d)
        except ValueError:
            continue
        return [(-side, side)] * d
    raise CouldNotRun(f"{name} needs a --box for each dimension")


def _of_file(options: argparse.Namespace, radii: list[float]) -> Work:
    if options.box:
        raise CouldNotRun("--box is for landscapes; samples are taken as they are")
    (heights, positions), spacing = load_heights(options.target, options.page), options.spacing or [1.0]
    if positions is not None and options.spacing:
        raise CouldNotRun(f"{options.target} says where its samples are; --spacing is for files that do not")
    rest: dict[str, Any] = {
        "spacing": spacing[0] if len(spacing) == 1 else spacing,
        "boundary": options.boundary or "none",
        "nan": options.nan or "raise",
        **({} if positions is None else {"x": positions}),
    }
    result = _joined(ironing_of_samples(heights, radius, **rest) for radius in _with_progress(radii))

    def profile() -> Profile | None:
        if heights.ndim > 1:
            return None
        rolled = [(radius, dilate(heights, radius, **rest)) for radius in _some(radii)]
        return spacing[0] * numpy.arange(heights.size) if positions is None else positions, heights, rolled

    return result, profile


def _joined(parts: Iterable[Ironing]) -> Ironing:
    return Ironing(*map(numpy.concatenate, zip(*parts, strict=True)))


def _some(radii: list[float]) -> list[float]:
    """A few of many radii, evenly."""
    positive = [radius for radius in radii if radius > 0]
    picks = numpy.linspace(0, len(positive) - 1, min(SHOWN, len(positive)))
    return [positive[round(pick)] for pick in picks]


def _with_progress(radii: list[float]) -> Any:
    from tqdm import tqdm

    return tqdm(radii, desc="rolling", unit="ball", leave=False, disable=None if sys.stderr.isatty() else True)


def _print(result: Ironing) -> None:
    say(f"{'radius':>14}  {'Δ(ρ)':>18}  {'lowest':>18}  {'highest':>18}")
    for radius, extent, low, high in zip(*result[:4], strict=True):
        say(f"{radius:>14.8g}  {extent:>18.12g}  {low:>18.12g}  {high:>18.12g}")


def _write_json(target: str, result: Ironing, file: str) -> None:
    fields = {name: _plain(field) for name, field in result._asdict().items()}
    write_text(json.dumps({"target": target, **fields}, indent=1, allow_nan=False) + "\n", file)


def _plain(numbers: Any) -> Any:
    """Nested lists; JSON has no NaN and no infinity: null."""
    if numpy.ndim(numbers):
        return [_plain(number) for number in numbers]
    return float(numbers) if numpy.isfinite(numbers) else None


def _figure(target: str, result: Ironing, profile: Profile | None) -> Any:
    """Δ(ρ); beside it, for one variable, the function and what balls leave of it."""
    from rbo_ref._canvas import new_figure
    from rbo_ref.figures import ironed, ranges

    figure, panels = new_figure(1 if profile is None else 2, layout="constrained")
    if profile is not None:
        ironed(*profile, ax=panels[0])
    if target == "sine":
        ranges(result, exact=ironing_of_sine, asymptote=math.pi**2 / 2, ax=panels[-1])
    else:
        ranges(result, ax=panels[-1])
    return figure
