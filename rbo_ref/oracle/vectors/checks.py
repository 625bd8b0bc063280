"""Whether a vector is consistent in itself: what no schema can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, rounded
from rbo_ref.oracle.bits import decode
from rbo_ref.oracle.vectors.notation import FLOAT64, NEAREST, Record
from rbo_ref.oracle.vectors.reading import target_of

__all__ = ["flawed_loss", "flawed_vector"]

NUMBERS = ("theta", "value", "gradient", "candidate", "point", "draws")
WIDE = 2  # numbers of the format from one bound to the other


def flawed_vector(vector: Record, dimensions: Mapping[str, int]) -> Iterator[str]:
    """What is wrong with a vector that is as the schema says; `dimensions` are those of the losses."""
    yield from _flawed_name(vector)
    target = target_of(vector)
    shapes: dict[str, tuple[int, ...]] = {}
    for path, numbers, form in _numbers(vector, target):
        flaw, shapes[path] = _flawed_numbers(numbers, form)
        if flaw:
            yield f"{path}: {flaw}"
    for path, enclosure in _enclosures(vector):
        flaw, shapes[path] = _flawed_enclosure(enclosure, target)
        if flaw:
            yield f"{path}: {flaw}"
    yield from _flawed_tolerance(vector)
    yield from _flawed_shapes(vector, shapes, dimensions)


def flawed_loss(loss: Record) -> Iterator[str]:
    """What is wrong with a loss that is as the schema says."""
    for i, term in enumerate(loss["terms"]):
        shapes = {}
        for name, numbers in term.items():
            if isinstance(numbers, dict):
                flaw, shapes[name] = _flawed_numbers(numbers, FLOAT64)
                if flaw or not _is_single(numbers):
                    yield f"terms[{i}].{name}: {flaw or 'float32 does not hold the coefficients'}"
        if not _fits(term["kind"], shapes, loss["dimension"]):
            yield f"terms[{i}]: the shapes do not fit together, or to dimension {loss['dimension']}"


def _is_single(numbers: Record) -> bool:
    values = decode(numbers["bits"], FLOAT64)
    with numpy.errstate(over="ignore"):
        return bool((values.astype(numpy.float32) == values).all())


def _fits(kind: str, shapes: Mapping[str, tuple[int, ...]], d: int) -> bool:
    wanted: dict[str, tuple[int, ...]]
    if kind == "quadratic":
        wanted = {"matrix": (d, d), "slope": (d,), "height": ()}
    elif kind == "ridges":
        count = shapes["shifts"][:1]
        wanted = {"weights": (*count, d), "shifts": count, "amplitudes": count}
    else:
        wanted = {"centers": (*shapes["centers"][:1], d), "amplitude": (), "square_width": ()}
    return dict(shapes) == wanted


def _flawed_name(vector: Record) -> Iterator[str]:
    parts = [vector["optimizer"], vector["kind"], None, vector["dialect"], vector["dtype"]]
    if vector["kind"] == "footpoint":
        parts = ["footpoint", None, vector["dtype"]]
    own = vector["id"].split(".")
    if len(own) != len(parts) or any(wanted not in (None, part) for wanted, part in zip(parts, own, strict=True)):
        yield f"id: {vector['id']!r} does not say {' '.join(filter(None, parts))}"


# --- numbers --------------------------------------------------------------------------------------------------------


def _numbers(vector: Record, target: Format) -> Iterator[tuple[str, Record, Format]]:
    """Every object of numbers, with its path and its format."""
    yield from ((name, vector[name], target) for name in NUMBERS if name in vector)
    yield from ((f"script.{name}", numbers, target) for name, numbers in vector.get("script", {}).items())
    yield from ((f"tolerance.{n}", numbers, FLOAT64) for n, numbers in vector["tolerance"].items() if n != "rule")
    for i, hyper in enumerate(vector.get("hyper", ())):
        yield from ((f"hyper[{i}].{n}", numbers, FLOAT64) for n, numbers in hyper.items() if isinstance(numbers, dict))


def _flawed_numbers(numbers: Record, target: Format) -> tuple[str | None, tuple[int, ...]]:
    """What is wrong with numbers, and their shape."""
    try:
        values = decode(numbers["bits"], target)
    except ValueError as error:
        return str(error), ()
    texts = numpy.array(numbers["decimal"], dtype=object) if _is_like(numbers["decimal"], values) else None
    if texts is None:
        return "bits and decimal have different shapes", values.shape
    read = rounded(texts.astype(float), target)
    same = (read == values) & (numpy.signbit(read) == numpy.signbit(values)) | numpy.isnan(read) & numpy.isnan(values)
    if not same.all():
        where = tuple(int(i[0]) for i in numpy.nonzero(numpy.atleast_1d(~same)))
        return f"the decimal {texts[where] if texts.ndim else texts.item()} is not {numbers['bits']}"[
            :200
        ], values.shape
    return None, values.shape


def _is_like(texts: Any, values: NDArray[Any]) -> bool:
    """Whether nested lists have the shape of an array."""
    if not values.ndim:
        return isinstance(texts, str)
    return isinstance(texts, list) and len(texts) == len(values) and all(map(_is_like, texts, values))


def _enclosures(vector: Record) -> Iterator[tuple[str, Record]]:
    for name, expected in vector.get("expected", {}).items():
        if name == "branches":
            yield from ((f"expected.branches[{i}]", branch) for i, branch in enumerate(expected))
        else:
            yield f"expected.{name}", expected


def _flawed_enclosure(enclosure: Record, target: Format) -> tuple[str | None, tuple[int, ...]]:
    try:
        lower, upper = (decode(enclosure[end], target) for end in ("lower", "upper"))
    except ValueError as error:
        return str(error), ()
    if lower.shape != upper.shape or not _is_like(enclosure["decimal"], lower):
        return "lower, upper and decimal have different shapes", lower.shape
    decimals = numpy.array(enclosure["decimal"], dtype=object).reshape(-1)
    for low, text, high in zip(lower.reshape(-1), decimals, upper.reshape(-1), strict=True):
        if not _is_between(low, text, high):
            return f"{text[:40]} is not between {low} and {high}", lower.shape
        if not low < 0 < high and _position(high, target) - _position(low, target) > WIDE:
            return f"from {low} to {high} is wider than {target.name} needs", lower.shape
    return None, lower.shape


def _is_between(low: Any, text: str, high: Any) -> bool:
    if not (numpy.isfinite(low) and numpy.isfinite(high)):
        return False
    truth, (lower, upper) = _decimal(text), (NEAREST.create_decimal_from_float(float(end)) for end in (low, high))
    return truth.is_finite() and bool(lower <= truth <= upper)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all bounds
        return Decimal("nan")


def _position(number: Any, target: Format) -> int:
    """The numbers of a format, counted from zero."""
    word = f"i{target.dtype.itemsize}"
    position = int(numpy.abs(number).view(word)) >> (8 * target.dtype.itemsize - _width(target))
    return -position if number < 0 else position


def _width(target: Format) -> int:
    return 16 if target.name == "bfloat16" else 8 * target.dtype.itemsize


# --- what fits together ---------------------------------------------------------------------------------------------


def _flawed_tolerance(vector: Record) -> Iterator[str]:
    for name, numbers in vector["tolerance"].items():
        if name == "rule":
            continue
        try:
            tolerance = decode(numbers["bits"], FLOAT64)
        except ValueError:
            continue  # told already
        if not (tolerance > 0).all():
            yield f"tolerance.{name}: not positive"
        if vector["decidable"] and not numpy.isfinite(tolerance).all():
            yield f"tolerance.{name}: not finite, although the vector is decidable"


def _flawed_shapes(
    vector: Record, shapes: Mapping[str, tuple[int, ...]], dimensions: Mapping[str, int]
) -> Iterator[str]:
    theta = shapes.get("theta", shapes.get("expected.branches[0]", ()))
    d, steps = int(numpy.prod(theta)), vector.get("iterations")
    if "loss" in vector and dimensions.get(vector["loss"]) != d:
        known = vector["loss"] in dimensions
        yield (
            f"loss: there is no {vector['loss']!r}" if not known else f"loss: {vector['loss']!r} has not {d} parameters"
        )
    wanted = {"theta": theta, "iterates": (steps, *theta), "gradient": theta, "value": ()}
    wanted |= dict.fromkeys(("normal", "tangent", "center", "candidate", "point"), (d + 1,))
    for path, shape in shapes.items():
        expected = _shape_of(path, vector, wanted, shapes.get("script.value", ()))
        if expected is not None and shape != expected:
            yield f"{path}: has shape {shape}, expected {expected}"
    if "draws" in shapes and shapes["draws"][:1] != (steps,):
        yield f"draws: has shape {shapes['draws']}, expected {steps} rows"


def _shape_of(
    path: str, vector: Record, wanted: Mapping[str, tuple[Any, ...]], rows: tuple[int, ...]
) -> tuple[Any, ...] | None:
    """What shape numbers should have; None where any will do."""
    place, _, name = path.rpartition(".")
    if place == "script":
        return (*rows[:1], *wanted[name])
    if name.startswith("branches"):
        return wanted["theta"]
    if path == "tolerance.theta" and vector["kind"] == "footpoint":
        return ()
    return None if place.startswith("hyper") else wanted.get(name)
