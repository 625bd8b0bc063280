"""``rbo-ref figures``: the pictures of this project and of the paper."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rbo_ref.cli._common import RIGHT, CouldNotRun
from rbo_ref.cli._output import save_picture
from rbo_ref.cli._streams import from_our_folder, say
from rbo_ref.figures.gallery import GALLERY, draw

__all__ = ["add"]

FORMATS = ("png", "svg")


def add(figures: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    figures.description = _figures.__doc__
    figures.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(GALLERY)} (default: all)")
    figures.add_argument("--out", metavar="DIR", help="the folder to write to; it is made where there is none")
    figures.add_argument("--format", choices=FORMATS, action="append", help="one of the two formats (default: both)")
    figures.add_argument("--list", action="store_true", help="say what there is, and write nothing")
    figures.set_defaults(run=_figures)


def _figures(options: argparse.Namespace) -> int:
    """Draw figures: those of the paper, and the geometry of landscapes. Each is written as PNG and as SVG."""
    if options.list:
        for name, picture in GALLERY.items():
            say(f"{name:<12} {picture.about}")
        return RIGHT
    unknown = [name for name in options.names if name not in GALLERY]
    if unknown:
        raise CouldNotRun(f"no figure is called {unknown[0]!r}; there are {', '.join(GALLERY)}")
    if options.out is None:
        raise CouldNotRun("--out DIR says where to write; --list says what there is")
    folder = _folder(options.out)
    for name in dict.fromkeys(options.names or GALLERY):
        try:
            figure = draw(name)
        except ImportError as error:
            raise CouldNotRun(str(error)) from error
        files = [str(folder / f"{name}.{ending}") for ending in dict.fromkeys(options.format or FORMATS)]
        for file in files:
            save_picture(figure, file, small=True)
        say(f"{name}: {', '.join(files)}")
    return RIGHT


def _folder(name: str) -> Path:
    """The folder, which is there and can be written to before any work is done."""
    folder = Path(name)
    place = Path(from_our_folder(name))
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CouldNotRun(f"cannot write to {name}: {error.strerror}") from error
    if not os.access(place, os.W_OK | os.X_OK):
        raise CouldNotRun(f"cannot write to {name}: Permission denied")
    return folder
