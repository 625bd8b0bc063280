"""Recordings in files: round trips to the bit, memory, and a sentence for whatever is no recording."""

from __future__ import annotations

import io
import json
import os
import random
import tempfile
import threading
import tracemalloc
import zipfile

import fastjsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geometry.arithmetic.formats import exact, format_of, nearest, rounded
from rbo_ref.oracle import Recording, check_trajectory
from rbo_ref.oracle.replay import RecordingError, files, open_recording, save_recording
from rbo_ref.oracle.replay.recording import FIELDS

from .runs import HYPERS

DTYPES = ("float16", "bfloat16", "float32", "float64")
SUFFIXES = ("npz", "csv", "jsonl")
LINE = dict(zip(HYPERS, (0.1, 0.5, 0.25, 1), strict=True))


@st.composite
def recordings(draw, *, inner: bool):
    dtype = draw(st.sampled_from(DTYPES))
    target = format_of(dtype)
    steps, d, count = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    numbers = st.floats(width=8 * target.dtype.itemsize)

    def field(*shape):
        return rounded(draw(arrays(target.dtype, shape, elements=numbers)), target)

    fields = {"theta": field(steps + 1, d), "dtype": dtype}
    fields["learning_rate"] = draw(st.one_of(st.floats(0, 1), arrays(float, steps, elements=st.floats(0, 1))))
    fields["projection_steps"] = draw(st.one_of(st.integers(0, 9), arrays(int, steps, elements=st.integers(0, 9))))
    if draw(st.booleans()):
        fields |= {"value": field(steps), "gradient": field(steps, d)}
    if inner:
        fields |= {"inner": field(steps, count, d), "inner_value": field(steps, count)}
    return Recording(loss="sine", note='"quoted", \n and θ', **fields)


def all_rows(recording: Recording, size: int) -> dict[str, np.ndarray]:
    rows = list(recording.rows(size))
    return {name: np.concatenate([part[name] for part in rows]) for name in rows[0]}


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Bit by bit, but for the bits of NaN."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    word = f"u{one.dtype.itemsize}"
    return bool(((one.view(word) == other.view(word)) | (np.isnan(one) & np.isnan(other))).all())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("bits", [False, True])
