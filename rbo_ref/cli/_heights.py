"""Heights from files: a .npy file, or the grey levels of an image. What would lose something is refused."""

from __future__ import annotations

import codecs
import os
import sys
import warnings
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from rbo_ref._npy import array_header
from rbo_ref._words import printable
from rbo_ref.cli._common import CouldNotRun
from rbo_ref.cli._tables import heights_in
from rbo_ref.landscapes import LANDSCAPES

__all__ = ["Samples", "load_heights"]

CHANNELS = {("RGB;", "RGB"), ("RGBA;", "RGBA"), ("RGBX;", "RGB"), ("LA;", "RGBA"), ("LA;", "LA")}  # layouts and modes
WEIGHTS = (19595, 38470, 7471)  # of red, green and blue, in 65536ths
IMAGES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".pbm", ".pgm", ".ppm", ".pnm")
MAGIC = b"\x93NUMPY"
EIGHT_BITS = (
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
)  # Pillow's modes


class Samples(NamedTuple):
    """Heights, and where they are on their axis if the file says so."""

    heights: Any
    positions: Any = None


def load_heights(file: str, page: int | None = None) -> Samples:
    """The heights in a file, whose kind is known by its contents.

    Parameters
    ----------
    file : str
    page : int, optional
        Of an image with several pages, from 1 up; without it the pages of a TIFF are the slices of a volume.

    Raises
    ------
    CouldNotRun
        If there are none, or not all of what the file holds would be used.
    """
    path = Path(file)
    if not path.is_file():
        raise CouldNotRun(f"{file} is neither a file nor a landscape ({', '.join(LANDSCAPES)})")
    try:
        with path.open("rb") as stream:
            is_array = stream.read(6) == MAGIC or path.suffix.lower() == ".npy"
    except OSError as error:
        raise CouldNotRun(f"cannot read {path}: {error.strerror or error}") from error
    if is_array and page is not None:
        raise CouldNotRun(f"--page is for images; {file} is an array")
    if is_array:
        samples = Samples(_of_array(path))
    else:
        samples = _of_text(path) if _is_text(path) else Samples(_of_image(path, page))
    heights = samples.heights
    if heights.size == 0 or heights.dtype.kind not in "biuf":
        raise CouldNotRun(f"{file} must hold real numbers, got {heights.dtype} of shape {heights.shape}")
    return samples


def _is_text(path: Path) -> bool:
    """Whether the file begins as a text does, and is not said to be an image."""
    if path.suffix.lower() in IMAGES:
        return False
    with path.open("rb") as stream:
        head = stream.read(1024)
    return b"\0" not in head and _decoded(head) is not None


def _decoded(content: bytes) -> str | None:
    """A text in UTF-8; the end may be in the middle of a character."""
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content)
    except UnicodeDecodeError:
        return None


def _of_text(path: Path) -> Samples:
    try:
        return Samples(*heights_in(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise CouldNotRun(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise CouldNotRun(f"cannot read {path} as a table of heights: {error}") from error


def _of_array(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            shape, _, dtype = array_header(file)
            if prod(shape) * dtype.itemsize > os.fstat(file.fileno()).st_size:
                raise ValueError("it ends too early")
            file.seek(0)
            return numpy.lib.format.read_array(file, allow_pickle=False)
    except OSError as error:
        raise CouldNotRun(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # NumPy's words are about its own parser, and about pickles, which we do not open
        raise CouldNotRun(f"cannot read {path}: it holds no array of numbers") from error


def _of_image(path: Path, page: int | None) -> Any:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ImportError('images need Pillow: pip install "rbo-ref[figures]"') from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _levels(path, image, page)
    except (CouldNotRun, MemoryError):
        raise
    except Image.UnidentifiedImageError as error:
        raise CouldNotRun(f"cannot read {path}: neither a .npy file, a text nor an image that Pillow knows") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise CouldNotRun(f"cannot read {path}: images may have {most} megapixels; save it as a .npy file") from error
    except Exception as error:  # a damaged file may make Pillow raise anything
        raise CouldNotRun(f"cannot read {path}: {printable(error, 200)}") from error


def _levels(path: Path, image: Any, page: int | None) -> Any:
    """The grey levels of a page, or of all; in colour they have the weights of ITU-R BT.601."""
    count = getattr(image, "n_frames", 1)
    if page is not None and not 1 <= page <= count:
        raise CouldNotRun(f"--page must be 1 to {count}, got {page}")
    if page is None and count > 1 and image.format != "TIFF":
        raise CouldNotRun(f"{path} has {count} pages; choose one with --page, or save the volume as a .npy file")
    pages = [_grey(path, image, number) for number in (range(count) if page is None else [page - 1])]
    if len({(levels.shape, levels.dtype) for levels in pages}) > 1:
        raise CouldNotRun(f"{path} has {count} pages that are not slices of one volume; choose one with --page")
    return pages[0] if len(pages) == 1 else numpy.stack(pages)


def _grey(path: Path, image: Any, number: int) -> Any:
    """The grey levels of a page, of as many bits as the file has."""
    image.seek(number)
    if image.mode in EIGHT_BITS and _is_deep(image):
        return _deep(path, number, image)
    return numpy.asarray(image.convert("L") if image.mode != "L" and image.mode in EIGHT_BITS else image)


def _deep(path: Path, number: int, image: Any) -> Any:
    """Grey levels of 16 bits, of which Pillow gives 8: it is asked for either byte of each channel."""
    names = {name for tile in image.tile for name in numpy.ravel(numpy.array(tile[3], dtype=object))[:1]}
    kind, _, order = str(names.pop()).rpartition("16") if len(names) == 1 else ("", "", "")
    if order not in ("B", "L", "N") or (kind, image.mode) not in CHANNELS:
        raise CouldNotRun(
            f"{path} has more than 8 bits a channel, of which Pillow would keep 8; save grey levels as an image of one "
            "channel, or as a .npy file"
        )
    if kind == "LA;":  # its four bytes are taken for four channels
        first, second = numpy.moveaxis(_raw(path, number, "RGBA"), -1, 0)[:2].astype(numpy.uint32)
    else:
        first, second = (_raw(path, number, f"{kind}16{end}")[..., :3].astype(numpy.uint32) for end in "BL")
    big = (sys.byteorder if order == "N" else {"B": "big", "L": "little"}[order]) == "big"
    levels = 256 * first + second if big else 256 * second + first
    if kind != "LA;":
        levels = (levels @ numpy.array(WEIGHTS, dtype=numpy.uint64) + 2**15) >> numpy.uint64(16)
    return levels.astype(numpy.uint16)


def _raw(path: Path, number: int, layout: str) -> Any:
    """A page whose bytes are laid out like this."""
    from PIL import Image

    with Image.open(path) as image:
        image.seek(number)
        tiles: Any = [(*t[:3], layout if isinstance(t[3], str) else (layout, *(t[3] or ())[1:])) for t in image.tile]
        image.tile = tiles
        return numpy.asarray(image)


def _is_deep(image: Any) -> bool:
    """Whether the file holds more than 8 bits a channel: by its TIFF tag, by Pillow's name for its layout, or PPM's."""
    depths = getattr(image, "tag_v2", {}).get(258, 8)
    names = [name for tile in image.tile for name in numpy.ravel(numpy.array(tile[3], dtype=object))]
    return (
        numpy.max(depths) > 8
        or any(isinstance(name, str) and ";" in name and name.rpartition(";")[2][:2] in ("16", "32") for name in names)
        or (image.format == "PPM" and any(isinstance(name, int) and name > 255 for name in names))
    )
