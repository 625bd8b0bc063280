"""Heights from files: as deep as the file has them, from one page, or a sentence."""

import struct
import zlib

import numpy as np
import pytest

from rbo_ref.cli import main
from rbo_ref.cli._common import CouldNotRun
from rbo_ref.cli._heights import load_heights

Image = pytest.importorskip("PIL.Image")

LEVELS = 100 * np.arange(42).reshape(6, 7)
DEEP = "has more than 8 bits a channel, of which Pillow would keep 8"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pages(name):
    first, *rest = [Image.fromarray(np.full((6, 7), 10 * k, "u1")) for k in range(5)]
    first.save(name, save_all=True, append_images=rest)


def png(kind, channels):
    """A PNG of 16 bits a channel."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + bytes(range(14 * channels)) for _ in range(6))
    head = struct.pack(">IIBBBBB", 7, 6, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff():
    """A TIFF of 16 bits a channel, red, green and blue, without compression."""
    tags = [(256, 7), (257, 6), (258, 16, 16, 16), (259, 1), (262, 2), (273, 0), (277, 3), (278, 6), (279, 252)]
    where = 8 + 2 + 12 * len(tags) + 4
    entries = b""
    for tag, *values in tags:
        if tag == 273:
            values = [where + 6]
        field = struct.pack("<I", where) if len(values) > 1 else struct.pack("<HH", values[0], 0)
        entries += struct.pack("<HHI", tag, 3, len(values)) + field
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)
    return head + struct.pack("<HHH", 16, 16, 16) + bytes(252)


@pytest.mark.parametrize("name", ["g.tif", "g.png"])
def test_grey_levels_of_16_bits_are_kept(name):
    Image.fromarray(LEVELS.astype("uint16")).save(name)
    np.testing.assert_array_equal(load_heights(name), LEVELS)


def test_floating_levels_are_kept():
    Image.fromarray((LEVELS / 7).astype("float32")).save("f.tif")
    np.testing.assert_array_equal(load_heights("f.tif"), (LEVELS / 7).astype("float32"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rgb.png", png(2, 3)),
        ("rgba.png", png(6, 4)),
        ("grey-alpha.png", png(4, 2)),
        ("rgb.tif", tiff()),
        ("rgb.ppm", b"P6 7 6 65535\n" + bytes(7 * 6 * 6)),
        ("plain.ppm", b"P3 1 1 65535\n1 2 60000\n"),
    ],
)
def test_colours_of_16_bits_are_refused(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(CouldNotRun, match=DEEP):
        load_heights(name)


@pytest.mark.parametrize("name", ["c.png", "c.tif", "c.ppm", "c.jpg", "c.webp"])
def test_colours_of_8_bits_are_grey_levels(name):
    Image.fromarray(np.full((6, 7, 3), 50, "uint8")).save(name)
    assert (abs(load_heights(name).astype(int) - 50) <= 1).all()


@pytest.mark.parametrize("name", ["z.tif", "z.gif", "z.webp"])
def test_a_page_has_to_be_chosen(capsys, name):
    pages(name)
    with pytest.raises(CouldNotRun, match=rf"{name} has 5 pages; choose one with --page"):
        load_heights(name)
    for page in range(1, 6):
        assert (abs(load_heights(name, page).astype(int) - 10 * (page - 1)) <= 1).all()
    for page in (0, -1, 6):
        with pytest.raises(CouldNotRun, match=f"--page must be 1 to 5, got {page}"):
            load_heights(name, page)
    assert main(["iron", name, "--radius", "0", "--page", "5"]) == 0
    assert main(["iron", name, "--radius", "0"]) == 2


def header(text):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,)}\n"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", b"1,2\n3,4\n", "neither a .npy file nor an image that Pillow knows. Numbers in a text file become"),
        ("t.txt", b"", "neither a .npy file nor an image that Pillow knows"),
        ("t.npz", b"PK\x03\x04", "neither a .npy file nor an image that Pillow knows"),
        ("zip.npy", b"PK\x03\x04" + bytes(100), "cannot read zip.npy: it holds no array of numbers"),
        ("open.npy", header(b"((("), "it holds no array of numbers"),
        ("deep.npy", header(b"(" * 60_000), "it holds no array of numbers"),
        ("huge.npy", header(HUGE), "it holds no array of numbers"),
        ("empty.npy", b"", "it holds no array of numbers"),
        ("cut.png", png(0, 1)[:-40], "cannot read cut.png"),
        ("wild.tif", tiff()[:60] + b"\xff" * 200, "wild.tif"),
    ],
)
def test_what_holds_no_heights_is_a_sentence(folder, capsys, name, content, sentence):
    (folder / name).write_bytes(content)
    assert main(["iron", name, "--radius", "1"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("rbo-ref: ")
    assert sentence in told
    assert "RBO_REF_DEBUG" not in told


def test_an_image_that_is_too_large_is_a_sentence(monkeypatch, capsys):
    Image.fromarray(LEVELS.astype("uint8")).save("large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    assert main(["iron", "large.png", "--radius", "1"]) == 2
    assert "megapixels; save it as a .npy file" in capsys.readouterr().err
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)  # from here on Pillow only warns
    assert main(["iron", "large.png", "--radius", "0"]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sine", "--radius", "1:2:1000000000"], "COUNT >= 2, at most 100000, got '1:2:1000000000'"),
        (["sine", "--radius", "2", "--box", "0", "5e-324"], "radius, box, spacing and heights differ too much in size"),
        (["sine", "--radius", "2", "--page", "1"], "--page is for samples in a file; sine is a function"),
        (["h.npy", "--radius", "2", "--page", "1"], "--page is for images; h.npy is an array"),
    ],
)
def test_other_sizes_are_refused(capsys, arguments, sentence):
    np.save("h.npy", np.zeros(3))
    assert main(["iron", *arguments]) == 2
    assert sentence in capsys.readouterr().err