@settings(max_examples=25)
@given(data=st.data(), size=st.integers(1, 9))
def test_round_trip_to_the_bit(tmp_path_factory, suffix, bits, data, size):
    recording = data.draw(recordings(inner=suffix != "csv"))
    path = tmp_path_factory.mktemp("round") / f"run.{suffix}"
    save_recording(recording, path, bits=bits)
    found = open_recording(path)
    assert {k: v for k, v in found.metadata.items() if k not in ("format", "version")} == recording.metadata
    rows, again = all_rows(recording, 100), all_rows(found, size)
    assert rows.keys() == again.keys()
    for name in rows:
        end = None if name == "theta" else -1  # the last row holds θ alone
        assert same(rows[name][:end], again[name][:end].astype(rows[name].dtype)), name


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=100)
@given(x=st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_to_a_format_is_correct(dtype, x):
    target = format_of(dtype)
    with np.errstate(over="ignore"):  # a bfloat16 is held in a float32, and rounded from it
        x = np.float32(x) if dtype == "bfloat16" else np.float64(x)
        if np.isfinite(x):
            assert rounded(np.array([x]), target)[0] == nearest(exact(x), target)


def test_pieces_overlap_by_one_row():
    theta = np.arange(14.0).reshape(7, 2)
    recording = Recording(theta, radius=np.arange(6.0))
    for size in (1, 2, 3, 6, 100):
        pieces = list(recording.pieces(size))
        assert [piece.first for piece in pieces] == list(np.cumsum([0, *map(len, pieces)])[:-1])
        np.testing.assert_array_equal(np.concatenate([piece.theta[:-1] for piece in pieces]), theta[:-1])
        np.testing.assert_array_equal(np.concatenate([piece.theta[1:] for piece in pieces]), theta[1:])
        np.testing.assert_array_equal(np.concatenate([piece.fields["radius"] for piece in pieces]), np.arange(6.0))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_memory_does_not_grow_with_length(tmp_path, suffix):
    peaks = []
    for steps in (1000, 8000):
        path = tmp_path / f"{steps}.{suffix}"
        save_recording(Recording(np.zeros((steps + 1, 2)), **LINE, loss="paraboloid"), path)
        open_recording(path)
        tracemalloc.start()
        check_trajectory(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0] + 2**16


def test_the_schema_describes_what_is_written(tmp_path):
    from importlib import resources

    text = resources.files("rbo_ref.oracle").joinpath("schemas/recording.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    validate = {name: fastjsonschema.compile({**schema, "$ref": f"#/$defs/{name}"}) for name in ("metadata", "row")}
    assert set(schema["$defs"]["row"]["properties"]) == set(FIELDS)
    inner = {"inner": np.zeros((2, 1, 2)), "inner_value": np.zeros((2, 1)), "inner_gradient": np.zeros((2, 1, 2))}
    told = {"value": np.zeros(2), "gradient": np.zeros((2, 2)), **inner}
    for bits in (False, True):
        path = tmp_path / "run.jsonl"
        save_recording(Recording(np.zeros((3, 2)), **LINE, **told), path, bits=bits)
        first, *rows = map(json.loads, path.read_text().splitlines())
        validate["metadata"](first)
        assert len(rows) == 3
        for row in rows:
            validate["row"](row)


# What is no recording.

JSON = '{"format": "rbo-recording", "version": 1, "dtype": "float64", "loss": "paraboloid", "learning_rate": 0.1, '
JSON += '"radius": 0.5, "projection_rate": 0.25, "projection_steps": 1}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header"),
        ("\n\n", "no header"),
        ("what is this", "unknown column 'what is this'"),
        ("theta_0,theta_2\n1,2\n", "numbered 0, 1"),
        ("theta_0,theta_0\n1,2\n", "two columns theta_0"),
        ("theta_0,speed\n1,2\n", "unknown column 'speed'"),
        ("value\n1\n", "no theta"),
        ("# dtype: float128\ntheta_0\n1\n2\n", "dtype must be one of"),
        ("# radius: big\ntheta_0\n1\n2\n", "radius must be number"),
        ("theta_0\n", "no rows"),
        ("theta_0\n1\n2,3\n", "line 3 has 2 cells, expected 1"),
        ("theta_0\n1\ntwo\n", "line 3: theta must hold numbers"),
        ("theta_0\n1\n0x12\n", "line 3: theta must hold numbers or bit patterns"),
        ("theta_0,theta_1\n1,2\n1,\n", "line 3: theta must hold numbers"),
        ("theta_0,value\n1,\n1,2\n", "line 2 lacks value"),
        ('theta_0\n"1\n', "unexpected end of data"),
        ("{}", "must contain"),
        ("{", "line 1 is not JSON"),
        ('{"dtype": "float64"}', "no rows"),
        ('{"dtype": "float64", "format": "else"}\n{"theta": [1]}', "format must be"),
        (JSON + "[1, 2]\n", "line 2 must be a JSON object"),
        (JSON + '{"theta": 1}\n', "line 2: theta must be a list of numbers"),
        (JSON + '{"theta": []}\n', "expected 1 to"),
        (JSON + '{"theta": [1, [2]]}\n', "line 2: theta must hold numbers"),
        (JSON + '{"theta": [true]}\n', "line 2: theta must hold numbers"),
        (JSON + '{"theta": ["1"]}\n{"theta": [null]}\n', "line 3: theta must hold numbers"),
        (JSON + '{"theta": [1]}\n{"theta": [1, 2]}\n', r"line 3: theta has shape \(2,\), expected \(1,\)"),
        (JSON + '{"theta": [1]}\n{"value": 2}\n', "line 3 has value, which the first row has not"),
        (JSON + '{"theta": [1]}\n{}\n', "line 3 lacks theta"),
        (JSON + '{"theta": [1], "speed": 3}\n', "unknown field 'speed'"),
        (JSON + '{"theta": [1.0, true]}\n', "line 2: theta must hold numbers or bit patterns .got True"),
        (JSON + '{"theta": [1.0], "theta": [2.0]}\n', "line 2 is not JSON: a key occurs twice"),
        (JSON + '{"theta": [0.5]}\n{"theta": [0,5]}\n', r"line 3: theta has shape"),
        ('{"dtype": "float64", "dtype": "float32"}\n', "line 1 is not JSON: a key occurs twice"),
        ("# radius: 1\n# radius: 2\ntheta_0\n1\n2\n", "line 2: there are two values of 'radius'"),
        ("# radius: 0,5\ntheta_0\n1\n2\n", "radius must be number"),
        ("theta_0;theta_1\n0,5;0,5\n", "line 1: cells are parted by commas, and numbers have a decimal point"),
        ("theta_0\n0,5\n0,25\n", "line 2 has 2 cells, expected 1"),
        (JSON + '{"theta": ' + "[" * 5000 + "]" * 5000 + "}\n", "nested too deeply|line 2"),
    ],
)
def test_text_that_is_no_recording(tmp_path, text, message):
    path = tmp_path / "run"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError, match=message) as error:
        check_trajectory(path, "paraboloid", **LINE)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def npz(**members: bytes | np.ndarray) -> bytes:
    """An archive of arrays, or of whatever bytes."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        for name, member in members.items():
            if isinstance(member, np.ndarray):
                stream = io.BytesIO()
                np.lib.format.write_array(stream, member, allow_pickle=True)
                member = stream.getvalue()
            archive.writestr(f"{name}.npy", member)
    return result.getvalue()


THETA = np.array([[1.0, 2.0], [3.0, 4.0]])
HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 2), }".ljust(117) + b"\n"
HUGE = b"\x93NUMPY\x01\x00v\x00" + HEADER


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 and no more", "damaged archive"),
        (npz(), "no theta"),
        (npz(speed=THETA), "unknown array 'speed'"),
        (npz(theta=np.array([{"a": 1}, None])), "objects instead of numbers"),
        (npz(theta=np.array(["a", "b"])), "theta must have shape"),
        (npz(theta=THETA * 1j), "real numbers"),
        (npz(theta=THETA[0]), "theta must have shape"),
        (npz(theta=THETA[:0]), "no rows"),
        (npz(theta=np.asfortranarray(THETA)), "column by column"),
        (npz(theta=THETA, value=np.zeros(7)), r"value must have shape \(1\), got \(7,\)"),
        (npz(theta=THETA, gradient=np.zeros((1, 3))), r"gradient must have shape \(2\)"),
        (npz(theta=b"nonsense"), "magic string|damaged"),
        (npz(theta=b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 20_000), "theta has a damaged header"),
        (npz(theta=HUGE), "theta ends before its row 0 of 1000000000000"),
        (npz(theta=THETA, metadata=np.array("{")), "Expecting"),
        (npz(theta=THETA, metadata=np.array("[]")), "JSON object"),
        (npz(theta=THETA, metadata=np.array(3)), "JSON text"),
        (npz(theta=THETA, metadata=np.array("")), "JSON text|Expecting"),
        (npz(theta=THETA, metadata=np.array('{"dtype": "decimal"}')), "dtype must be one of"),
    ],
)
def test_archives_that_are_no_recordings(tmp_path, data, message):
    path = tmp_path / "run.npz"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=message):
        check_trajectory(path, "paraboloid", **LINE)


def test_what_numpy_saves_is_a_recording(tmp_path):
    """By `numpy.savez`, in whatever byte order, with hyper-parameters of any kind."""
    path = tmp_path / "run.npz"
    theta = np.array([[1.0, 2.0], [0.5, 1.0], [0.25, 0.5]], dtype=">f4")
    np.savez(path, theta=theta, radius=0.5, projection_steps=np.array([1, 2]), projection_rate=np.float32(0.25))
    recording = open_recording(path)
    assert recording.metadata == {"dtype": "float32", "radius": 0.5, "projection_rate": 0.25}
    [piece] = recording.pieces(10)
    assert piece.theta.dtype == np.float32
    np.testing.assert_array_equal(piece.theta, theta)
    np.testing.assert_array_equal(piece.fields["projection_steps"], [1, 2])


def test_a_damaged_recording_gets_a_verdict_or_a_sentence(tmp_path):
    chance = random.Random(0)
    originals = []
    for suffix in SUFFIXES:
        path = tmp_path / f"run.{suffix}"
        save_recording(Recording(THETA, **LINE, loss="paraboloid"), path)
        originals.append(path.read_bytes())
    path = tmp_path / "damaged"
    for _ in range(300):
        data = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(data[: chance.randint(1, len(data))] if chance.random() < 0.2 else data))
        answer = ""
        try:
            answer = str(check_trajectory(path, diagnosis=False))
        except (TypeError, ValueError) as error:
            answer = f"no recording: {error}".replace("\n", "x" * 1000)
        assert 20 < len(answer) < 1000


def test_files_are_written_where_they_can_be(tmp_path):
    with pytest.raises(ValueError, match=r"\.npz, \.csv, \.jsonl"):
        save_recording(Recording(THETA), tmp_path / "run.xml")
    with pytest.raises(ValueError, match="CSV cannot hold inner"):
        save_recording(Recording(THETA, inner=np.zeros((1, 1, 2))), tmp_path / "run.csv")


@pytest.mark.parametrize("start", ["theta_0\n", "# dtype: float64\ntheta_0\n", '{"dtype": "float64"}\n'])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, start):
    """Excel's "CSV UTF-8" begins with one."""
    rows = '{"theta": [1.0]}\n{"theta": [0.75]}\n' if start.startswith("{") else "1.0\n0.75\n"
    for bom in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "run").write_bytes(bom + (start + rows).encode())
        recording = open_recording(tmp_path / "run")
        np.testing.assert_array_equal(next(recording.pieces(9)).theta, [[1.0], [0.75]])


