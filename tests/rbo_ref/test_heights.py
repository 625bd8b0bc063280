"""Heights from files: as deep as the file has them, from one page, or a sentence."""

import json
import os
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


def png(kind, channels, pixels):
    """A PNG of 16 bits a channel, of the first channels of these pixels."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + row[:, :channels].tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", 7, 6, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(pixels):
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
    return head + struct.pack("<HHH", 16, 16, 16) + pixels[..., :3, :].tobytes()


@pytest.mark.parametrize("name", ["g.tif", "g.png"])
def test_grey_levels_of_16_bits_are_kept(name):
    Image.fromarray(LEVELS.astype("uint16")).save(name)
    np.testing.assert_array_equal(load_heights(name).heights, LEVELS)


def test_floating_levels_are_kept():
    Image.fromarray((LEVELS / 7).astype("float32")).save("f.tif")
    np.testing.assert_array_equal(load_heights("f.tif").heights, (LEVELS / 7).astype("float32"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.ppm", b"P6 7 6 65535\n" + bytes(7 * 6 * 6)), ("b.ppm", b"P3 1 1 65535\n1 2 60000\n")],
)
def test_colours_of_16_bits_that_pillow_does_not_give_are_refused(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(CouldNotRun, match=DEEP):
        load_heights(name)


BYTES = np.random.default_rng(0).integers(0, 256, (6, 7, 4, 2), dtype="uint8")
BIG, LITTLE = (BYTES @ np.array(weights) for weights in ([256, 1], [1, 256]))
BT601 = [0.299, 0.587, 0.114]


@pytest.mark.parametrize(
    ("name", "content", "levels"),
    [
        ("rgb.png", png(2, 3, BYTES), BIG[..., :3] @ BT601),
        ("rgba.png", png(6, 4, BYTES), BIG[..., :3] @ BT601),
        ("grey-alpha.png", png(4, 2, BYTES), BIG[..., 0]),
        ("rgb.tif", tiff(BYTES), LITTLE[..., :3] @ BT601),
    ],
)
def test_colours_of_16_bits_keep_them(folder, name, content, levels):
    (folder / name).write_bytes(content)
    found = load_heights(name).heights
    assert found.dtype == np.uint16
    assert abs(found - levels).max() < 1  # the weights have 16 bits


@pytest.mark.parametrize("name", ["c.png", "c.tif", "c.ppm", "c.jpg", "c.webp"])
def test_colours_of_8_bits_are_grey_levels(name):
    Image.fromarray(np.full((6, 7, 3), 50, "uint8")).save(name)
    assert (abs(load_heights(name).heights.astype(int) - 50) <= 1).all()


@pytest.mark.parametrize("name", ["z.gif", "z.webp"])
def test_a_page_has_to_be_chosen(capsys, name):
    pages(name)
    with pytest.raises(CouldNotRun, match=rf"{name} has 5 pages; choose one with --page"):
        load_heights(name)
    for page in range(1, 6):
        assert (abs(load_heights(name, page).heights.astype(int) - 10 * (page - 1)) <= 1).all()
    for page in (0, -1, 6):
        with pytest.raises(CouldNotRun, match=f"--page must be 1 to 5, got {page}"):
            load_heights(name, page)
    assert main(["iron", name, "--radius", "0", "--page", "5"]) == 0
    assert main(["iron", name, "--radius", "0"]) == 2


def test_pages_of_a_tiff_are_a_volume(capsys):
    pages("z.tif")
    assert load_heights("z.tif").heights.shape == (5, 6, 7)
    assert load_heights("z.tif", 4).heights.max() == 30
    assert main(["iron", "z.tif", "--radius", "0"]) == 0
    assert capsys.readouterr().out.split()[-3:] == ["40", "0", "40"]
    first = Image.fromarray(np.zeros((6, 7), "u1"))
    first.save("pyramid.tif", save_all=True, append_images=[Image.fromarray(np.zeros((3, 3), "u1"))])
    with pytest.raises(CouldNotRun, match="pages that are not slices of one volume; choose one with --page"):
        load_heights("pyramid.tif")


@pytest.mark.parametrize(
    "content", ["{}\n", "height\n{}\n", "# of a stylus\r\n\r\n{}\r\n", "\ufeff{}", "scan; µm\n{}\n"]
)
def test_a_column_of_heights(folder, content):
    (folder / "h.txt").write_text(content.format("0.5\n-1e-3\nnan\n2"), encoding="utf-8", newline="")
    heights, positions = load_heights("h.txt")
    np.testing.assert_array_equal(heights, [0.5, -1e-3, np.nan, 2])
    assert positions is None


@pytest.mark.parametrize("mark", [";", "\t", ",", " ", "; "])
def test_positions_and_heights(folder, capsys, mark):
    x, z = np.array([0.0, 1.0, 4.0, 4.5]), np.array([0.0, 0.0, 4.0, 0.5])
    (folder / "p.csv").write_text("".join(f"{a}{mark}{b}\n" for a, b in zip(x, z, strict=True)))
    heights, positions = load_heights("p.csv")
    np.testing.assert_array_equal(heights, z)
    np.testing.assert_array_equal(positions, x)
    centres = (z + np.sqrt(np.maximum(25 - np.subtract.outer(x, x) ** 2, 0))).max(axis=1)  # all balls of radius 5
    assert main(["iron", "p.csv", "--radius", "0", "5", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(found["range"], [4, np.ptp(centres)], rtol=1e-15)
    assert (found["theta_lowest"][1], found["theta_highest"][1]) == ([x[centres.argmin()]], [x[centres.argmax()]])
    assert main(["iron", "p.csv", "--radius", "5", "--spacing", "2"]) == 2
    assert "--spacing is for files that do not" in capsys.readouterr().err


def test_rows_of_an_image(folder):
    (folder / "i.txt").write_text("1 2 3\n4 5 6\n")
    np.testing.assert_array_equal(load_heights("i.txt").heights, [[1, 2, 3], [4, 5, 6]])
    (folder / "named.csv").write_text("x,z\n1,2\n3,4\n")
    np.testing.assert_array_equal(load_heights("named.csv").positions, [1, 3])


def test_an_array_under_another_name():
    np.save("h.npy", LEVELS)
    os.rename("h.npy", "h.png")
    np.testing.assert_array_equal(load_heights("h.png").heights, LEVELS)


def header(text):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,)}\n"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "t.csv",
            b"# of t.csv\n1,2\n3,4\n",
            '"1,5" may be two numbers or one: write 1.5, or name',
        ),
        ("t.txt", b"", "there is no line of numbers"),
        ("comma.csv", b"x;z\n0,5;1\n1,5;2\n", "line 2: expected a number with a decimal point, got '0,5'"),
        ("under.txt", b"1_000\n2\n", "line 1: expected a number, got '1_000'"),
        ("truth.txt", b"1\ntrue\n", "line 2: expected a number with a decimal point, got 'true'"),
        ("ragged.txt", b"1 2 3\n4 5\n", "line 2 has 2 cells, expected 3"),
        ("back.txt", b"1 2\n0 5\n", "of two columns the first must be positions that increase"),
        ("large.txt", b"1\n1e999\n", "line 2: expected a finite number, got '1e999'"),
        ("latin.txt", b"1\n\xb5\n", "latin.txt"),
        ("t.npz", b"PK\x03\x04\0", "neither a .npy file, a text nor an image that Pillow knows"),
        ("zip.npy", b"PK\x03\x04" + bytes(100), "cannot read zip.npy: it holds no array of numbers"),
        ("open.npy", header(b"((("), "it holds no array of numbers"),
        ("deep.npy", header(b"(" * 60_000), "it holds no array of numbers"),
        ("huge.npy", header(HUGE), "it holds no array of numbers"),
        ("empty.npy", b"", "it holds no array of numbers"),
        ("cut.png", png(0, 1, BYTES)[:-40], "cannot read cut.png"),
        ("wild.tif", tiff(BYTES)[:60] + b"\xff" * 200, "wild.tif"),
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
