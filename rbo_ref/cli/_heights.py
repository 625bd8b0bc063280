"""Heights from files: a .npy file, or the grey levels of an image. What would lose something is refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy

from rbo_ref._words import printable
from rbo_ref.cli._common import CouldNotRun
from rbo_ref.landscapes import LANDSCAPES

__all__ = ["load_heights"]

TEXT = 'Numbers in a text file become a .npy file by numpy.save("heights.npy", numpy.loadtxt("heights.txt"))'
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


def load_heights(file: str, page: int | None = None) -> Any:
    """The heights in a file.

    Parameters
    ----------
    file : str
    page : int, optional
        Of an image with several pages, from 1 up.

    Raises
    ------
    CouldNotRun
        If there are none, or not all of what the file holds would be used.
    """
    path = Path(file)
    if not path.is_file():
        raise CouldNotRun(f"{file} is neither a file nor a landscape ({', '.join(LANDSCAPES)})")
    if path.suffix.lower() != ".npy":
        heights = _of_image(path, page)
    elif page is not None:
        raise CouldNotRun(f"--page is for images; {file} is an array")
    else:
        heights = _of_array(path)
    if heights.size == 0 or heights.dtype.kind not in "biuf":
        raise CouldNotRun(f"{file} must hold real numbers, got {heights.dtype} of shape {heights.shape}")
    return heights


def _of_array(path: Path) -> Any:
    try:
        with path.open("rb") as file:
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
        raise CouldNotRun(f"cannot read {path}: neither a .npy file nor an image that Pillow knows. {TEXT}") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise CouldNotRun(f"cannot read {path}: images may have {most} megapixels; save it as a .npy file") from error
    except Exception as error:  # a damaged file may make Pillow raise anything
        raise CouldNotRun(f"cannot read {path}: {printable(error, 200)}") from error


def _levels(path: Path, image: Any, page: int | None) -> Any:
    """The grey levels, 0 to 255 if the image is in colour."""
    count = getattr(image, "n_frames", 1)
    if page is None and count > 1:
        raise CouldNotRun(f"{path} has {count} pages; choose one with --page, or save the volume as a .npy file")
    number = 1 if page is None else page
    if not 1 <= number <= count:
        raise CouldNotRun(f"--page must be 1 to {count}, got {page}")
    image.seek(number - 1)
    if image.mode in EIGHT_BITS and _is_deep(image):
        raise CouldNotRun(
            f"{path} has more than 8 bits a channel, of which Pillow would keep 8; save grey levels as an image of one "
            "channel, or as a .npy file"
        )
    return numpy.asarray(image.convert("L") if image.mode != "L" and image.mode in EIGHT_BITS else image)


def _is_deep(image: Any) -> bool:
    """Whether the file holds more than 8 bits a channel: by its TIFF tag, by Pillow's name for its layout, or PPM's."""
    depths = getattr(image, "tag_v2", {}).get(258, 8)
    names = [name for tile in image.tile for name in numpy.ravel(numpy.array(tile[3], dtype=object))]
    return (
        numpy.max(depths) > 8
        or any(isinstance(name, str) and ";" in name and name.rpartition(";")[2][:2] in ("16", "32") for name in names)
        or (image.format == "PPM" and any(isinstance(name, int) and name > 255 for name in names))
    )