@pytest.mark.parametrize("number", ["1_000", "1_0e3", "١٢", "0x3ff_0000000000000"])
def test_numbers_are_numbers_in_every_language(tmp_path, number):
    for text in (f"theta_0\n{number}\n0.5\n", f'{{"dtype": "float64"}}\n{{"theta": ["{number}"]}}\n{{"theta": [1]}}\n'):
        (tmp_path / "run").write_text(text, encoding="utf-8")
        with pytest.raises(RecordingError, match=r"line 2: theta must hold numbers or bit patterns"):
            list(open_recording(tmp_path / "run").rows(9))


def test_line_ends_are_those_of_any_system(tmp_path):
    for end in ("\n", "\r\n", "\r"):
        (tmp_path / "run").write_bytes(f"theta_0,theta_1{end}1.0,0.5{end}0.75,0.25{end}".encode())
        np.testing.assert_array_equal(next(open_recording(tmp_path / "run").pieces(9)).theta, [[1, 0.5], [0.75, 0.25]])


def test_a_long_header_is_not_read(tmp_path):
    """Of 64 MiB of blanks, which a small archive holds."""
    blanks = b"\x93NUMPY\x02\x00" + (2**26).to_bytes(4, "little") + b" " * 2**26
    with zipfile.ZipFile(tmp_path / "run.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("theta.npy", blanks)
    del blanks
    tracemalloc.start()
    with pytest.raises(RecordingError, match="theta has a damaged header"):
        open_recording(tmp_path / "run.npz")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What puts bytes into a pipe, and all temporary files beside it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    writers = []

    def say(content):
        writers.append(threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,)))
        writers[-1].start()
        return tmp_path / "pipe"

    yield say
    for writer in writers:
        writer.join(10)


@PIPES
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_recording_from_a_pipe(tmp_path, said, suffix):
    save_recording(Recording(THETA, **LINE), tmp_path / f"run.{suffix}")
    recording = open_recording(said((tmp_path / f"run.{suffix}").read_bytes()))
    for _ in range(2):  # as often as one likes
        np.testing.assert_array_equal(next(recording.pieces(9)).theta, THETA)
    assert recording.name == str(tmp_path / "pipe")
    del recording
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", f"run.{suffix}"]


@PIPES
@pytest.mark.parametrize("content", [b"theta_0\n" + b"1\n" * 100, b"speed\n"])
def test_a_pipe_of_something_else_leaves_nothing(tmp_path, monkeypatch, said, content):
    monkeypatch.setattr(files, "LONGEST_PIPE", 100)
    with pytest.raises(RecordingError, match=r"more than 100 bytes come from this pipe|unknown column"):
        open_recording(said(content))
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_recording_that_cannot_be_written_leaves_what_was(tmp_path):
    save_recording(Recording(THETA), tmp_path / "run.csv")
    before = (tmp_path / "run.csv").read_bytes()
    with pytest.raises(ValueError, match="CSV cannot hold inner"):
        save_recording(Recording(THETA, inner=np.zeros((1, 1, 2))), tmp_path / "run.csv")
    assert (tmp_path / "run.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.csv"]
